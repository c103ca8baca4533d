// The lanes under the charts, on their time axis: connection, changes, commands, events, operators. Each
// lane is one stop of the Tab key; arrows walk its marks, a click takes the nearest.
import type { Signal } from '@preact/signals';
import { useId } from 'preact/hooks';
import type { Presence, TimelineItem } from '../../api/types';
import { clock, clockSeconds, dayMonth, kDay, plural } from '../../lib/format';
import { axisTimes, connectedSpans, kLanes, marks, nearestMark, type Mark } from '../../lib/timeline';
import type { TimeWindow } from '../../lib/window';
import { now } from '../../state/now';

interface Props {
  items: TimelineItem[];
  presence: Presence;
  window: TimeWindow;
  width: number;
  gutter: number;
  hover: Signal<number | null>;
  selected: string | null;
  onSelect: (mark: Mark | null) => void;
}

const kLanePx = 24;
/** A click within this distance takes the mark; finger and mouse alike. */
const kReachPx = 14;

export function Lanes(props: Props) {
  return (
    <div class="lanes">
      {kLanes.map((l) => (
        <LaneRow key={l.lane} {...props} lane={l.lane} label={l.label} />
      ))}
    </div>
  );
}

function shape(mark: Mark, lane: string, x: number, selected: boolean) {
  const y = kLanePx / 2;
  const classes = `mark ${mark.tone}${selected ? ' selected' : ''}`;
  if (lane === 'changes' || lane === 'operators') {
    return <path class={classes} d={`M${x} ${y - 6}l6 6-6 6-6-6z`} />;
  }
  const wide = lane === 'connection' && mark.tone === 'bad' ? 5 : 2;
  return <rect class={classes} x={x - wide / 2} y={y - 6} width={wide} height={12} />;
}

function LaneRow({ lane, label, items, presence, window, width, gutter, hover, selected, onSelect }: Props & {
  lane: (typeof kLanes)[number]['lane'];
  label: string;
}) {
  const id = useId();
  const list = marks(items, lane, window);
  const inner = Math.max(1, width - gutter);
  const span = window.toMs - window.fromMs;
  const place = (ms: number) => ((ms - window.fromMs) / span) * inner;
  const current = list.findIndex((m) => m.id === selected);
  const timeAt = (e: PointerEvent | MouseEvent) => {
    const box = (e.currentTarget as HTMLElement).getBoundingClientRect();
    return window.fromMs + ((e.clientX - box.left) / Math.max(1, box.width)) * span;
  };
  const key = (e: KeyboardEvent) => {
    const step = e.key === 'ArrowRight' ? 1 : e.key === 'ArrowLeft' ? -1 : 0;
    let next = -1;
    if (step !== 0 && list.length > 0) next = Math.min(list.length - 1, Math.max(0, current < 0 ? (step > 0 ? 0 : list.length - 1) : current + step));
    else if (e.key === 'Home') next = 0;
    else if (e.key === 'End') next = list.length - 1;
    else if (e.key === 'Escape') onSelect(null);
    const mark = list[next];
    if (!mark) return;
    e.preventDefault();
    onSelect(mark);
  };
  // The window may reach a little beyond now; nobody knows about connections there.
  const past = { ...window, toMs: Math.min(window.toMs, now.peek()) };
  const spans = lane === 'connection' ? connectedSpans(items, presence, past) : [];
  const drawing = (
    <svg width={inner} height={kLanePx} aria-hidden="true" focusable="false">
      {spans.map((s) => (
        <rect key={s.fromMs} class="connected" x={place(s.fromMs)} y={kLanePx / 2 - 4} width={Math.max(1, place(s.toMs) - place(s.fromMs))} height={8} rx={2} />
      ))}
      {list.map((m) => shape(m, lane, place(m.atMs), m.id === selected))}
    </svg>
  );
  const move = {
    onPointerMove: (e: PointerEvent) => (hover.value = timeAt(e) / 1000),
    onPointerLeave: () => (hover.value = null),
  };
  return (
    <div class="lane">
      <span class="lane-label" id={`${id}-label`} style={{ width: `${gutter}px` }}>
        {label}
      </span>
      {list.length === 0 ? (
        <div class="lane-track" role="img" aria-label={`${label}: nothing in this time`} {...move}>
          {drawing}
        </div>
      ) : (
        <div
          class="lane-track"
          role="listbox"
          tabIndex={0}
          aria-label={`${label}: ${plural(list.length, 'mark')}`}
          aria-activedescendant={current >= 0 ? `${id}-${current}` : undefined}
          onKeyDown={key}
          onClick={(e) => onSelect(nearestMark(list, timeAt(e), (kReachPx / inner) * span))}
          {...move}
        >
          {drawing}
          <div class="unseen">
            {list.map((m, i) => (
              <div key={m.id} id={`${id}-${i}`} role="option" aria-selected={m.id === selected}>
                {clockSeconds(m.atMs)} {m.item.message}
              </div>
            ))}
          </div>
        </div>
      )}
    </div>
  );
}

