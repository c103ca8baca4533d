// The mock is only worth something while it speaks the contract: every answer that it gives here is checked
// against openapi.yaml, and every call that the console makes is answered.
import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { serveMock, type MockServer } from '../dev/mock/serve';

type Json = Record<string, unknown>;
const contract = parse(readFileSync(new URL('../../contract/openapi.yaml', import.meta.url), 'utf8')) as {
  paths: Record<string, Record<string, { responses: Record<string, Json> }>>;
};
const ajv = new Ajv2020({ strict: false, allErrors: true });
addFormats.default(ajv);
ajv.addSchema(contract, 'contract');

const pointer = (...parts: string[]) => parts.map((p) => encodeURIComponent(p.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/');

function operationOf(path: string): string {
  const hits = Object.keys(contract.paths)
    .filter((p) => new RegExp(`^${p.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(path))
    .sort((a, b) => a.split('{').length - b.split('{').length);
  return hits[0] ?? '';
}

/** What is wrong with an answer, as text; '' when it is as the contract says. */
function check(method: string, path: string, status: number, body: unknown): string {
  const template = operationOf(path);
  const operation = contract.paths[template]?.[method.toLowerCase()];
  if (!operation) return `${method} ${path} is not in the contract`;
  const key = [String(status), `${Math.floor(status / 100)}XX`].find((k) => k in operation.responses);
  if (!key) return `${method} ${path} may not answer ${status}`;
  const ref = operation.responses[key]?.['$ref'] as string | undefined;
  const base = ref ? ref.slice(2) : pointer('paths', template, method.toLowerCase(), 'responses', key);
  const type = status >= 400 ? 'application/problem+json' : 'application/json';
  if (body === undefined) return '';
  const validate = ajv.compile({ $ref: `contract#/${base}/content/${pointer(type)}/schema` });
  return validate(body) ? '' : `${method} ${path} ${status}: ${ajv.errorsText(validate.errors)}`;
}

let server: MockServer;
let cookie = '';
beforeAll(async () => {
  server = await serveMock({ devices: 40, stepMs: 1, setupSecret: 'once' });
});
afterAll(() => server.close());

async function call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(server.url + path, {
    method,
    headers: { cookie, 'X-Holdfast-CSRF': '1', 'If-Match': '*', ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  cookie = response.headers.get('set-cookie')?.split(';')[0] ?? cookie;
  const text = await response.text();
  return { status: response.status, body: text === '' ? undefined : (JSON.parse(text) as Json) };
}

describe('the mock', () => {
  it('refuses who is not signed in, and a change without the header', async () => {
    expect((await call('GET', '/v1/devices')).status).toBe(401);
    expect((await call('POST', '/v1/session', { name: 'a', password: 'b' }, { 'X-Holdfast-CSRF': '' })).status).toBe(403);
    expect((await call('POST', '/v1/session', { name: 'a', password: 'b' })).status).toBe(401);
  });

  it('answers every operation of the console as the contract says', async () => {
    await call('POST', '/v1/setup', { secret: 'once', name: 'admin', password: 'password1234' });
    await call('POST', '/v1/setup', { secret: 'once', name: 'admin', password: 'correct horse battery' });
    const list = (await call('GET', '/v1/devices?limit=5')).body as { items: { id: string }[]; next_cursor: string };
    await call('GET', `/v1/devices?limit=5&cursor=${list.next_cursor}&sort=-last_seen&online=true`);
    await call('GET', '/v1/devices/facets?state=active&tag=line%3D1');
    const id = list.items[0]!.id;
    for (const part of ['', '/timeline?limit=20', '/metrics', '/twin', '/twin/diff']) await call('GET', `/v1/devices/${id}${part}`);
    await call('GET', `/v1/devices/${id}/telemetry?metric=cpu.usage_percent&bucket_s=60`);
    await call('PATCH', `/v1/devices/${id}`, { name: 'renamed' });
    await call('PATCH', `/v1/devices/${id}`, { name: 'x' }, { 'If-Match': '"0"' });
    await call('PUT', `/v1/devices/${id}/tags/line`, { value: '9' });
    await call('DELETE', `/v1/devices/${id}/tags/line`);
    for (const act of ['quarantine', 'release', 'revoke']) await call('POST', `/v1/devices/${id}/${act}`, { reason: 'test' });
    await call('PUT', `/v1/devices/${id}/twin/desired`, { a: 1 }, { 'If-Match': '"7"' });
    const command = (await call('POST', `/v1/devices/${id}/commands`, { name: 'ping' })).body as { id: string };
    await call('POST', `/v1/commands/${command.id}/cancel`);
    await call('GET', `/v1/commands?device_id=${id}`);
    const site = (await call('POST', '/v1/sites', { name: 'New' })).body as { id: string };
    await call('PATCH', `/v1/sites/${site.id}`, { name: 'Newer' });
    await call('DELETE', `/v1/sites/${site.id}`);
    const claim = (await call('POST', '/v1/claims', { name: 'cam' })).body as { id: string };
    await call('GET', `/v1/claims/${claim.id}`);
    await call('DELETE', `/v1/claims/${claim.id}`);
    for (const path of ['/v1/setup', '/v1/session', '/v1/sites', '/v1/types', '/v1/agent', '/v1/audit?limit=5']) await call('GET', path);
    await call('DELETE', '/v1/session');
    expect(server.seen.length).toBeGreaterThan(35);
    expect(server.seen.map((s) => check(s.method, s.path, s.status, s.body)).filter((t) => t !== '')).toEqual([]);
  });

  it('is caught when it strays', () => {
    expect(check('GET', '/v1/nonsense', 200, {})).toContain('not in the contract');
    expect(check('GET', '/v1/setup', 200, { open: 'yes' })).toContain('must be boolean');
    expect(check('GET', '/v1/setup', 302, {})).toContain('may not answer');
  });
});
