// Every operation that the console calls, over the mock's memory.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Claim, Command, Device, Site, Twin } from '../../src/api/types.ts';
import { toTimelineItem } from '../../src/live/merge.ts';
import { iso } from './fleet.ts';
import { problem } from './http.ts';
import { facetsOf, listDevices } from './lists.ts';
import { hex, makeId } from './random.ts';
import { bucketsOf, metricsOf, storyOf } from './readings.ts';
import type { MockState } from './state.ts';

export interface Answer {
  status: number;
  body?: unknown;
  headers?: Record<string, string>;
}

export interface Call {
  state: MockState;
  params: string[];
  query: URLSearchParams;
  body: unknown;
  request: IncomingMessage;
  response: ServerResponse;
}

interface Route {
  method: string;
  pattern: RegExp;
  handle(call: Call): Answer | null;
}

const ok = (body: unknown, headers: Record<string, string> = {}): Answer => ({ status: 200, body, headers });
const made = (body: unknown, headers: Record<string, string> = {}): Answer => ({ status: 201, body, headers });
const gone = (): Answer => problem(403, 'forbidden', 'Permission is missing', { permission: 'device.read', mend: 'Ask an administrator.' });
const tagged = (revision: number) => ({ ETag: `"${revision}"` });
const bodyOf = <T>(call: Call) => (call.body ?? {}) as T;

function route(method: string, path: string, handle: (call: Call) => Answer | null): Route {
  return { method, pattern: new RegExp(`^${path.replaceAll(/\{\w+\}/g, '([^/]+)')}$`), handle };
}

function onDevice(act: (device: Device, call: Call) => Answer | null) {
  return (call: Call): Answer | null => {
    const device = call.state.device(call.params[0] ?? '');
    return device ? act(device, call) : gone();
  };
}

function signedIn(call: Call): Answer {
  const token = hex(16, call.state.random);
  call.state.sessions.add(token);
  return made(call.state.session(), { 'Set-Cookie': `__Host-holdfast=${token}; Path=/; Secure; HttpOnly; SameSite=Strict` });
}

const kSession: Route[] = [
  route('GET', '/v1/setup', (c) => ok({ open: c.state.setupOpen })),
  route('POST', '/v1/setup', (c) => {
    const { secret, name, password } = bodyOf<{ secret: string; name: string; password: string }>(c);
    if (!c.state.setupOpen || secret !== c.state.options.setupSecret) {
      return problem(403, 'forbidden', 'The set-up link is not valid', { mend: 'Open the link that the server printed last.' });
    }
    if (password.length < 12 || /password/i.test(password)) {
      return problem(422, 'invalid-argument', 'A value is not allowed', {
        errors: [{ pointer: '/password', code: 'invalid-argument', message: 'This password is too easy to guess.' }],
      });
    }
    c.state.setupOpen = false;
    c.state.record('complete_setup', name, null, { name });
    return signedIn(c);
  }),
  route('GET', '/v1/session', (c) => ok(c.state.session())),
  route('POST', '/v1/session', (c) => {
    const { name, password } = bodyOf<{ name: string; password: string }>(c);
    if (name === 'busy') return problem(429, 'rate-limited', 'Too many requests', { retry_after_s: 20, mend: 'Wait 20 seconds.' });
    if (password !== 'correct horse battery') return problem(401, 'unauthenticated', 'Sign in first');
    return signedIn(c);
  }),
  route('DELETE', '/v1/session', (c) => {
    c.state.sessions.clear();
    c.state.cutStreams();
    return { status: 204 };
  }),
];

function patched(device: Device, call: Call): Answer {
  const { state } = call;
  const wanted = call.request.headers['if-match'];
  if (wanted !== '*' && wanted !== `"${device.revision}"`) return problem(412, 'precondition-failed', 'It has changed since you read it', { mend: 'Read it again, then change it anew.' });
  const patch = bodyOf<{ name?: string; site_id?: string | null; type_id?: string | null; tags?: Record<string, string> }>(call);
  const changes: Partial<Device> = { ...patch };
  if ('site_id' in patch) changes.site_name = state.fleet.sites.find((s) => s.id === patch.site_id)?.name ?? null;
  if ('type_id' in patch) changes.type_name = state.fleet.types.find((t) => t.id === patch.type_id)?.name ?? null;
  state.record('update_device', device.id, { name: device.name, site_id: device.site_id }, patch);
  state.change(device, changes);
  state.event(device, 'audit', 'notice', `admin changed ${Object.keys(patch).join(', ')}`);
  return ok(device, tagged(device.revision));
}

