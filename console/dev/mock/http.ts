// The mock's face to the browser: session and CSRF as the contract wants them, problems, streams.
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { kRoutes, type Answer, type Call } from './routes.ts';
import type { MockState } from './state.ts';

export interface Seen {
  method: string;
  path: string;
  status: number;
  contentType: string;
  body: unknown;
}

const kBodyMax = 1 << 20;

async function readBody(request: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const piece of request) {
    text += String(piece);
    if (text.length > kBodyMax) throw new Error('body too large');
  }
  return text === '' ? null : JSON.parse(text);
}

export function problem(status: number, code: string, title: string, more: Record<string, unknown> = {}): Answer {
  const request_id = `req_${randomUUID()}`;
  return { status, body: { type: `/problems/${code}`, title, status, code, request_id, ...more } };
}

function cookieOf(request: IncomingMessage): string {
  return request.headers.cookie?.match(/__Host-holdfast=([^;]+)/)?.[1] ?? '';
}

function guard(state: MockState, request: IncomingMessage, path: string): Answer | null {
  const open = path === '/v1/setup' || (path === '/v1/session' && request.method === 'POST');
  if (!open && !state.sessions.has(cookieOf(request))) return problem(401, 'unauthenticated', 'Sign in first', { mend: 'Sign in.' });
  const changes = request.method !== 'GET' && request.method !== 'HEAD';
  if (changes && request.headers['x-holdfast-csrf'] !== '1') return problem(403, 'csrf', 'The request does not come from the console');
  return null;
}

async function answerOf(state: MockState, request: IncomingMessage, response: ServerResponse, url: URL): Promise<Answer | null> {
  const refused = guard(state, request, url.pathname);
  if (refused) return refused;
  for (const route of kRoutes) {
    if (route.method !== request.method) continue;
    const match = url.pathname.match(route.pattern);
    if (!match) continue;
    const body = request.method === 'GET' || request.method === 'DELETE' ? null : await readBody(request);
    const call: Call = { state, params: match.slice(1).map(decodeURIComponent), query: url.searchParams, body, request, response };
    return route.handle(call);
  }
  return problem(404, 'not-found', 'There is no such thing');
}

/** Answers /v1 calls; false when the path is not the mock's. */
export async function handle(
  state: MockState, request: IncomingMessage, response: ServerResponse, onSeen?: (seen: Seen) => void,
): Promise<boolean> {
  const url = new URL(request.url ?? '/', 'http://localhost');
  if (!url.pathname.startsWith('/v1/')) return false;
  if (state.down) {
    request.socket.destroy();
    return true;
  }
  while (state.held?.test(url.pathname)) await new Promise((resolve) => setTimeout(resolve, 20));
  const broken = state.broken?.path.test(url.pathname) ? state.broken : null;
  const answer = broken
    ? problem(broken.status, broken.code, broken.title, { mend: 'Try again; if it stays, look at the log.' })
    : await answerOf(state, request, response, url);
  if (answer === null) return true;
  const contentType = answer.status >= 400 ? 'application/problem+json' : 'application/json';
  const headers: Record<string, string> = { 'X-Request-Id': randomUUID(), 'Cache-Control': 'no-store', ...answer.headers };
  if (answer.body !== undefined) headers['Content-Type'] = contentType;
  response.writeHead(answer.status, headers);
  response.end(answer.body === undefined ? undefined : JSON.stringify(answer.body));
  onSeen?.({ method: request.method ?? 'GET', path: url.pathname, status: answer.status, contentType, body: answer.body });
  return true;
}
