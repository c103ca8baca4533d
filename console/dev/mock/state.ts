// What the mock server remembers while it runs, and the live stream that tells of it.
import type { ServerResponse } from 'node:http';
import type { AuditEntry, Claim, ClaimCreated, Command, Device, Event, Session, Twin } from '../../src/api/types.ts';
import { iso, makeFleet, recount, type Fleet } from './fleet.ts';
import { hex, makeId, Random } from './random.ts';
import { kSampleS, kSources, seedOf } from './readings.ts';

export interface MockOptions {
  devices: number;
  seed: number;
  /** Milliseconds between the steps of a joining device. */
  stepMs: number;
  /** Nobody has set the server up yet; this is the link's secret. */
  setupSecret: string | null;
  roles: Session['roles'];
}

export const kDefaults: MockOptions = { devices: 120, seed: 4, stepMs: 1_500, setupSecret: null, roles: ['administrator'] };

const kPermissions = [
  'self.read', 'self.write', 'device.read', 'device.write', 'device.quarantine', 'device.revoke', 'site.read', 'site.write',
  'type.read', 'type.write', 'user.read', 'user.write', 'token.read', 'token.write', 'claim.read', 'claim.write',
  'telemetry.read', 'event.read', 'twin.read', 'twin.write', 'command.read', 'command.run', 'audit.read', 'job.read',
  'job.retry', 'config.read', 'backup.run', 'metrics.read',
];
const kViewer = ['self.read', 'self.write', 'device.read', 'site.read', 'type.read', 'telemetry.read', 'event.read', 'twin.read', 'command.read'];

interface Listener {
  response: ServerResponse;
  devices: Set<string> | null;
}

export class MockState {
  readonly options: MockOptions;
  readonly random: Random;
  fleet: Fleet;
  readonly sessions = new Set<string>();
  readonly claims = new Map<string, { claim: Claim; created: ClaimCreated }>();
  readonly commands: Command[] = [];
  readonly twins = new Map<string, Twin>();
  readonly audit: AuditEntry[] = [];
  readonly happened: Event[] = [];
  setupOpen: boolean;
  /** Every call fails, as with the server away. */
  down = false;
  /** Calls whose path it matches wait until it is null again. */
  held: RegExp | null = null;
  /** Calls whose path it matches end with this problem. */
  broken: { path: RegExp; status: number; code: string; title: string } | null = null;
  /** The stream stays open but says nothing more. */
  silent = false;
  /** The first joining step that fails, with reason and mend. */
  failStep: Claim['progress'][number]['step'] | null = null;
  private sequence = 1;
  private readonly listeners = new Set<Listener>();
  private readonly claimListeners = new Map<string, Set<ServerResponse>>();
  private readonly timers = new Set<NodeJS.Timeout>();

  constructor(options: Partial<MockOptions>) {
    this.options = { ...kDefaults, ...options };
    this.random = new Random(this.options.seed + 99);
    this.fleet = makeFleet(this.options.devices, this.options.seed, Date.now());
    this.setupOpen = this.options.setupSecret !== null;
    this.every(1_000, () => this.tick());
    this.every(15_000, () => this.listeners.forEach((l) => this.silent || l.response.write(': heartbeat\n\n')));
  }

  every(ms: number, run: () => void): void {
    this.timers.add(setInterval(run, ms));
  }

