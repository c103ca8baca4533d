// What a live change does to what a page already shows. Pure; values are never changed in place, and a
// list that a change does not touch stays the very same object, so that nothing is drawn again.
import type { Device, DeviceDelta, Event, Lane, TimelineItem } from '../api/types';

type Plain = Record<string, unknown>;

function isPlain(value: unknown): value is Plain {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** JSON merge patch, RFC 7396, but null inside a device is a value: members of the contract are never removed. */
export function mergeInto(target: Plain, patch: Plain): Plain {
  const result: Plain = { ...target };
  for (const [key, value] of Object.entries(patch)) {
    const old = result[key];
    // Tags are sent as a whole: merging would keep tags that were removed.
    result[key] = key !== 'tags' && isPlain(value) && isPlain(old) ? mergeInto(old, value) : value;
  }
  return result;
}

/** The device after a change; the same object when the change is older than what is shown. */
export function applyDelta(device: Device, delta: DeviceDelta): Device {
  if (delta.id !== device.id || delta.revision < device.revision) return device;
  const merged = mergeInto(device as unknown as Plain, (delta.changes ?? {}) as Plain);
  return { ...(merged as unknown as Device), revision: delta.revision };
}

export interface Page {
  items: Device[];
}

export interface Merged<P extends Page> {
  pages: P[];
  /** Ids that no page holds: the list should be read anew, it may have grown. */
  unknown: string[];
}

/** Applies changes to all loaded pages of a list, in the order given. */
export function applyToPages<P extends Page>(pages: P[], deltas: DeviceDelta[]): Merged<P> {
  const byId = new Map<string, DeviceDelta[]>();
  for (const delta of deltas) {
    const list = byId.get(delta.id);
    if (list) list.push(delta);
    else byId.set(delta.id, [delta]);
  }
  const seen = new Set<string>();
  const next = pages.map((page) => {
    let touched = false;
    const items: Device[] = [];
    for (const device of page.items) {
      const changes = byId.get(device.id);
      if (!changes) {
        items.push(device);
        continue;
      }
      seen.add(device.id);
      const after = changes.reduce<Device | null>(
        (now, delta) => (now === null || delta.removed ? null : applyDelta(now, delta)),
        device,
      );
      if (after !== device) touched = true;
      if (after !== null) items.push(after);
    }
    return touched ? { ...page, items } : page;
  });
  const same = next.every((page, i) => page === pages[i]);
  const unknown = [...byId.entries()]
    .filter(([id, changes]) => !seen.has(id) && !changes.every((c) => c.removed))
    .map(([id]) => id);
  return { pages: same ? pages : next, unknown };
}

const kLanes: Record<string, Lane> = {
  connect: 'connection',
  disconnect: 'connection',
  refused: 'connection',
  authentication_failed: 'connection',
  enrolled: 'changes',
  renewed: 'changes',
  twin: 'changes',
  inventory: 'changes',
  command: 'commands',
  quarantine: 'operators',
  release: 'operators',
  revoke: 'operators',
  audit: 'operators',
};

export function laneOf(kind: string): Lane {
  return kLanes[kind] ?? 'events';
}

/** A live event as the timeline would tell it; the next read replaces it under the same id. */
export function toTimelineItem(event: Event): TimelineItem {
  return {
    id: event.id,
    time: event.time,
    lane: laneOf(event.kind),
    kind: event.kind,
    severity: event.severity,
    message: event.message,
    fields: event.fields,
  };
}

/** Newest first, each id once; the item of `items` wins, because it was read from the timeline. */
export function mergeTimeline(items: TimelineItem[], live: TimelineItem[]): TimelineItem[] {
  if (live.length === 0) return items;
  const known = new Set(items.map((i) => i.id));
  const fresh = live.filter((i) => !known.has(i.id));
  if (fresh.length === 0) return items;
  return [...fresh, ...items].sort((a, b) => (a.time < b.time ? 1 : a.time > b.time ? -1 : 0));
}
