// The device list as the contract describes it: filters, order, keyset pages, facets. In memory, so simple.
import type { Device, DeviceFacets, DeviceList, Facet } from '../../src/api/types.ts';
import type { MockState } from './state.ts';

type Filter = 'state' | 'type_id' | 'site_id' | 'tag' | 'online' | 'q';

function matchesTag(device: Device, wanted: string): boolean {
  const at = wanted.indexOf('=');
  if (at < 0) return wanted in device.tags;
  return device.tags[wanted.slice(0, at)] === wanted.slice(at + 1);
}

function passes(device: Device, query: URLSearchParams, skip: Filter | null): boolean {
  const any = (name: Filter, value: string | null) => {
    const wanted = query.getAll(name);
    return skip === name || wanted.length === 0 || (value !== null && wanted.includes(value));
  };
  const q = query.get('q')?.toLowerCase();
  const text = [device.name, device.id, device.presence.address ?? '', ...Object.entries(device.tags).flat()].join(' ').toLowerCase();
  return (
    any('state', device.state) &&
    any('type_id', device.type_id) &&
    any('site_id', device.site_id) &&
    any('online', String(device.presence.online)) &&
    (skip === 'tag' || query.getAll('tag').every((t) => matchesTag(device, t))) &&
    (!q || text.includes(q))
  );
}

function keyOf(device: Device, sort: string): string {
  if (sort === 'last_seen') return device.presence.last_seen ?? '';
  const value = device[sort as 'name' | 'state' | 'type_name' | 'site_name' | 'created_at'];
  return String(value ?? '').toLowerCase();
}

export function listDevices(state: MockState, query: URLSearchParams): DeviceList {
  const order = query.get('sort') ?? 'name';
  const sort = order.replace(/^-/, '');
  const turn = order.startsWith('-') ? -1 : 1;
  const found = state.fleet.devices
    .filter((d) => passes(d, query, null))
    .sort((a, b) => turn * (keyOf(a, sort) < keyOf(b, sort) ? -1 : keyOf(a, sort) > keyOf(b, sort) ? 1 : a.id < b.id ? -1 : 1));
  const limit = Number(query.get('limit') ?? 100);
  const cursor = query.get('cursor');
  const start = cursor ? found.findIndex((d) => d.id === cursor) + 1 : 0;
  const items = found.slice(start, start + limit);
  const more = start + limit < found.length;
  return { items, next_cursor: more ? items.at(-1)!.id : null, total_estimate: found.length };
}

function facet(devices: Device[], values: (d: Device) => [string | null, string][]): Facet {
  const counts = new Map<string | null, { label: string; count: number }>();
  for (const device of devices) {
    for (const [value, label] of values(device)) {
      const entry = counts.get(value) ?? { label, count: 0 };
      entry.count += 1;
      counts.set(value, entry);
    }
  }
  return [...counts].map(([value, e]) => ({ value, ...e })).sort((a, b) => b.count - a.count || (a.label < b.label ? -1 : 1));
}

export function facetsOf(state: MockState, query: URLSearchParams): DeviceFacets {
  const under = (skip: Filter) => state.fleet.devices.filter((d) => passes(d, query, skip));
  return {
    state: facet(under('state'), (d) => [[d.state, d.state]]),
    type: facet(under('type_id'), (d) => [[d.type_id, d.type_name ?? 'not set']]),
    site: facet(under('site_id'), (d) => [[d.site_id, d.site_name ?? 'not set']]),
    online: facet(under('online'), (d) => [[String(d.presence.online), d.presence.online ? 'online' : 'offline']]),
    tag: facet(under('tag'), (d) => Object.entries(d.tags).map(([k, v]): [string, string] => [`${k}=${v}`, v ? `${k}=${v}` : k])),
  };
}