function quarantine(device: Device, call: Call, revoke: boolean): Answer {
  const { reason } = bodyOf<{ reason: string }>(call);
  if (reason === 'fail') return problem(409, 'conflict', 'The state does not allow this', { detail: `${device.name} is busy.` });
  const since = iso(Date.now());
  call.state.record(revoke ? 'revoke_device' : 'quarantine_device', device.id, { state: device.state }, { state: 'quarantined', reason });
  call.state.change(device, {
    state: 'quarantined',
    quarantine: { since, reason, by: call.state.session().actor.id, revoked: revoke },
    presence: { ...device.presence, online: false, since, last_disconnect_reason: 'device-quarantined' },
    ...(revoke && device.certificate ? { certificate: { ...device.certificate, state: 'revoked' as const } } : {}),
  });
  call.state.event(device, revoke ? 'revoke' : 'quarantine', 'warning', `admin quarantined the device: ${reason}`);
  return ok(device, tagged(device.revision));
}

function retag(device: Device, call: Call, remove: boolean): Answer {
  const key = call.params[1] ?? '';
  const tags = { ...device.tags };
  if (remove) delete tags[key];
  else tags[key] = bodyOf<{ value: string }>(call).value;
  call.state.record(remove ? 'delete_device_tag' : 'set_device_tag', device.id, { tags: device.tags }, { tags });
  call.state.change(device, { tags });
  return ok(device, tagged(device.revision));
}

const kDevices: Route[] = [
  route('GET', '/v1/devices', (c) => ok(listDevices(c.state, c.query))),
  route('GET', '/v1/devices/facets', (c) => ok(facetsOf(c.state, c.query))),
  route('GET', '/v1/devices/{id}', onDevice((d) => ok(d, tagged(d.revision)))),
  route('PATCH', '/v1/devices/{id}', onDevice(patched)),
  route('PUT', '/v1/devices/{id}/tags/{tag}', onDevice((d, c) => retag(d, c, false))),
  route('DELETE', '/v1/devices/{id}/tags/{tag}', onDevice((d, c) => retag(d, c, true))),
  route('POST', '/v1/devices/{id}/quarantine', onDevice((d, c) => quarantine(d, c, false))),
  route('POST', '/v1/devices/{id}/revoke', onDevice((d, c) => quarantine(d, c, true))),
  route('POST', '/v1/devices/{id}/release', onDevice((d, c) => {
    c.state.record('release_device', d.id, { state: d.state }, { state: 'active' });
    c.state.change(d, { state: 'active', quarantine: null });
    c.state.event(d, 'release', 'notice', 'admin released the device');
    return ok(d, tagged(d.revision));
  })),
  route('GET', '/v1/devices/{id}/timeline', onDevice((d, c) => {
    const cursor = c.query.get('cursor');
    const toMs = cursor ? Number(cursor) : Date.parse(c.query.get('to') ?? iso(Date.now()));
    const fromMs = Date.parse(c.query.get('from') ?? iso(Date.now() - 14 * 86_400_000));
    const live = c.state.happened.filter((e) => e.device_id === d.id && Date.parse(e.time) >= fromMs && Date.parse(e.time) < toMs);
    const words = (c.query.get('q') ?? '').toLowerCase().split(' ').filter(Boolean);
    if (words.includes('(')) {
      return problem(422, 'invalid-argument', 'A value is not allowed', { detail: 'query, character 1: this "(" is never closed: add ")"', mend: 'Change the query.' });
    }
    const order = ['debug', 'info', 'notice', 'warning', 'error', 'critical'];
    const least = order.indexOf(c.query.get('severity') ?? 'debug');
    const all = [...live.map(toTimelineItem), ...storyOf(d, fromMs, toMs)].filter(
      (i) => order.indexOf(i.severity) >= least && words.every((w) => i.message.toLowerCase().split(/\W+/).includes(w)),
    );
    const items = all.slice(0, Number(c.query.get('limit') ?? 100));
    const next = items.length < all.length ? String(Date.parse(items.at(-1)!.time)) : null;
    return ok({ items, next_cursor: next, partial: false });
  })),
  route('GET', '/v1/devices/{id}/metrics', onDevice((d) => ok({ items: metricsOf(d, Date.now()) }))),
  route('GET', '/v1/devices/{id}/telemetry', onDevice((d, c) => {
    const toMs = Date.parse(c.query.get('to') ?? iso(Date.now()));
    const fromMs = Date.parse(c.query.get('from') ?? iso(toMs - 3_600_000));
    return ok({ buckets: bucketsOf(d, c.query.getAll('metric'), fromMs, Math.min(toMs, Date.now()), Number(c.query.get('bucket_s') ?? 60)), partial: false });
  })),
  route('GET', '/v1/stream', (c) => {
    c.response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
    const ids = c.query.getAll('device_id');
    c.state.listen(c.response, ids.length > 0 ? new Set(ids) : null);
    return null;
  }),
];

