import { describe, expect, it } from 'vitest';
import { claim, kNow } from '../../test/samples';
import { further, headline, isDone, steps } from './progress';

const error = { code: 'csr-key-weak', message: 'too short', mend: 'make a longer one', at: '2026-03-12T13:02:00Z' };

describe('steps', () => {
  it('wait for the first that is not reached, and say for how long', () => {
    const list = steps(claim(2), kNow);
    expect(list.map((s) => s.state)).toEqual(['done', 'done', 'current', 'open', 'open']);
    expect(list[1]).toMatchObject({ title: 'Claimed', when: '14:01:21', detail: 'detail 1' });
    expect(list[2]).toMatchObject({ title: 'Issuing the certificate', when: '50 s' });
    expect(list[3]).toMatchObject({ title: 'Connected', when: '', detail: null });
  });
  it('show a failure in its place, with the mend', () => {
    const failed = claim(2);
    failed.progress[2]!.error = error;
    const list = steps(failed, kNow);
    expect(list.map((s) => s.state)).toEqual(['done', 'done', 'failed', 'open', 'open']);
    expect(list[2]?.error?.mend).toBe('make a longer one');
    expect(headline(failed, null)).toBe('It did not work yet');
  });
  it('forget a failure that was overcome', () => {
    const mended = claim(3);
    mended.progress[2]!.error = error;
    expect(steps(mended, kNow)[2]).toMatchObject({ state: 'done', error: null });
    expect(headline(mended, null)).toBe('Waiting for the device');
  });
  it('wait for nothing once the code is over', () => {
    const expired = claim(1, { state: 'expired' });
    expect(steps(expired, kNow).map((s) => s.state)).toEqual(['done', 'open', 'open', 'open', 'open']);
    expect(headline(expired, null)).toBe('The code has expired');
    expect(headline(claim(1, { state: 'revoked' }), null)).toBe('The code was revoked');
  });
  it('still show why a code that is over failed', () => {
    const expired = claim(2, { state: 'expired' });
    expired.progress[2]!.error = error;
    expect(steps(expired, kNow)[2]?.state).toBe('failed');
  });
  it('never go back when an answer is older than the stream', () => {
    const [read, told] = [claim(2), claim(3)];
    expect(further(read, told)).toBe(told);
    expect(further(told, read)).toBe(told);
    expect(further(read, undefined)).toBe(read);
    const revoked = claim(2, { state: 'revoked' });
    expect(further(revoked, claim(2))).toBe(revoked);
  });
  it('end with the first reading', () => {
    expect(isDone(claim(5))).toBe(true);
    expect(isDone(claim(4))).toBe(false);
    expect(headline(claim(5), 'cam-h128')).toBe('cam-h128 is here');
    expect(headline(claim(5), null)).toBe('The device is here');
  });
});
