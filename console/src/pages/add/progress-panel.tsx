// What really happens, step by step, with times; a step that fails shows its reason and the mend.
import { Link } from 'wouter-preact';
import type { Claim } from '../../api/types';
import { headline, isDone, steps, type Step } from '../../lib/progress';
import { now } from '../../state/now';
import { useDevice } from '../../state/queries';
import { ButtonLink } from '../../ui/basics';

const kSigns = { done: 'done', current: 'in progress', failed: 'failed', open: 'not yet' } as const;

function Sign({ state }: { state: Step['state'] }) {
  return (
    <svg class={`sign ${state}`} viewBox="0 0 12 12" width="12" height="12" role="img" aria-label={kSigns[state]}>
      {state === 'done' ? (
        <path d="M1.5 6.5l3 3 6-7" fill="none" />
      ) : state === 'failed' ? (
        <path d="M2 2l8 8M10 2l-8 8" fill="none" />
      ) : (
        <circle cx="6" cy="6" r="4.5" />
      )}
    </svg>
  );
}

function StepRow({ step }: { step: Step }) {
  return (
    <li class={`step ${step.state}`} aria-current={step.state === 'current' || step.state === 'failed' ? 'step' : undefined}>
      <Sign state={step.state} />
      <div class="step-text">
        <p class="step-title">{step.title}</p>
        {step.detail ? <p class="faint break">{step.detail}</p> : null}
        {step.error ? (
          <div class="step-error" role="alert">
            <p>{step.error.message}</p>
            <p class="faint">{step.error.mend}</p>
          </div>
        ) : null}
      </div>
      <span class="step-when">{step.when}</span>
    </li>
  );
}

/** The steps before there is a code: what will happen. */
export function ProgressPreview() {
  const titles = ['Code shown', 'Claimed', 'Certificate issued', 'Connected', 'First reading'];
  return (
    <section class="panel progress" aria-label="What will happen">
      <h2>What will happen</h2>
      <p class="faint">this page follows the device</p>
      <ol class="steps">
        {titles.map((t) => (
          <li key={t} class="step open">
            <Sign state="open" />
            <p class="step-title">{t}</p>
          </li>
        ))}
      </ol>
    </section>
  );
}

function Arrived({ deviceId }: { deviceId: string }) {
  return (
    <div class="arrived">
      <ButtonLink href={`/devices/${deviceId}`} kind="primary">
        Open the device
      </ButtonLink>
      <ButtonLink href="/add">Add another</ButtonLink>
    </div>
  );
}

function Named({ claim, deviceId }: { claim: Claim; deviceId: string }) {
  const name = useDevice(deviceId).data?.name ?? null;
  return <>{headline(claim, name)}</>;
}

export function ProgressPanel({ claim, canRead }: { claim: Claim; canRead: boolean }) {
  const over = claim.state === 'expired' || claim.state === 'revoked';
  return (
    <section class={`panel progress${isDone(claim) ? ' arrived-panel' : ''}`} aria-label="Progress of the device">
      <h2 aria-live="polite">
        {claim.device_id && canRead ? <Named claim={claim} deviceId={claim.device_id} /> : headline(claim, null)}
      </h2>
      <p class="faint">follows what really happens</p>
      <ol class="steps">
        {steps(claim, now.value).map((s) => (
          <StepRow key={s.key} step={s} />
        ))}
      </ol>
      {isDone(claim) && claim.device_id ? <Arrived deviceId={claim.device_id} /> : null}
      {over ? (
        <p>
          <Link href="/add">Make a new code</Link>
        </p>
      ) : null}
    </section>
  );
}
