// The console's clock: one signal that ticks each second, so that ages on a page move together and
// redraw only themselves. Stands still while the tab is hidden.
import { signal } from '@preact/signals';

export const now = signal(Date.now());

export function startClock(): () => void {
  const tick = () => {
    if (!document.hidden) now.value = Date.now();
  };
  const timer = setInterval(tick, 1000);
  document.addEventListener('visibilitychange', tick);
  return () => {
    clearInterval(timer);
    document.removeEventListener('visibilitychange', tick);
  };
}
