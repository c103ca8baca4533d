import { describe, expect, it } from 'vitest';
import { iso, item, kNow, presence } from '../../test/samples';
import { axisTimes, byDay, connectedSpans, marks, nearestMark, toneOf } from './timeline';

const kWindow = { fromMs: kNow - 3_600_000, toMs: kNow };
const connect = (at: number) => item(`c${at}`, at, { lane: 'connection', kind: 'connect' });
const disconnect = (at: number, severity: 'info' | 'warning' = 'warning') =>
  item(`d${at}`, at, { lane: 'connection', kind: 'disconnect', severity });

describe('connection', () => {
  it('without a turn is what it is now, if that began before', () => {
    expect(connectedSpans([], presence({ since: iso(kWindow.fromMs - 1) }), kWindow)).toEqual([kWindow]);
    expect(connectedSpans([], presence({ online: false }), kWindow)).toEqual([]);
  });
  it('that began in the window begins there, even if its event is not known', () => {
    const since = kNow - 600_000;
    expect(connectedSpans([], presence({ since: iso(since) }), kWindow)).toEqual([{ fromMs: since, toMs: kNow }]);
  });
  it('is cut by each disconnect, in whatever order they come', () => {
    const a = kNow - 3_000_000;
    const b = kNow - 2_000_000;
    expect(connectedSpans([connect(b), disconnect(a)], presence(), kWindow)).toEqual([
      { fromMs: kWindow.fromMs, toMs: a },
      { fromMs: b, toMs: kNow },
    ]);
  });
  it('knows from a first connect that it was away before', () => {
    const at = kNow - 1_000_000;
    expect(connectedSpans([connect(at)], presence(), kWindow)).toEqual([{ fromMs: at, toMs: kNow }]);
  });
  it('survives a turn told twice', () => {
    const at = kNow - 1_000_000;
    expect(connectedSpans([connect(at), connect(at + 5_000)], presence(), kWindow)).toHaveLength(1);
    expect(connectedSpans([disconnect(at), disconnect(at + 5_000)], presence({ online: false }), kWindow)).toHaveLength(1);
  });
});

describe('marks', () => {
  const items = [
    item('late', kNow - 1_000, { severity: 'warning' }),
    item('early', kNow - 3_000_000),
    item('before', kWindow.fromMs - 1),
    item('other', kNow - 2_000, { lane: 'commands' }),
  ];
  it('are those of one lane in the window, oldest first', () => {
    expect(marks(items, 'events', kWindow).map((m) => m.id)).toEqual(['early', 'late']);
  });
  it('take their tone from severity, a cut connection is bad', () => {
    expect(marks(items, 'events', kWindow).map((m) => m.tone)).toEqual(['plain', 'warn']);
    expect(marks([disconnect(kNow - 5)], 'connection', kWindow)[0]?.tone).toBe('bad');
    expect(marks([disconnect(kNow - 5, 'info')], 'connection', kWindow)[0]?.tone).toBe('plain');
    expect(toneOf('critical', 'events')).toBe('bad');
    expect(toneOf('info', 'operators')).toBe('accent');
  });
  it('are found by nearness, and only within reach', () => {
    const list = marks(items, 'events', kWindow);
    expect(nearestMark(list, kNow - 2_500, 5_000)?.id).toBe('late');
    expect(nearestMark(list, kNow - 1_000_000, 5_000)).toBeNull();
  });
});

it('a timeline is grouped by local days, in its order', () => {
  const days = byDay([item('a', kNow), item('b', kNow - 3_600_000), item('c', kNow - 86_400_000)], kNow);
  expect(days.map((d) => [d.name, d.items.map((i) => i.id)])).toEqual([
    ['Today', ['a', 'b']],
    ['Yesterday', ['c']],
  ]);
});

describe('axis', () => {
  it('has round local times, not more than asked for', () => {
    for (const span of [60_000, 3_600_000, 86_400_000, 30 * 86_400_000]) {
      const times = axisTimes({ fromMs: kNow - span, toMs: kNow }, 8);
      expect(times.length).toBeGreaterThan(1);
      expect(times.length).toBeLessThanOrEqual(9);
      expect(times.every((t) => t >= kNow - span && t <= kNow)).toBe(true);
    }
    const day = axisTimes({ fromMs: kNow - 86_400_000, toMs: kNow }, 8);
    expect(new Date(day[0]!).getHours() % 3).toBe(0);
    expect(new Date(day[0]!).getMinutes()).toBe(0);
  });
});