function twinOf(state: MockState, device: Device): Twin {
  const known = state.twins.get(device.id);
  if (known) return known;
  const at = iso(Date.now() - 3_600_000);
  const twin: Twin = {
    desired: { sample_interval_s: 10, mode: 'eco', limits: { temperature: 70 } },
    desired_version: 7,
    desired_at: at,
    reported: { sample_interval_s: 10, mode: 'normal', limits: { temperature: 70 }, uptime_s: 273_600 },
    reported_version: 31,
    reported_at: at,
  };
  state.twins.set(device.id, twin);
  return twin;
}

function differences(desired: unknown, reported: unknown, pointer: string): { pointer: string; desired: unknown; reported?: unknown }[] {
  if (typeof desired === 'object' && desired !== null && typeof reported === 'object' && reported !== null) {
    const there = reported as Record<string, unknown>;
    return Object.entries(desired).flatMap(([k, v]) =>
      k in there ? differences(v, there[k], `${pointer}/${k}`) : [{ pointer: `${pointer}/${k}`, desired: v }],
    );
  }
  return JSON.stringify(desired) === JSON.stringify(reported) ? [] : [{ pointer, desired, reported }];
}

function send(device: Device, call: Call): Answer {
  const { name, payload, deadline_s } = bodyOf<{ name: string; payload?: Command['payload']; deadline_s?: number }>(call);
  const now = Date.now();
  const command: Command = {
    id: makeId('cmd', call.state.random),
    device_id: device.id,
    name,
    payload: payload ?? null,
    state: device.presence.online ? 'sent' : 'queued',
    created_by: call.state.session().actor.id,
    created_at: iso(now),
    deadline: iso(now + (deadline_s ?? 300) * 1000),
    updated_at: iso(now),
    finished_at: null,
    result: null,
    error: null,
  };
  call.state.commands.unshift(command);
  call.state.record('run_command', command.id, null, { name });
  if (device.presence.online) {
    call.state.after(call.state.options.stepMs, () => {
      const good = name !== 'fail';
      Object.assign(command, {
        state: good ? 'succeeded' : 'failed',
        result: good ? { pong: true } : null,
        error: good ? null : { code: 'unknown-command', message: 'this device does not know “fail”' },
        finished_at: iso(Date.now()),
      });
      call.state.event(device, 'command', good ? 'info' : 'warning', `command ${name} ${command.state}`);
    });
  }
  return made(command);
}

const kControl: Route[] = [
  route('GET', '/v1/devices/{id}/twin', onDevice((d, c) => ok(twinOf(c.state, d), tagged(twinOf(c.state, d).desired_version)))),
  route('GET', '/v1/devices/{id}/twin/diff', onDevice((d, c) => {
    const twin = twinOf(c.state, d);
    const changes = differences(twin.desired, twin.reported, '');
    return ok({ in_sync: changes.length === 0, desired_version: twin.desired_version, reported_version: twin.reported_version, changes });
  })),
  route('PUT', '/v1/devices/{id}/twin/desired', onDevice((d, c) => {
    const twin = twinOf(c.state, d);
    if (c.request.headers['if-match'] !== `"${twin.desired_version}"`) return problem(412, 'precondition-failed', 'It has changed since you read it');
    Object.assign(twin, { desired: c.body, desired_version: twin.desired_version + 1, desired_at: iso(Date.now()) });
    return ok(twin, tagged(twin.desired_version));
  })),
  route('POST', '/v1/devices/{id}/commands', onDevice(send)),
  route('GET', '/v1/commands', (c) => ok({ items: c.state.commands.filter((x) => x.device_id === c.query.get('device_id')), next_cursor: null })),
  route('POST', '/v1/commands/{id}/cancel', (c) => {
    const command = c.state.commands.find((x) => x.id === c.params[0]);
    if (!command) return gone();
    Object.assign(command, { state: 'cancelled', finished_at: iso(Date.now()) });
    return ok(command);
  }),
];

const kSteps = ['code_shown', 'claimed', 'certificate_issued', 'connected', 'first_reading'] as const;

function createClaim(call: Call): Answer {
  const body = bodyOf<{ expires_in_s?: number; device_serial?: string; type_id?: string; site_id?: string; name?: string; tags?: Record<string, string> }>(call);
  const now = Date.now();
  const id = makeId('clm', call.state.random);
  const claim: Claim = {
    id,
    state: 'open',
    device_serial: body.device_serial ?? null,
    type_id: body.type_id ?? null,
    site_id: body.site_id ?? null,
    name: body.name ?? null,
    tags: body.tags ?? {},
    device_id: null,
    created_by: call.state.session().actor.id,
    created_at: iso(now),
    expires_at: iso(now + (body.expires_in_s ?? 3600) * 1000),
    progress: kSteps.map((step, i) => ({ step, at: i === 0 ? iso(now) : null, detail: null, error: null })),
  };
  const secret = `hfc_${makeId('x', call.state.random).slice(2).toLowerCase()}`;
  const code = `hf1.${Buffer.from(`${secret}${hex(48, call.state.random)}`).toString('base64url')}`;
  const created = { id, claim: secret, code, expires_at: claim.expires_at };
  call.state.claims.set(id, { claim, created });
  call.state.after(call.state.options.stepMs * 2, () => call.state.join(id));
  return made(created);
}

