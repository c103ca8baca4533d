// What a person chose on this browser: light or dark, row height, single-key shortcuts. Kept in local
// storage when there is one; a value that is not known counts as not chosen.
import { effect, signal } from '@preact/signals';

export type Theme = 'system' | 'light' | 'dark';
export type Density = 'compact' | 'comfortable';

function stored<T extends string>(key: string, values: readonly T[], initial: T) {
  let first = initial;
  try {
    const kept = localStorage.getItem(`holdfast.${key}`);
    first = values.find((v) => v === kept) ?? initial;
  } catch {
    // Storage is switched off: the choice lasts as long as the page.
  }
  const value = signal<T>(first);
  effect(() => {
    try {
      localStorage.setItem(`holdfast.${key}`, value.value);
    } catch {
      // As above.
    }
  });
  return value;
}

export const kThemes = ['system', 'light', 'dark'] as const;
export const kDensities = ['compact', 'comfortable'] as const;
export const theme = stored<Theme>('theme', kThemes, 'system');
export const density = stored<Density>('density', kDensities, 'compact');
/** WCAG 2.1.4: shortcuts of one key can be switched off. */
export const shortcuts = stored<'on' | 'off'>('shortcuts', ['on', 'off'] as const, 'on');

/** Counts changes of the colours that are in effect; a canvas must be drawn anew then. */
export const schemeVersion = signal(0);

export function applyTheme(): void {
  effect(() => {
    document.documentElement.dataset['theme'] = theme.value;
    schemeVersion.value = schemeVersion.peek() + 1;
  });
  effect(() => {
    document.documentElement.dataset['density'] = density.value;
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
    schemeVersion.value = schemeVersion.peek() + 1;
  });
}
