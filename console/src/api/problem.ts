// Every failure that a page can meet, as one class: what the server answered (RFC 9457), or that it
// did not answer at all.
import type { Problem } from './types';

export class ProblemError extends Error {
  readonly problem: Problem;
  constructor(problem: Problem) {
    super(problem.detail ?? problem.title);
    this.name = 'ProblemError';
    this.problem = problem;
  }
  get code(): string {
    return this.problem.code;
  }
  get status(): number {
    return this.problem.status;
  }
}

/** No answer came: status 0 keeps it apart from everything that a server can say. */
export function unreachable(cause: unknown): ProblemError {
  const detail = cause instanceof Error && cause.name === 'TimeoutError' ? 'No answer in time.' : undefined;
  return new ProblemError({
    type: 'about:blank',
    title: 'The server cannot be reached',
    status: 0,
    code: 'unreachable',
    request_id: '',
    mend: 'Check that the server runs and that this machine reaches it.',
    ...(detail ? { detail } : {}),
  });
}

/** What a response without a problem document means; a proxy in between may answer so. */
export function fromStatus(status: number, requestId: string): ProblemError {
  return new ProblemError({
    type: 'about:blank',
    title: `The server answered ${status}`,
    status,
    code: 'unexpected-answer',
    request_id: requestId,
    mend: 'Try again; if it stays, look at the server\'s log.',
  });
}

function isProblem(value: unknown): value is Problem {
  if (typeof value !== 'object' || value === null) return false;
  const candidate = value as Record<string, unknown>;
  return typeof candidate['title'] === 'string' && typeof candidate['code'] === 'string';
}

export function toProblem(body: unknown, response: Response): ProblemError {
  if (isProblem(body)) return new ProblemError(body);
  return fromStatus(response.status, response.headers.get('x-request-id') ?? '');
}

/** The message for one form field, found by its JSON pointer. */
export function fieldError(error: unknown, pointer: string): string | undefined {
  if (!(error instanceof ProblemError)) return undefined;
  return error.problem.errors?.find((e) => e.pointer === pointer)?.message;
}

/** Worth another attempt without a person: nothing was decided yet. */
export function isTransient(error: unknown): boolean {
  return error instanceof ProblemError && (error.status === 0 || error.status >= 502);
}