/** "14:05", with the date where a day begins or the window is long, with seconds where it is short. */
function axisLabel(ms: number, spanMs: number): string {
  if (spanMs <= 3 * 60_000) return clockSeconds(ms);
  if (spanMs > 2 * kDay) return clock(ms) === '00:00' ? dayMonth(ms) : `${dayMonth(ms)} ${clock(ms)}`;
  return clock(ms);
}

interface AxisProps {
  window: TimeWindow;
  width: number;
  gutter: number;
  stepS: number;
  hover: Signal<number | null>;
  /** All values at the time under the cursor, as a sentence. */
  describe: (seconds: number) => string;
  onZoom: (fromMs: number, toMs: number) => void;
}

/** The time axis is a slider: arrows move the line through all charts, plus and minus zoom. */
export function TimeAxis({ window, width, gutter, stepS, hover, describe, onZoom }: AxisProps) {
  const inner = Math.max(1, width - gutter);
  const span = window.toMs - window.fromMs;
  const at = hover.value;
  const key = (e: KeyboardEvent) => {
    const here = at ?? window.toMs / 1000;
    const jump = stepS * (e.shiftKey ? 10 : 1);
    const set = (seconds: number) => (hover.value = Math.min(window.toMs / 1000, Math.max(window.fromMs / 1000, seconds)));
    const zoom = (factor: number) => {
      const half = (span * factor) / 2;
      onZoom(here * 1000 - half, here * 1000 + half);
    };
    if (e.key === 'ArrowLeft') set(here - jump);
    else if (e.key === 'ArrowRight') set(here + jump);
    else if (e.key === 'Home') set(window.fromMs / 1000);
    else if (e.key === 'End') set(window.toMs / 1000);
    else if (e.key === '+') zoom(0.5);
    else if (e.key === '-') zoom(2);
    else if (e.key === 'Escape') hover.value = null;
    else return;
    e.preventDefault();
  };
  const labels = axisTimes(window, Math.max(2, Math.floor(inner / 90)));
  return (
    <div
      class="axis"
      role="slider"
      tabIndex={0}
      aria-label="Time; plus and minus zoom"
      aria-valuemin={Math.round(window.fromMs / 1000)}
      aria-valuemax={Math.round(window.toMs / 1000)}
      aria-valuenow={Math.round(at ?? window.toMs / 1000)}
      aria-valuetext={at === null ? 'now' : `${clockSeconds(at * 1000)}: ${describe(at)}`}
      onKeyDown={key}
      onBlur={() => (hover.value = null)}
      style={{ marginLeft: `${gutter}px`, width: `${inner}px` }}
    >
      {labels.map((t) => (
        <span key={t} style={{ left: `${((t - window.fromMs) / span) * inner}px` }}>
          {axisLabel(t, span)}
        </span>
      ))}
    </div>
  );
}

/** One vertical line through charts and lanes. */
export function HoverLine({ window, width, gutter, hover }: Pick<AxisProps, 'window' | 'width' | 'gutter' | 'hover'>) {
  const at = hover.value;
  if (at === null || at * 1000 < window.fromMs || at * 1000 > window.toMs) return null;
  const x = gutter + ((at * 1000 - window.fromMs) / (window.toMs - window.fromMs)) * (width - gutter);
  return (
    <div class="hover-line" aria-hidden="true" style={{ transform: `translateX(${Math.round(x)}px)` }}>
      <span class={x > width - 90 ? 'left' : ''}>{clockSeconds(at * 1000)}</span>
    </div>
  );
}
