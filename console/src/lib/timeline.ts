// The lanes under the charts: spans of connection, marks of what happened, and the sentence for one.
// Pure; times in milliseconds.
import type { Lane, Presence, Severity, TimelineItem } from '../api/types';
import { dayName, millis } from './format';
import type { TimeWindow } from './window';

export const kLanes: { lane: Lane; label: string }[] = [
  { lane: 'connection', label: 'Connection' },
  { lane: 'changes', label: 'Changes' },
  { lane: 'commands', label: 'Commands' },
  { lane: 'events', label: 'Events' },
  { lane: 'operators', label: 'Operators' },
];

/** Items that the lanes draw; older ones of the window are left out and said so. */
export const kLaneItemsMax = 1000;

export interface Span {
  fromMs: number;
  toMs: number;
}

/** When the device was connected in the window, from its connects and disconnects and its presence now. */
export function connectedSpans(items: TimelineItem[], presence: Presence, window: TimeWindow): Span[] {
  const turns = items
    .filter((i) => i.kind === 'connect' || i.kind === 'disconnect')
    .map((i) => ({ at: millis(i.time), up: i.kind === 'connect' }))
    .filter((t) => t.at >= window.fromMs && t.at <= window.toMs)
    .sort((a, b) => a.at - b.at);
  const first = turns[0];
  let up: boolean;
  if (first) up = !first.up;
  else {
    // No turn in the window: the device was all the time what it is now, if that began before it.
    const since = presence.since ? millis(presence.since) : Infinity;
    up = presence.online && since <= window.fromMs;
    if (presence.online && since > window.fromMs && since < window.toMs) return [{ fromMs: since, toMs: window.toMs }];
  }
  const spans: Span[] = [];
  let begun = up ? window.fromMs : null;
  for (const turn of turns) {
    if (turn.up && begun === null) begun = turn.at;
    else if (!turn.up && begun !== null) {
      spans.push({ fromMs: begun, toMs: turn.at });
      begun = null;
    }
  }
  if (begun !== null) spans.push({ fromMs: begun, toMs: window.toMs });
  return spans;
}

export interface Mark {
  id: string;
  atMs: number;
  tone: 'plain' | 'accent' | 'ok' | 'warn' | 'bad';
  item: TimelineItem;
}

export function toneOf(severity: Severity, lane: Lane): Mark['tone'] {
  if (severity === 'error' || severity === 'critical') return 'bad';
  if (severity === 'warning') return 'warn';
  return lane === 'changes' || lane === 'operators' ? 'accent' : 'plain';
}

/** Marks of one lane inside the window, oldest first. */
export function marks(items: TimelineItem[], lane: Lane, window: TimeWindow): Mark[] {
  const found: Mark[] = [];
  for (const item of items) {
    if (item.lane !== lane) continue;
    const atMs = millis(item.time);
    if (atMs < window.fromMs || atMs > window.toMs) continue;
    const cut = item.kind === 'disconnect' && item.severity !== 'debug' && item.severity !== 'info';
    found.push({ id: item.id, atMs, tone: cut ? 'bad' : toneOf(item.severity, lane), item });
  }
  return found.sort((a, b) => a.atMs - b.atMs);
}

/** The mark nearest to a place in the lane, if it lies within reach. */
export function nearestMark(list: Mark[], atMs: number, reachMs: number): Mark | null {
  let best: Mark | null = null;
  let least = reachMs;
  for (const mark of list) {
    const d = Math.abs(mark.atMs - atMs);
    if (d <= least) {
      least = d;
      best = mark;
    }
  }
  return best;
}

export interface Day {
  name: string;
  items: TimelineItem[];
}

/** A timeline in days, as it comes: newest first. */
export function byDay(items: TimelineItem[], now: number): Day[] {
  const days: Day[] = [];
  for (const item of items) {
    const name = dayName(millis(item.time), now);
    const last = days.at(-1);
    if (last?.name === name) last.items.push(item);
    else days.push({ name, items: [item] });
  }
  return days;
}

const kStepsS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 14400, 21600, 43200, 86400, 172800, 604800];

/** Round local times for the axis, at most `most` of them. */
export function axisTimes(window: TimeWindow, most: number): number[] {
  const spanS = (window.toMs - window.fromMs) / 1000;
  const stepMs = (kStepsS.find((s) => spanS / s <= most) ?? 604800) * 1000;
  const zoneMs = new Date(window.fromMs).getTimezoneOffset() * 60_000;
  const times: number[] = [];
  for (let t = Math.ceil((window.fromMs - zoneMs) / stepMs) * stepMs + zoneMs; t <= window.toMs; t += stepMs) times.push(t);
  return times;
}
