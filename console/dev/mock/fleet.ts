// A generated fleet: sites, types, devices in every state that the console must show.
import type { Device, DeviceState, DeviceType, Site } from '../../src/api/types.ts';
import { hex, makeId, Random } from './random.ts';

const kHour = 3_600_000;
const kDay = 24 * kHour;

export const iso = (ms: number) => new Date(ms).toISOString();

export interface Fleet {
  sites: Site[];
  types: DeviceType[];
  devices: Device[];
}

const kSites = ['Hall 4', 'Harbour north', 'Depot Graz'];
const kTypes: [string, string][] = [
  ['camera', 'cam-h'],
  ['gateway', 'gw-'],
  ['boiler control', 'boiler-'],
  ['edge box', 'edge-'],
];
const kReasons = ['connection-lost', 'client', 'certificate-expired', 'keep-alive-timeout', 'server-restart'];

function certificate(random: Random, now: number, online: boolean): Device['certificate'] {
  const left = online ? 6 * kDay + random.below(78 * kDay) : random.below(84 * kDay) - 2 * kDay;
  const notAfter = now + left;
  const notBefore = notAfter - 90 * kDay;
  return {
    serial: hex(16, random),
    not_before: iso(notBefore),
    not_after: iso(notAfter),
    // Most renew in time; one in twelve is late.
    renews_at: iso(random.chance(0.92) ? Math.max(now + kDay, notBefore + 40 * kDay) + random.below(20 * kDay) : now - 4 * kDay),
    fingerprint_sha256: hex(32, random),
    key_algorithm: random.pick(['P-256', 'P-256', 'Ed25519']),
    state: left <= 0 ? 'expired' : 'valid',
  };
}

function stateOf(random: Random): DeviceState {
  const r = random.next();
  return r < 0.9 ? 'active' : r < 0.94 ? 'enrolled' : r < 0.97 ? 'quarantined' : r < 0.985 ? 'registered' : 'decommissioned';
}

function presence(random: Random, now: number, state: DeviceState): Device['presence'] {
  const online = state === 'active' && random.chance(0.86);
  const never = state === 'registered';
  const since = now - random.below(online ? 9 * kDay : 60 * kHour) - 60_000;
  return {
    online,
    since: never ? null : iso(since),
    last_seen: never ? null : iso(online ? now - random.below(8_000) : since),
    last_disconnect_reason: never || (online && random.chance(0.5)) ? null : state === 'quarantined' ? 'device-quarantined' : random.pick(kReasons),
    address: never ? null : `10.4.${random.below(8)}.${1 + random.below(250)}`,
    protocol: never ? null : random.pick(['mqtt-5.0', 'mqtt-5.0', 'mqtt-3.1.1', 'https']),
  };
}

function components(random: Random): Device['components'] {
  return [
    { name: 'os', version: `Debian 12.${random.below(8)}`, digest: null },
    { name: 'boot', version: `1.${random.below(6)}`, digest: null },
    { name: 'application', version: `2.0.${random.below(9)}`, digest: `sha256:${hex(32, random)}` },
    { name: 'openssl', version: `3.0.${10 + random.below(8)}`, digest: null },
  ];
}

function makeDevice(index: number, random: Random, now: number, fleet: Fleet): Device {
  const type = index % 11 === 7 ? null : random.pick(fleet.types);
  const prefix = kTypes.find(([name]) => name === type?.name)?.[1] ?? 'node-';
  const site = index % 13 === 5 ? null : random.pick(fleet.sites);
  const state = stateOf(random);
  const p = presence(random, now, state);
  const known = p.last_seen !== null;
  const tags: Record<string, string> = {};
  if (random.chance(0.6)) tags['line'] = String(1 + random.below(4));
  if (random.chance(0.2)) tags['north'] = '';
  return {
    id: makeId('dev', random),
    name: `${prefix}${100 + index * 7}`,
    state,
    type_id: type?.id ?? null,
    type_name: type?.name ?? null,
    site_id: site?.id ?? null,
    site_name: site?.name ?? null,
    tags,
    parent_id: null,
    serial: random.chance(0.5) ? `E3-${1000 + index}` : null,
    components: known ? components(random) : [],
    hardware: known ? { model: 'Edge 3', processor: 'x86_64', cores: 4, memory_bytes: 4_294_967_296 } : null,
    os: known ? { name: 'Debian GNU/Linux', version: '12', kernel: '6.1.0-28-amd64' } : null,
    network: known ? [{ name: 'eth0', addresses: [`${p.address}/24`] }] : [],
    connectivity: 'direct',
    exposure: 'internal',
    evidence_class: random.pick(['software', 'software', 'hardware-attested', 'claim']),
    presence: p,
    certificate: known ? certificate(random, now, p.online) : null,
    agent: known ? { version: 'holdfast-agent 1.0.0', protocol: 1, capabilities: ['command', 'twin', 'log'] } : null,
    quarantine:
      state === 'quarantined'
        ? { since: p.since ?? iso(now), reason: 'talks to an address it should not', by: 'usr_01JD3V9QK2M4N6P8R0S2T4V6W8', revoked: random.chance(0.3) }
        : null,
    created_at: iso(now - random.below(200 * kDay) - kDay),
    updated_at: iso(now - random.below(kDay)),
    revision: 1 + random.below(20),
  };
}

export function makeFleet(count: number, seed: number, now: number): Fleet {
  const random = new Random(seed);
  const fleet: Fleet = { sites: [], types: [], devices: [] };
  const times = { created_at: iso(now - 200 * kDay), updated_at: iso(now - 90 * kDay), revision: 1 };
  for (const name of kSites) {
    fleet.sites.push({ id: makeId('site', random), name, description: '', device_count: 0, ...times });
  }
  for (const [name] of kTypes) {
    fleet.types.push({ id: makeId('typ', random), name, description: '', streams: [], topic_mapping: {}, device_count: 0, ...times });
  }
  for (let i = 0; i < count; i++) fleet.devices.push(makeDevice(i, random, now, fleet));
  recount(fleet);
  return fleet;
}

export function recount(fleet: Fleet): void {
  for (const site of fleet.sites) site.device_count = fleet.devices.filter((d) => d.site_id === site.id).length;
  for (const type of fleet.types) type.device_count = fleet.devices.filter((d) => d.type_id === type.id).length;
}
