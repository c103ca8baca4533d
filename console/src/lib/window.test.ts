import { describe, expect, it } from 'vitest';
import { bucket, iso, kDeviceId, kNow } from '../../test/samples';
import {
  addReading, bucketSeconds, cellsOf, clampZoom, columns, firstRange, follow, kRanges, kSpanMinMs, nearestIndex, summary,
} from './window';

const kStart = Math.floor(kNow / 60_000) * 60_000;
const reading = (metric: string, atMs: number, value: number | string) =>
  ({ device_id: kDeviceId, metric, time: iso(atMs), value, time_source: 'device' }) as const;

describe('buckets', () => {
  it('are at most 400 in every range', () => {
    for (const range of kRanges) {
      const s = bucketSeconds(range.spanMs);
      expect(range.spanMs / 1000 / s).toBeLessThanOrEqual(400);
      expect(range.spanMs / 1000 / s).toBeGreaterThan(100);
    }
    expect(bucketSeconds(kSpanMinMs)).toBe(5);
    expect(bucketSeconds(1e12)).toBe(86400);
  });
  it('are kept by metric and start', () => {
    const cells = cellsOf([bucket('a', kStart, 5), bucket('b', kStart, 7), { metric: 'c', start: iso(kStart), count: 3 }]);
    expect(cells.get('a')?.get(kStart / 1000)).toEqual({ mean: 5, min: 4, max: 6, count: 2 });
    expect(cells.has('c')).toBe(false);
  });
});

describe('live readings', () => {
  it('join their bucket with the right weight', () => {
    const cells = cellsOf([bucket('a', kStart, 5)]);
    addReading(cells, reading('a', kStart + 59_999, 11), 60);
    expect(cells.get('a')?.get(kStart / 1000)).toEqual({ mean: 7, min: 4, max: 11, count: 3 });
  });
  it('open the next bucket, and a metric that is new', () => {
    const cells = cellsOf([]);
    addReading(cells, reading('a', kStart + 60_000, 3), 60);
    expect([...(cells.get('a')?.keys() ?? [])]).toEqual([kStart / 1000 + 60]);
    addReading(cells, reading('a', kStart, 'word'), 60);
    expect(cells.get('a')?.size).toBe(1);
  });
});

describe('columns', () => {
  const window = { fromMs: kStart, toMs: kStart + 3_600_000 };
  it('share one axis; what one metric lacks is a gap of that one', () => {
    const cells = cellsOf([bucket('a', kStart, 1), bucket('a', kStart + 60_000, 2), bucket('b', kStart + 60_000, 9)]);
    const c = columns(cells, ['a', 'b'], window, 60);
    expect(c.x).toEqual([kStart / 1000, kStart / 1000 + 60]);
    expect(c.mean).toEqual([[1, 2], [null, 9]]);
    expect(c.max[0]).toEqual([2, 3]);
  });
  it('break the line where nothing was measured', () => {
    const starts = [0, 1, 2, 3, 30, 31].map((m) => kStart + m * 60_000);
    const c = columns(cellsOf(starts.map((s) => bucket('a', s, 1))), ['a'], window, 60);
    expect(c.mean[0]?.filter((v) => v === null)).toHaveLength(1);
    expect(c.x).toEqual([...c.x].sort((a, b) => a - b));
  });
  it('do not break a line whose device reports rarely', () => {
    const starts = [0, 10, 20, 30].map((m) => kStart + m * 60_000);
    const c = columns(cellsOf(starts.map((s) => bucket('a', s, 1))), ['a'], window, 60);
    expect(c.mean[0]).toEqual([1, 1, 1, 1]);
  });
  it('hold nothing from outside the window', () => {
    const c = columns(cellsOf([bucket('a', kStart - 600_000, 1), bucket('a', kStart + 7_200_000, 1)]), ['a'], window, 60);
    expect(c.x).toEqual([]);
  });
});

describe('summary', () => {
  it('weighs means by their counts', () => {
    const cells = cellsOf([bucket('a', kStart, 10, { count: 1 }), bucket('a', kStart + 60_000, 20, { count: 3 })]);
    const all = { fromMs: kStart, toMs: kStart + 120_000 };
    expect(summary(cells, 'a', all)).toEqual({ last: 20, lowest: 9, highest: 21, mean: 17.5 });
    expect(summary(cells, 'none', all)).toEqual({ last: null, lowest: null, highest: null, mean: null });
  });
});

describe('zoom', () => {
  it('never reaches into the future nor below the shortest span', () => {
    expect(clampZoom(kNow - 10_000, kNow + 50_000, kNow).toMs).toBe(kNow);
    const short = clampZoom(kNow - 100_000, kNow - 99_000, kNow);
    expect(short.toMs - short.fromMs).toBe(kSpanMinMs);
    const turned = clampZoom(kNow - 60_000, kNow - 120_000, kNow);
    expect(turned).toEqual({ fromMs: kNow - 120_000, toMs: kNow - 60_000 });
  });
  it('begins with what a new device can fill', () => {
    expect(firstRange(kNow - 60_000, kNow)).toBe('15m');
    expect(firstRange(kNow - 3_600_000, kNow)).toBe('1h');
    expect(kRanges.map((r) => r.key)).toEqual(expect.arrayContaining(['15m', '1h']));
  });
  it('is left by following the clock', () => {
    expect(follow(kRanges[1]!, kNow)).toEqual({ fromMs: kNow - 3_600_000, toMs: kNow });
  });
});

describe('nearest', () => {
  const x = [10, 20, 30, 100];
  it.each([
    [9, 0],
    [14, 0],
    [16, 1],
    [31, 2],
    [60, -1],
    [99, 3],
  ])('to %d is index %d', (at, index) => expect(nearestIndex(x, at, 10)).toBe(index));
  it('of nothing is nothing', () => expect(nearestIndex([], 5, 100)).toBe(-1));
});
