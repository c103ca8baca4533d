// The one way to the server: typed by the contract, same origin, cookie session. Every call either
// gives its data or throws a ProblemError; nothing else ever leaves this file.
import createClient, { type Middleware } from 'openapi-fetch';
import type { paths } from '../generated/contract';
import { ProblemError, toProblem, unreachable } from './problem';

/** A request that has no answer after this time counts as unreachable; long polls are not made here. */
const kAnswerMaxMs = 30_000;

export const client = createClient<paths>({
  credentials: 'same-origin',
  headers: { 'X-Holdfast-CSRF': '1' },
});

/** Called with every 401, so that the frame can show sign-in at once. */
let onSignedOut: () => void = () => undefined;
export function whenSignedOut(handler: () => void): void {
  onSignedOut = handler;
}

const guard: Middleware = {
  onRequest({ request }) {
    return new Request(request, { signal: AbortSignal.any([request.signal, AbortSignal.timeout(kAnswerMaxMs)]) });
  },
  onResponse({ response, request }) {
    // Sign-in itself answers 401 for a wrong password: that is the form's business.
    const signingIn = request.method === 'POST' && /\/v1\/(session|setup)$/.test(request.url);
    if (response.status === 401 && !signingIn) onSignedOut();
  },
  onError({ error }) {
    if (error instanceof DOMException && error.name === 'AbortError') return error;
    return unreachable(error);
  },
};
client.use(guard);

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The data of an answer, or its problem thrown. */
export async function must<T>(call: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await call;
  if (!response.ok || error !== undefined) throw toProblem(error, response);
  return data as T;
}

/** As must(), for answers without a body. */
export async function done(call: Promise<Answer<unknown>>): Promise<void> {
  const { error, response } = await call;
  if (!response.ok) throw toProblem(error, response);
}

export const mergePatch = { 'Content-Type': 'application/merge-patch+json' } as const;

/** A header for one intent: a repeat of the same call by the browser does it once. */
export function intent(): { 'Idempotency-Key': string } {
  return { 'Idempotency-Key': crypto.randomUUID() };
}

export function etag(revision: number): string {
  return `"${revision}"`;
}

export { ProblemError };
