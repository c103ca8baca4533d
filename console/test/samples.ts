// Values of the contract's shapes for tests, whole and valid; each test changes what it is about.
import type { Bucket, Certificate, Claim, Device, Metric, Presence, TimelineItem } from '../src/api/types';

export const kNow = Date.parse('2026-03-12T13:02:11Z');
export const kDeviceId = 'dev_01JD3V9QK2M4N6P8R0S2T4V6W8';

export const iso = (ms: number) => new Date(ms).toISOString();

export function presence(change: Partial<Presence> = {}): Presence {
  return {
    online: true,
    since: iso(kNow - 3_600_000),
    last_seen: iso(kNow - 2_000),
    last_disconnect_reason: null,
    address: '192.0.2.7',
    protocol: 'mqtt-5.0',
    ...change,
  };
}

export function certificate(change: Partial<Certificate> = {}): Certificate {
  const day = 86_400_000;
  return {
    serial: '7c1fa0429b',
    not_before: iso(kNow - 29 * day),
    not_after: iso(kNow + 61 * day),
    renews_at: iso(kNow + 31 * day),
    fingerprint_sha256: 'ab'.repeat(32),
    key_algorithm: 'P-256',
    state: 'valid',
    ...change,
  };
}

export function device(change: Partial<Device> = {}): Device {
  return {
    id: kDeviceId,
    name: 'cam-h128',
    state: 'active',
    type_id: null,
    type_name: 'camera',
    site_id: null,
    site_name: 'Hall 4',
    tags: { line: '3' },
    parent_id: null,
    components: [],
    os: { name: 'Debian GNU/Linux', version: '12' },
    network: [],
    connectivity: 'direct',
    exposure: 'internal',
    evidence_class: 'software',
    presence: presence(),
    certificate: certificate(),
    agent: { version: 'holdfast-agent 1.0.0', capabilities: [] },
    quarantine: null,
    created_at: iso(kNow - 86_400_000),
    updated_at: iso(kNow),
    revision: 7,
    ...change,
  };
}

export function metric(name: string, change: Partial<Metric> = {}): Metric {
  return { name, kind: 'number', unit: null, last_value: 1, last_time: iso(kNow), ...change };
}

export function bucket(name: string, startMs: number, mean: number, change: Partial<Bucket> = {}): Bucket {
  return { metric: name, start: iso(startMs), mean, min: mean - 1, max: mean + 1, count: 2, ...change };
}

export function item(id: string, atMs: number, change: Partial<TimelineItem> = {}): TimelineItem {
  return { id, time: iso(atMs), lane: 'events', kind: 'event', severity: 'info', message: id, ...change };
}

const kSteps = ['code_shown', 'claimed', 'certificate_issued', 'connected', 'first_reading'] as const;

/** A claim whose first `reached` steps are done, ten seconds apart. */
export function claim(reached: number, change: Partial<Claim> = {}): Claim {
  return {
    id: 'clm_01JD3V9QK2M4N6P8R0S2T4V6W8',
    state: reached > 2 ? 'spent' : 'open',
    device_serial: null,
    type_id: null,
    site_id: null,
    name: null,
    tags: {},
    device_id: null,
    created_by: 'usr_01JD3V9QK2M4N6P8R0S2T4V6W8',
    created_at: iso(kNow - 60_000),
    expires_at: iso(kNow + 3_540_000),
    progress: kSteps.map((step, i) => ({
      step,
      at: i < reached ? iso(kNow - 60_000 + i * 10_000) : null,
      detail: i < reached ? `detail ${i}` : null,
      error: null,
    })),
    ...change,
  };
}
