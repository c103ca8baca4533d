// The time window of the charts and what fills it: buckets from the server, live readings on top,
// gaps where nothing was measured. Pure; times are milliseconds unless a name says seconds.
import type { Bucket, LiveReading } from '../api/types';
import { kDay, millis } from './format';

export interface Range {
  key: string;
  label: string;
  title: string;
  spanMs: number;
}

const kMinute = 60_000;
export const kRanges: Range[] = [
  { key: '15m', label: '15 min', title: 'Last 15 minutes', spanMs: 15 * kMinute },
  { key: '1h', label: '1 h', title: 'Last hour', spanMs: 60 * kMinute },
  { key: '24h', label: '24 h', title: 'Last 24 hours', spanMs: kDay },
  { key: '7d', label: '7 d', title: 'Last 7 days', spanMs: 7 * kDay },
  { key: '30d', label: '30 d', title: 'Last 30 days', spanMs: 30 * kDay },
];

/** What a device page opens with: an hour, or a quarter of one for a device that has just joined. */
export function firstRange(createdMs: number, now: number): string {
  return now - createdMs < 20 * kMinute ? '15m' : '1h';
}

export interface TimeWindow {
  fromMs: number;
  toMs: number;
}

/** Shortest zoom: below it there is nothing to see between two readings. */
export const kSpanMinMs = 30_000;
/** Most buckets of one chart: about two pixels each. */
const kBucketsMax = 400;
const kBucketsS = [5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400];

/** Length of a bucket, so that a window has at most kBucketsMax of them. */
export function bucketSeconds(spanMs: number): number {
  return kBucketsS.find((s) => spanMs / 1000 / s <= kBucketsMax) ?? 86400;
}

export function follow(range: Range, now: number): TimeWindow {
  return { fromMs: now - range.spanMs, toMs: now };
}

/** A zoom never shorter than kSpanMinMs, never into the future, around the same middle. */
export function clampZoom(a: number, b: number, now: number): TimeWindow {
  const middle = (a + b) / 2;
  const half = Math.max(Math.abs(b - a), kSpanMinMs) / 2;
  const toMs = Math.min(middle + half, now);
  return { fromMs: Math.min(middle - half, toMs - kSpanMinMs), toMs };
}

export interface Cell {
  min: number;
  max: number;
  mean: number;
  count: number;
}

/** Start of a bucket in seconds to its values, for each metric. */
export type Cells = Map<string, Map<number, Cell>>;

export function cellsOf(buckets: Bucket[]): Cells {
  const cells: Cells = new Map();
  for (const bucket of buckets) {
    const { mean, min, max } = bucket;
    if (mean === undefined) continue;
    const start = Math.floor(millis(bucket.start) / 1000);
    let metric = cells.get(bucket.metric);
    if (!metric) cells.set(bucket.metric, (metric = new Map<number, Cell>()));
    metric.set(start, { min: min ?? mean, max: max ?? mean, mean, count: bucket.count ?? 1 });
  }
  return cells;
}

/** Adds one live reading in place: it joins its bucket, or opens the next. */
export function addReading(cells: Cells, reading: LiveReading, bucketS: number): void {
  if (typeof reading.value !== 'number') return;
  const start = Math.floor(millis(reading.time) / 1000 / bucketS) * bucketS;
  let metric = cells.get(reading.metric);
  if (!metric) cells.set(reading.metric, (metric = new Map<number, Cell>()));
  const cell = metric.get(start);
  const value = reading.value;
  if (!cell) {
    metric.set(start, { min: value, max: value, mean: value, count: 1 });
    return;
  }
  cell.mean = (cell.mean * cell.count + value) / (cell.count + 1);
  cell.count += 1;
  cell.min = Math.min(cell.min, value);
  cell.max = Math.max(cell.max, value);
}

export interface Columns {
  /** Seconds, rising. */
  x: number[];
  /** For each metric asked for: mean, min and max at each x; null is a gap. */
  mean: (number | null)[][];
  min: (number | null)[][];
  max: (number | null)[][];
}

/** Gap after which a line must not be drawn through: three usual steps. */
const kGapSteps = 3;

function usualStep(x: number[], bucketS: number): number {
  const steps: number[] = [];
  for (let i = 1; i < x.length; i++) steps.push((x[i] ?? 0) - (x[i - 1] ?? 0));
  steps.sort((a, b) => a - b);
  return Math.max(bucketS, steps[Math.floor(steps.length / 2)] ?? bucketS);
}

/** Columns for a chart of these metrics inside the window, on one time axis, with gaps marked. */
export function columns(cells: Cells, metrics: string[], window: TimeWindow, bucketS: number): Columns {
  const fromS = window.fromMs / 1000 - bucketS;
  const toS = window.toMs / 1000;
  const starts = new Set<number>();
  for (const name of metrics) {
    for (const start of cells.get(name)?.keys() ?? []) if (start >= fromS && start <= toS) starts.add(start);
  }
  const known = [...starts].sort((a, b) => a - b);
  const limit = usualStep(known, bucketS) * kGapSteps;
  const x: number[] = [];
  known.forEach((start, i) => {
    const before = known[i - 1];
    if (before !== undefined && start - before > limit) x.push(before + (start - before) / 2);
    x.push(start);
  });
  const pick = (value: (cell: Cell) => number) =>
    metrics.map((name) => {
      const metric = cells.get(name);
      return x.map((start) => {
        const cell = metric?.get(start);
        return cell ? value(cell) : null;
      });
    });
  return { x, mean: pick((c) => c.mean), min: pick((c) => c.min), max: pick((c) => c.max) };
}

export interface Summary {
  last: number | null;
  lowest: number | null;
  highest: number | null;
  mean: number | null;
}

export function summary(cells: Cells, metric: string, window: TimeWindow, bucketS = 0): Summary {
  let weight = 0;
  let sum = 0;
  let lastStart = -Infinity;
  const result: Summary = { last: null, lowest: null, highest: null, mean: null };
  for (const [start, cell] of cells.get(metric) ?? []) {
    if (start * 1000 < window.fromMs - bucketS * 1000 || start * 1000 > window.toMs) continue;
    result.lowest = result.lowest === null ? cell.min : Math.min(result.lowest, cell.min);
    result.highest = result.highest === null ? cell.max : Math.max(result.highest, cell.max);
    sum += cell.mean * cell.count;
    weight += cell.count;
    if (start > lastStart) {
      lastStart = start;
      result.last = cell.mean;
    }
  }
  if (weight > 0) result.mean = sum / weight;
  return result;
}

/** Index of the x that lies nearest to a time, or -1 when none lies within reach. */
export function nearestIndex(x: number[], seconds: number, reachS: number): number {
  let low = 0;
  let high = x.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((x[middle] ?? 0) < seconds) low = middle + 1;
    else high = middle;
  }
  const after = x[low];
  const before = x[low - 1];
  const index = before !== undefined && (after === undefined || seconds - before < after - seconds) ? low - 1 : low;
  const at = x[index];
  return at !== undefined && Math.abs(at - seconds) <= reachS ? index : -1;
}
