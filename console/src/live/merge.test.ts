import { describe, expect, it } from 'vitest';
import type { DeviceDelta } from '../api/types';
import { device, iso, item, kDeviceId, kNow, presence } from '../../test/samples';
import { applyDelta, applyToPages, laneOf, mergeInto, mergeTimeline, toTimelineItem } from './merge';

const delta = (change: Partial<DeviceDelta> = {}): DeviceDelta => ({ id: kDeviceId, revision: 8, changes: {}, ...change });

describe('a change of one device', () => {
  it('goes into nested members and keeps the rest', () => {
    const after = applyDelta(device(), delta({ changes: { name: 'new', presence: { online: false } } }));
    expect(after).toMatchObject({ name: 'new', revision: 8, presence: { online: false, address: '192.0.2.7' } });
  });
  it('sets null as a value: the contract never drops a member', () => {
    const after = applyDelta(device(), delta({ changes: { quarantine: null, site_name: null } }));
    expect([after.quarantine, after.site_name]).toEqual([null, null]);
  });
  it('replaces tags as a whole, so that a removed one goes', () => {
    expect(applyDelta(device(), delta({ changes: { tags: { north: '' } } })).tags).toEqual({ north: '' });
  });
  it('that is older than what is shown changes nothing', () => {
    const shown = device();
    expect(applyDelta(shown, delta({ revision: 6, changes: { name: 'old' } }))).toBe(shown);
    expect(applyDelta(shown, delta({ id: 'dev_other', changes: { name: 'x' } }))).toBe(shown);
  });
  it('of the same revision counts: presence moves without one', () => {
    const after = applyDelta(device(), delta({ revision: 7, changes: { presence: { online: false } } }));
    expect(after.presence.online).toBe(false);
  });
  it('never touches the object that is shown', () => {
    const shown = device();
    const copy = structuredClone(shown);
    applyDelta(shown, delta({ changes: { presence: presence({ online: false }), tags: {} } }));
    expect(shown).toEqual(copy);
    expect(mergeInto({ a: [1] }, { a: [2] })).toEqual({ a: [2] });
  });
});

describe('changes of a list', () => {
  const pages = [
    { items: [device({ id: 'dev_a' }), device({ id: 'dev_b' })], next_cursor: 'b' },
    { items: [device({ id: 'dev_c' })], next_cursor: null },
  ];
  it('leave pages that they do not touch as they are', () => {
    const merged = applyToPages(pages, [delta({ id: 'dev_c', changes: { name: 'x' } })]);
    expect(merged.pages[0]).toBe(pages[0]);
    expect(merged.pages[1]).not.toBe(pages[1]);
    expect(merged.pages[1]?.items[0]?.name).toBe('x');
    expect(merged.pages[1]?.next_cursor).toBeNull();
  });
  it('that touch nothing give the very same list', () => {
    const merged = applyToPages(pages, [delta({ id: 'dev_a', revision: 1 }), delta({ id: 'dev_z' })]);
    expect(merged.pages).toBe(pages);
    expect(merged.unknown).toEqual(['dev_z']);
  });
  it('apply in order, and a removed device leaves', () => {
    const merged = applyToPages(pages, [
      delta({ id: 'dev_a', revision: 8, changes: { name: 'first' } }),
      delta({ id: 'dev_a', revision: 9, changes: { name: 'second' } }),
      delta({ id: 'dev_b', removed: true }),
      delta({ id: 'dev_gone', removed: true }),
    ]);
    expect(merged.pages[0]?.items.map((d) => d.name)).toEqual(['second']);
    expect(merged.unknown).toEqual([]);
  });
});

describe('timeline', () => {
  it('puts each kind on its lane, unknown ones with the events', () => {
    expect(['connect', 'refused', 'renewed', 'command', 'revoke', 'log', 'brand_new'].map(laneOf)).toEqual([
      'connection', 'connection', 'changes', 'commands', 'operators', 'events', 'events',
    ]);
  });
  it('takes live events in, each once, newest first', () => {
    const read = [item('b', kNow - 1_000), item('a', kNow - 2_000)];
    const live = [item('c', kNow), item('b', kNow - 1_000, { message: 'told live' })];
    expect(mergeTimeline(read, live).map((i) => `${i.id}:${i.message}`)).toEqual(['c:c', 'b:b', 'a:a']);
    expect(mergeTimeline(read, [])).toBe(read);
    expect(mergeTimeline(read, [live[1]!])).toBe(read);
  });
  it('tells an event as the timeline would', () => {
    const event = {
      id: 'e1', time: iso(kNow), received_at: iso(kNow), time_source: 'server' as const, device_id: kDeviceId,
      kind: 'disconnect', severity: 'warning' as const, message: 'gone', fields: { code: 'x' },
    };
    expect(toTimelineItem(event)).toMatchObject({ id: 'e1', lane: 'connection', message: 'gone', fields: { code: 'x' } });
  });
});
