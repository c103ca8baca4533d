// How far a new device has come, as steps in words. Pure.
import type { Claim } from '../api/types';
import { clockSeconds, duration, millis } from './format';

type Progress = Claim['progress'][number];
export type StepKey = Progress['step'];
export type StepState = 'done' | 'current' | 'failed' | 'open';

export interface Step {
  key: StepKey;
  title: string;
  state: StepState;
  /** When it was reached, or how long it takes so far; '' when it is not its turn. */
  when: string;
  detail: string | null;
  error: Progress['error'];
}

const kTitles: Record<StepKey, { done: string; current: string; hint: string }> = {
  code_shown: { done: 'Code shown', current: 'Making the code', hint: '' },
  claimed: { done: 'Claimed', current: 'Waiting for the device', hint: 'it has not used the code yet' },
  certificate_issued: { done: 'Certificate issued', current: 'Issuing the certificate', hint: 'checking its key' },
  connected: { done: 'Connected', current: 'Connecting', hint: 'it has a certificate, waiting for its connection' },
  first_reading: { done: 'First reading', current: 'Waiting for the first reading', hint: 'connected, nothing measured yet' },
};

function isOver(claim: Claim): boolean {
  return claim.state === 'expired' || claim.state === 'revoked';
}

function stepOf(step: Progress, state: StepState, sinceMs: number | null, now: number): Step {
  const titles = kTitles[step.step];
  const done = step.at !== null;
  const waiting = state === 'current' || state === 'failed';
  return {
    key: step.step,
    title: done ? titles.done : waiting ? titles.current : titles.done,
    state,
    when: step.at !== null ? clockSeconds(millis(step.at)) : waiting && sinceMs !== null ? duration(now - sinceMs) : '',
    detail: done ? step.detail : waiting && !step.error ? titles.hint : null,
    error: done ? null : (step.error ?? null),
  };
}

/** All steps; the first that is not reached is the one that is waited for. */
export function steps(claim: Claim, now: number): Step[] {
  let since: number | null = millis(claim.created_at);
  let found = false;
  return claim.progress.map((step) => {
    let state: StepState = 'open';
    if (step.at !== null) state = 'done';
    else if (!found && !isOver(claim)) {
      found = true;
      state = step.error ? 'failed' : 'current';
    } else if (!found && step.error) {
      found = true;
      state = 'failed';
    }
    const result = stepOf(step, state, since, now);
    if (step.at !== null) since = millis(step.at);
    return result;
  });
}

export function isDone(claim: Claim): boolean {
  return claim.progress.every((s) => s.at !== null);
}

function reached(claim: Claim): number {
  return claim.progress.filter((s) => s.at !== null).length;
}

/** Of what was read and what the stream told: the one that is further, else what was read. */
export function further(read: Claim, told: Claim | undefined): Claim {
  return told && reached(told) > reached(read) ? told : read;
}

/** The panel's heading. */
export function headline(claim: Claim, deviceName: string | null): string {
  if (isDone(claim)) return `${deviceName ?? 'The device'} is here`;
  if (claim.state === 'expired') return 'The code has expired';
  if (claim.state === 'revoked') return 'The code was revoked';
  const failed = claim.progress.find((s) => s.at === null)?.error;
  return failed ? 'It did not work yet' : 'Waiting for the device';
}