const kClaims: Route[] = [
  route('POST', '/v1/claims', createClaim),
  route('GET', '/v1/claims/{id}', (c) => {
    const entry = c.state.claims.get(c.params[0] ?? '');
    return entry ? ok(entry.claim) : gone();
  }),
  route('DELETE', '/v1/claims/{id}', (c) => {
    const entry = c.state.claims.get(c.params[0] ?? '');
    if (!entry) return gone();
    if (entry.claim.state === 'spent') return problem(409, 'claim-spent', 'The claim is spent');
    entry.claim.state = 'revoked';
    c.state.tellClaim(entry.claim.id);
    return { status: 204 };
  }),
  route('GET', '/v1/claims/{id}/progress', (c) => {
    const id = c.params[0] ?? '';
    if (!c.state.claims.has(id)) return gone();
    c.response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
    c.state.followClaim(id, c.response);
    return null;
  }),
  route('GET', '/v1/agent', () =>
    ok({
      version: '1.0.0',
      platforms: [{ platform: 'linux-x86_64', path: '/agent/linux-x86_64/holdfast-agent', sha256: 'a3'.repeat(32), size_bytes: 4_812_304 }],
      device_url: 'https://192.0.2.10:8444',
      ca_fingerprint_sha256: '5f'.repeat(32),
      instructions: [
        {
          platform: 'linux-x86_64',
          title: 'Fetches the agent from this server, checks it, and joins.',
          commands: [
            'curl -fsSk https://192.0.2.10:8444/agent/linux-x86_64/holdfast-agent -o holdfast-agent',
            `echo '${'a3'.repeat(32)}  holdfast-agent' | sha256sum -c`,
            'install -m 755 holdfast-agent /usr/local/bin/',
            'holdfast-agent join - <<< {code}',
          ],
        },
        { platform: 'any', title: 'Own MQTT client', commands: ['curl --user claim:{claim} https://192.0.2.10:8444/.well-known/est/simpleenroll …'] },
      ],
    }),
  ),
];

function saveSite(call: Call, site: Site): Answer {
  Object.assign(site, bodyOf<Partial<Site>>(call), { updated_at: iso(Date.now()), revision: site.revision + 1 });
  return ok(site, tagged(site.revision));
}

const kSites: Route[] = [
  route('GET', '/v1/types', (c) => ok({ items: c.state.fleet.types, next_cursor: null, total_estimate: c.state.fleet.types.length })),
  route('GET', '/v1/sites', (c) => ok({ items: c.state.fleet.sites, next_cursor: null, total_estimate: c.state.fleet.sites.length })),
  route('POST', '/v1/sites', (c) => {
    const { name, description } = bodyOf<{ name: string; description?: string }>(c);
    if (c.state.fleet.sites.some((s) => s.name === name)) return problem(409, 'already-exists', 'The name is taken', { mend: 'Choose another name.' });
    const at = iso(Date.now());
    const site: Site = { id: makeId('site', c.state.random), name, description: description ?? '', device_count: 0, created_at: at, updated_at: at, revision: 1 };
    c.state.fleet.sites.push(site);
    c.state.record('create_site', site.id, null, { name });
    return made(site, tagged(1));
  }),
  route('PATCH', '/v1/sites/{id}', (c) => {
    const site = c.state.fleet.sites.find((s) => s.id === c.params[0]);
    return site ? saveSite(c, site) : gone();
  }),
  route('DELETE', '/v1/sites/{id}', (c) => {
    c.state.fleet.sites = c.state.fleet.sites.filter((s) => s.id !== c.params[0]);
    return { status: 204 };
  }),
];

const kAudit: Route[] = [
  route('GET', '/v1/audit', (c) => {
    const object = c.query.get('object');
    const from = c.query.get('from_seq');
    const to = c.query.get('to_seq');
    const items = c.state.audit
      .filter((e) => (!object || e.object === object) && (from === null || e.seq >= Number(from)) && (to === null || e.seq <= Number(to)))
      .reverse();
    return ok({ items: items.slice(0, Number(c.query.get('limit') ?? 100)), next_cursor: null, total_estimate: items.length });
  }),
];

export const kRoutes: Route[] = [...kSession, ...kDevices, ...kControl, ...kClaims, ...kSites, ...kAudit];
