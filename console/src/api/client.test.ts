// The one way to the server: every outcome is data or a ProblemError, whatever the other side does.
import { afterEach, describe, expect, it, vi } from 'vitest';
import { client, done, etag, intent, must, whenSignedOut } from './client';
import { fieldError, isTransient, ProblemError, toProblem, unreachable } from './problem';

const answers: ((request: Request) => Response | Promise<Response>)[] = [];
const asked: Request[] = [];

/** Stands for the browser's fetch: gives the answers that were prepared, in order. */
function fakeFetch(request: Request): Promise<Response> {
  asked.push(request);
  const answer = answers.shift();
  if (!answer) throw new Error('no answer was prepared');
  return Promise.resolve().then(() => answer(request));
}
const base = { baseUrl: 'http://localhost', fetch: fakeFetch };

afterEach(() => {
  answers.length = 0;
  asked.length = 0;
  whenSignedOut(() => undefined);
});

const json = (status: number, body: unknown, headers: Record<string, string> = {}) => () =>
  new Response(JSON.stringify(body), {
    status,
    headers: { 'Content-Type': status < 400 ? 'application/json' : 'application/problem+json', ...headers },
  });

const problem = (status: number, code: string, more = {}) => ({ type: `/problems/${code}`, title: code, status, code, request_id: 'req_1', ...more });

async function caught(work: Promise<unknown>): Promise<ProblemError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof ProblemError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

const session = () => must(client.GET('/v1/session', base));

describe('an answer', () => {
  it('is its data', async () => {
    answers.push(json(200, { open: true }));
    expect(await must(client.GET('/v1/setup', base))).toEqual({ open: true });
  });
  it('without a body is nothing', async () => {
    answers.push(() => new Response(null, { status: 204 }));
    await expect(done(client.DELETE('/v1/session', base))).resolves.toBeUndefined();
    expect(asked[0]?.headers.get('x-holdfast-csrf')).toBe('1');
  });
  it('repeats array parameters, as the contract explodes them', async () => {
    answers.push(json(200, { items: [], next_cursor: null }));
    await must(client.GET('/v1/devices', { ...base, params: { query: { state: ['active', 'enrolled'], tag: ['a=b'], limit: 5 } } }));
    expect(asked[0]?.url).toBe('http://localhost/v1/devices?state=active&state=enrolled&tag=a%3Db&limit=5');
  });
});

describe('a problem', () => {
  it('is thrown with all that the server said', async () => {
    answers.push(json(403, problem(403, 'forbidden', { permission: 'device.write', mend: 'ask' })));
    const error = await caught(session());
    expect([error.status, error.code, error.problem.permission, error.problem.mend]).toEqual([403, 'forbidden', 'device.write', 'ask']);
  });
  it('from a proxy, which knows no problems, keeps status and request id', async () => {
    answers.push(() => new Response('<h1>Bad gateway</h1>', { status: 502, headers: { 'X-Request-Id': 'req_9' } }));
    const error = await caught(session());
    expect([error.status, error.code, error.problem.request_id]).toEqual([502, 'unexpected-answer', 'req_9']);
    expect(isTransient(error)).toBe(true);
  });
  it('of a field is found by its pointer', () => {
    const error = new ProblemError(problem(422, 'invalid-argument', { errors: [{ pointer: '/name', code: 'invalid-argument', message: 'too long' }] }));
    expect(fieldError(error, '/name')).toBe('too long');
    expect(fieldError(error, '/other')).toBeUndefined();
    expect(fieldError(new Error('x'), '/name')).toBeUndefined();
  });
  it('is no problem when it is something else', () => {
    const response = new Response(null, { status: 500 });
    for (const body of [null, undefined, 'text', 5, { title: 5, code: 'x' }]) {
      expect(toProblem(body, response).code).toBe('unexpected-answer');
    }
  });
});

describe('no answer', () => {
  it('is told as such, and may be tried again', async () => {
    answers.push(() => Promise.reject(new TypeError('Failed to fetch')));
    const error = await caught(session());
    expect([error.status, error.code]).toEqual([0, 'unreachable']);
    expect(isTransient(error)).toBe(true);
    expect(isTransient(new ProblemError(problem(409, 'conflict')))).toBe(false);
  });
  it('in time says so', () => {
    expect(unreachable(new DOMException('slow', 'TimeoutError')).problem.detail).toBe('No answer in time.');
    expect(unreachable('odd').problem.detail).toBeUndefined();
  });
});

describe('401', () => {
  it('tells the frame that the session is over', async () => {
    const told = vi.fn();
    whenSignedOut(told);
    answers.push(json(401, problem(401, 'unauthenticated')));
    expect((await caught(session())).status).toBe(401);
    expect(told).toHaveBeenCalledTimes(1);
  });
  it('of a wrong password does not', async () => {
    const told = vi.fn();
    whenSignedOut(told);
    answers.push(json(401, problem(401, 'unauthenticated')));
    await caught(must(client.POST('/v1/session', { ...base, body: { name: 'a', password: 'b' } })));
    expect(told).not.toHaveBeenCalled();
  });
});

it('each intent has a key of its own, and a revision is quoted', () => {
  expect(intent()['Idempotency-Key']).not.toBe(intent()['Idempotency-Key']);
  expect(etag(7)).toBe('"7"');
});
