// What a page says when it has nothing, waits, fails, or shows what may be old.
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { ProblemError, unreachable } from '../api/problem';
import { ago } from '../lib/format';
import { heardAt, liveState } from '../state/live';
import { now } from '../state/now';
import { Button } from './basics';

/** One sentence, one button. */
export function Empty({ text, children }: { text: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <p>{text}</p>
      {children}
    </div>
  );
}

/** A problem in place: what, why, the mend, and the id to find it in the log. */
export function ProblemView({ error, retry }: { error: unknown; retry?: () => void }) {
  const problem = (error instanceof ProblemError ? error : unreachable(error)).problem;
  return (
    <div class="problem" role="alert">
      <p class="what">{problem.title}</p>
      {problem.detail && problem.detail !== problem.title ? <p>{problem.detail}</p> : null}
      {problem.permission ? (
        <p>
          Missing permission: <code>{problem.permission}</code>
        </p>
      ) : null}
      {problem.mend ? <p class="faint">{problem.mend}</p> : null}
      {problem.request_id ? (
        <p class="faint">
          Request <code>{problem.request_id}</code>
        </p>
      ) : null}
      {retry ? <Button onClick={retry}>Try again</Button> : null}
    </div>
  );
}

/** Nothing at first: a wait that is over in a third of a second should not flicker. */
export function Waiting({ text = 'Loading' }: { text?: string }) {
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), 300);
    return () => clearTimeout(timer);
  }, []);
  return (
    <p class="waiting" role="status">
      {late ? `${text} …` : ''}
    </p>
  );
}

/** "live, 2 s ago": whether what is shown is what is so. */
export function LiveMark() {
  const state = liveState.value;
  const heard = heardAt.value === null ? null : ago(heardAt.value, now.value);
  if (state === 'live') {
    return (
      <span class="live-mark">
        <span class="dot on" aria-hidden="true" />
        <span>
          live<span class="wide-only">, {heard ?? 'now'}</span>
        </span>
      </span>
    );
  }
  const text =
    state === 'forbidden'
      ? 'not live: no permission'
      : state === 'stale'
        ? `reconnecting, as of ${heard ?? 'before'}`
        : 'connecting';
  return (
    <span class={`live-mark ${state === 'connecting' ? '' : 'stale'}`} role="status">
      <span class="dot off" aria-hidden="true" />
      {text}
    </span>
  );
}
