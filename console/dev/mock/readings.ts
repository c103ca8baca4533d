// Readings as smooth functions of time and device, so that any window of any bucket agrees with any other.
import type { Bucket, Device, Event, Metric, TimelineItem } from '../../src/api/types.ts';
import { laneOf } from '../../src/live/merge.ts';
import { iso } from './fleet.ts';
import { Random } from './random.ts';

interface Source {
  unit: string | null;
  at(seconds: number, seed: number): number;
}

function noise(x: number, seed: number): number {
  const i = Math.floor(x);
  const at = (n: number) => new Random(Math.imul(n, 2654435761) ^ seed).next() - 0.5;
  const f = x - i;
  return at(i) * (1 - f) + at(i + 1) * f;
}

/** A peak of a quarter of an hour each six hours: something to find in the charts. */
function peak(seconds: number): number {
  const phase = (seconds % 21_600) - 9_000;
  return phase > 0 && phase < 900 ? 1 : 0;
}

const day = (s: number) => Math.sin(((s % 86_400) / 86_400) * 2 * Math.PI);

export const kSources: Record<string, Source> = {
  'cpu.usage_percent': { unit: '%', at: (s, k) => 20 + 8 * day(s) + 6 * noise(s / 20, k) + 34 * peak(s) },
  'memory.used_percent': { unit: '%', at: (s, k) => 38 + 2 * day(s + 9_000) + 0.8 * noise(s / 120, k + 1) },
  'memory.used_bytes': { unit: 'B', at: (s, k) => 1.6e9 + 9e7 * day(s + 9_000) + 2e7 * noise(s / 120, k + 1) },
  'disk.root.used_percent': { unit: '%', at: (s, k) => 41 + ((s / 86_400) % 30) * 0.05 + 0.01 * noise(s / 600, k) },
  'network.eth0.rx_bytes_s': { unit: 'B/s', at: (s, k) => Math.max(0, 210_000 + 60_000 * day(s) + 40_000 * noise(s / 15, k + 2)) },
  'network.eth0.tx_bytes_s': { unit: 'B/s', at: (s, k) => Math.max(0, 320_000 + 90_000 * day(s) + 70_000 * noise(s / 15, k + 3) + 260_000 * peak(s)) },
  'load.1m': { unit: null, at: (s, k) => Math.max(0, 0.6 + 0.2 * day(s) + 0.3 * noise(s / 60, k + 4) + 1.4 * peak(s)) },
  'system.temperature_c': { unit: 'Cel', at: (s, k) => 38 + 4 * day(s - 6_000) + noise(s / 200, k + 5) },
};

export function seedOf(device: Device): number {
  let seed = 7;
  for (const c of device.id) seed = (Math.imul(seed, 31) + c.charCodeAt(0)) | 0;
  return seed;
}

export const kSampleS = 10;

export function metricsOf(device: Device, now: number): Metric[] {
  if (device.presence.last_seen === null) return [];
  const last = device.presence.online ? now : Date.parse(device.presence.last_seen);
  const seconds = Math.floor(last / 1000 / kSampleS) * kSampleS;
  const numbers = Object.entries(kSources).map(([name, source]): Metric => ({
    name,
    kind: 'number',
    unit: source.unit,
    last_value: source.at(seconds, seedOf(device)),
    last_time: iso(seconds * 1000),
    time_source: 'device',
  }));
  const mode: Metric = { name: 'door.open', kind: 'boolean', unit: null, last_value: false, last_time: iso(seconds * 1000), time_source: 'device' };
  return [...numbers, mode].sort((a, b) => (a.name < b.name ? -1 : 1));
}

export function bucketsOf(device: Device, metrics: string[], fromMs: number, toMs: number, bucketS: number): Bucket[] {
  const result: Bucket[] = [];
  const seed = seedOf(device);
  const end = device.presence.online ? toMs : Math.min(toMs, Date.parse(device.presence.last_seen ?? '1970'));
  for (const metric of metrics) {
    const source = kSources[metric];
    if (!source) continue;
    const step = Math.max(kSampleS, bucketS / 6);
    for (let start = Math.ceil(fromMs / 1000 / bucketS) * bucketS; start * 1000 < end; start += bucketS) {
      const values: number[] = [];
      for (let s = Math.ceil(start / kSampleS) * kSampleS; s < start + bucketS && s * 1000 < end; s += step) values.push(source.at(s, seed));
      if (values.length === 0) continue;
      const sum = values.reduce((a, b) => a + b, 0);
      result.push({
        metric,
        start: iso(start * 1000),
        min: Math.min(...values),
        max: Math.max(...values),
        mean: sum / values.length,
        sum,
        count: values.length,
        first: values[0]!,
        last: values.at(-1)!,
      });
    }
  }
  return result;
}

type Story = [kind: string, severity: Event['severity'], message: string, fields: Record<string, unknown>];

const kStories: Story[] = [
  ['log', 'info', 'encoder: bitrate adapted to 2.4 Mbit/s', { unit: 'encoder.service' }],
  ['event', 'notice', 'door opened', { name: 'door', door: 3 }],
  ['log', 'warning', 'encoder: frame queue is long', { unit: 'encoder.service' }],
  ['command', 'info', 'command ping succeeded', { state: 'succeeded' }],
  ['inventory', 'info', 'inventory changed: application 2.0.7', { components: 4 }],
  ['event', 'info', 'self test passed', { name: 'self_test' }],
  ['twin', 'info', 'reported state changed: sample_interval_s', { pointer: '/sample_s' }],
  ['log', 'error', 'storage: one sector was relocated', { unit: 'smartd.service' }],
];

/** What happened to a device in a window, newest first: the same for each call. */
export function storyOf(device: Device, fromMs: number, toMs: number): TimelineItem[] {
  const items: TimelineItem[] = [];
  const seed = seedOf(device);
  const stepMs = 37 * 60_000;
  for (let n = Math.ceil(fromMs / stepMs); n * stepMs < toMs; n++) {
    const random = new Random(seed ^ Math.imul(n, 40503));
    const time = n * stepMs + random.below(stepMs);
    if (time < fromMs || time >= toMs || time < Date.parse(device.created_at)) continue;
    const push = (at: number, [kind, severity, message, fields]: Story, actor: string | null, seq: number | null) =>
      items.push({
        id: `evt_${n}_${items.length}_${Math.floor(at)}`,
        time: iso(at),
        lane: laneOf(kind),
        kind,
        severity,
        message,
        fields,
        actor,
        audit_seq: seq,
      });
    if (random.chance(0.06)) {
      push(time, ['disconnect', 'warning', 'connection lost: silent for 90 s', { code: 'connection-lost' }], null, null);
      push(time + 45_000, ['connect', 'info', `connected from ${device.presence.address ?? '?'} by MQTT 5.0`, {}], null, null);
    } else if (random.chance(0.08)) {
      push(time, ['audit', 'notice', 'operator m.keller changed the desired state', {}], 'usr_01JD3V9QK2M4N6P8R0S2T4V6W8', 48_000 + (n % 1000));
    } else push(time, random.pick(kStories), null, null);
  }
  return items.filter((i) => Date.parse(i.time) < toMs).sort((a, b) => (a.time < b.time ? 1 : -1));
}
