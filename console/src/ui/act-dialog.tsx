// The dialog of an act on one or many devices: first what will be touched and what will not, and why;
// then how far it is; at the end what failed, each with its reason.
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { ProblemError } from '../api/problem';
import type { Device } from '../api/types';
import { plural } from '../lib/format';
import { runAll, type Act, type Outcome } from '../state/acts';
import { Button } from './basics';
import { Dialog, DialogFoot } from './dialog';

interface Props {
  title: string;
  devices: Device[];
  /** null while it is not known what to do. */
  act: Act | null;
  /** The form is complete. */
  ready?: boolean;
  /** What the act means, once, in a sentence. */
  effect: ComponentChildren;
  button: string;
  danger?: boolean;
  onClose: (outcome: Outcome | null) => void;
  children: ComponentChildren;
}

/** Names in a sentence; the rest as a number. */
const kNamedMax = 6;

function names(devices: Device[]): string {
  const shown = devices.slice(0, kNamedMax).map((d) => d.name);
  const rest = devices.length - shown.length;
  return rest > 0 ? `${shown.join(', ')} and ${rest} more` : shown.join(', ');
}

function Plan({ act, devices }: { act: Act; devices: Device[] }) {
  const touched = devices.filter((d) => act.skip(d) === null);
  const reasons = new Map<string, Device[]>();
  for (const device of devices) {
    const why = act.skip(device);
    if (why) reasons.set(why, [...(reasons.get(why) ?? []), device]);
  }
  if (devices.length === 1 && reasons.size === 0) return null;
  return (
    <dl class="plan">
      <dt>Touched</dt>
      <dd>{touched.length === 0 ? 'none' : `${plural(touched.length, 'device')}: ${names(touched)}`}</dd>
      {[...reasons].map(([why, list]) => (
        <div key={why} class="plan-row">
          <dt>Left alone</dt>
          <dd>
            {names(list)}: {why}
          </dd>
        </div>
      ))}
    </dl>
  );
}

function failure(error: unknown): string {
  if (!(error instanceof ProblemError)) return 'failed';
  return error.problem.detail ?? error.problem.title;
}

export function ActDialog({ title, devices, act, effect, button, danger = false, ready = true, onClose, children }: Props) {
  const [finished, setFinished] = useState<number | null>(null);
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  const touched = act ? devices.filter((d) => act.skip(d) === null) : [];
  const submit = async (e: Event) => {
    e.preventDefault();
    if (!act || !ready || touched.length === 0) return;
    setFinished(0);
    const result = await runAll(act, touched, setFinished);
    setFinished(null);
    if (result.failed.length === 0) onClose(result);
    else setOutcome(result);
  };
  if (outcome) {
    return (
      <Dialog title={title} onClose={() => onClose(outcome)}>
        <p>
          {plural(outcome.done.length, 'device')} done, {outcome.failed.length} not:
        </p>
        <ul class="failures" role="alert">
          {outcome.failed.map((f) => (
            <li key={f.device.id}>
              <b>{f.device.name}</b>: {failure(f.error)}
            </li>
          ))}
        </ul>
        <div class="dialog-foot">
          <Button kind="primary" onClick={() => onClose(outcome)}>
            Close
          </Button>
        </div>
      </Dialog>
    );
  }
  return (
    <Dialog title={title} onClose={() => onClose(null)}>
      <form onSubmit={(e) => void submit(e)}>
        <p class="note">{effect}</p>
        {children}
        {act ? <Plan act={act} devices={devices} /> : null}
        {finished !== null ? (
          <p role="status">
            {finished} of {touched.length}
          </p>
        ) : null}
        <DialogFoot
          act={button}
          kind={danger ? 'danger' : 'primary'}
          busy={finished !== null}
          disabled={!ready || touched.length === 0}
          onClose={() => onClose(null)}
        />
      </form>
    </Dialog>
  );
}