  after(ms: number, run: () => void): void {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      run();
    }, ms);
    this.timers.add(timer);
  }

  close(): void {
    this.timers.forEach((t) => clearTimeout(t));
    this.cutStreams();
  }

  cutStreams(): void {
    this.listeners.forEach((l) => l.response.destroy());
    this.listeners.clear();
    this.claimListeners.forEach((set) => set.forEach((r) => r.destroy()));
    this.claimListeners.clear();
  }

  session(): Session {
    const admin = this.options.roles.includes('administrator');
    return {
      actor: { id: 'usr_01JD3V9QK2M4N6P8R0S2T4V6W8', kind: 'user', name: admin ? 'admin' : 'viewer', user_id: null },
      roles: this.options.roles,
      sites: null,
      permissions: admin ? kPermissions : kViewer,
      expires_at: iso(Date.now() + 86_400_000),
    };
  }

  /** Everybody's session ends, as after 24 hours or when an administrator says so. */
  endSessions(): void {
    this.sessions.clear();
    this.cutStreams();
  }

  device(id: string): Device | undefined {
    return this.fleet.devices.find((d) => d.id === id);
  }

  // ---- streams

  listen(response: ServerResponse, devices: Set<string> | null): void {
    const listener = { response, devices };
    this.listeners.add(listener);
    response.on('close', () => this.listeners.delete(listener));
    response.write(': hello\n\n');
  }

  /** Devices that the open streams ask for; Infinity when one asks for all, 0 without a stream. */
  followed(): number {
    return Math.max(0, ...[...this.listeners].map((l) => l.devices?.size ?? Infinity));
  }

  send(event: string, deviceId: string | null, data: unknown): void {
    if (this.silent) return;
    const id = this.sequence++;
    for (const { response, devices } of this.listeners) {
      if (devices && (deviceId === null || !devices.has(deviceId))) continue;
      response.write(`id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
    }
  }

  change(device: Device, changes: Partial<Device>, bump = true): void {
    Object.assign(device, changes);
    if (bump) {
      device.revision += 1;
      device.updated_at = iso(Date.now());
    }
    recount(this.fleet);
    this.send('device', device.id, { id: device.id, revision: device.revision, changes });
  }

  event(device: Device, kind: string, severity: Event['severity'], message: string): void {
    const time = iso(Date.now());
    const event: Event = {
      id: `evt_${this.sequence}_${Date.now()}`,
      time,
      received_at: time,
      time_source: 'server',
      device_id: device.id,
      kind,
      severity,
      message,
      fields: {},
    };
    this.happened.unshift(event);
    this.send('event', device.id, event);
  }

  record(action: string, object: string, before: unknown, after: unknown): void {
    const seq = this.audit.length;
    this.audit.push({
      seq,
      time: iso(Date.now()),
      actor: 'usr_01JD3V9QK2M4N6P8R0S2T4V6W8',
      action,
      object,
      before: (before ?? null) as AuditEntry['before'],
      after: (after ?? null) as AuditEntry['after'],
      request_id: makeId('req', this.random),
      prev_hash: this.audit.at(-1)?.hash ?? '0'.repeat(64),
      hash: hex(32, this.random),
      leaf_hash: hex(32, this.random),
    });
  }

  /** Each second: readings of devices that are due, and now and then one that comes or goes. */
  private tick(): void {
    const seconds = Math.floor(Date.now() / 1000);
    const watched = new Set<string>();
    for (const l of this.listeners) if (l.devices) l.devices.forEach((id) => watched.add(id));
    this.fleet.devices.forEach((device, i) => {
      if (!device.presence.online || seconds % kSampleS !== i % kSampleS) return;
      device.presence = { ...device.presence, last_seen: iso(Date.now()) };
      this.send('device', device.id, { id: device.id, revision: device.revision, changes: { presence: device.presence } });
      if (watched.size > 0 && !watched.has(device.id)) return;
      for (const [metric, source] of Object.entries(kSources)) {
        const value = source.at(seconds, seedOf(device));
        this.send('reading', device.id, { device_id: device.id, metric, time: iso(seconds * 1000), value, time_source: 'device' });
      }
    });
  }

  // ---- joining

  followClaim(id: string, response: ServerResponse): void {
    const set = this.claimListeners.get(id) ?? new Set();
    this.claimListeners.set(id, set);
    set.add(response);
    response.on('close', () => set.delete(response));
    this.tellClaim(id);
  }

  tellClaim(id: string): void {
    const claim = this.claims.get(id)?.claim;
    if (!claim) return;
    for (const response of this.claimListeners.get(id) ?? []) {
      response.write(`id: ${this.sequence++}\nevent: claim\ndata: ${JSON.stringify(claim)}\n\n`);
    }
  }

  /** Plays a device that joins with this claim, one step after the other. */
  join(id: string): void {
    const claim = this.claims.get(id)?.claim;
    if (!claim || claim.state === 'revoked' || claim.state === 'expired') return;
    const step = claim.progress.find((s) => s.at === null);
    if (!step) return;
    if (this.failStep === step.step) {
      step.error = {
        code: 'csr-key-weak',
        message: 'The device offered an RSA key of 1024 bits.',
        mend: 'Make a P-256 key on the device and run the command again.',
        at: iso(Date.now()),
      };
      this.failStep = null;
      this.tellClaim(id);
      this.after(this.options.stepMs * 3, () => this.join(id));
      return;
    }
    step.error = null;
    step.at = iso(Date.now());
    this.reach(claim, step);
    this.tellClaim(id);
    this.after(this.options.stepMs, () => this.join(id));
  }

  private reach(claim: Claim, step: Claim['progress'][number]): void {
    const serial = hex(8, this.random);
    if (step.step === 'claimed') step.detail = 'from 10.4.0.17';
    else if (step.step === 'certificate_issued') {
      step.detail = `P-256, ${serial.slice(0, 8)}`;
      claim.state = 'spent';
      const device = makeFleet(1, 1_000_000 + this.sequence, Date.now()).devices[0]!;
      const site = this.fleet.sites.find((s) => s.id === claim.site_id);
      const type = this.fleet.types.find((t) => t.id === claim.type_id);
      Object.assign(device, {
        name: claim.name ?? 'new-device', state: 'active', tags: claim.tags, site_id: site?.id ?? null, site_name: site?.name ?? null,
        type_id: type?.id ?? null, type_name: type?.name ?? null, created_at: iso(Date.now()), quarantine: null,
      });
      claim.device_id = device.id;
      this.fleet.devices.push(device);
      this.change(device, {});
    } else if (step.step === 'connected') {
      step.detail = 'MQTT 5.0, holdfast-agent 1.0.0';
      const device = this.device(claim.device_id ?? '');
      const t = iso(Date.now());
      if (device) this.change(device, { presence: { ...device.presence, online: true, since: t, last_seen: t, last_disconnect_reason: null } });
    } else if (step.step === 'first_reading') step.detail = 'cpu.usage_percent 23.4 %';
  }
}
