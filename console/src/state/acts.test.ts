// Acts on many devices: whom they leave alone and why, how many run at once, what failed.
import { describe, expect, it } from 'vitest';
import { ProblemError } from '../api/problem';
import { certificate, device } from '../../test/samples';
import { moveAct, quarantineAct, releaseAct, revokeAct, runAll, tagAct, untagAct, type Act } from './acts';

const quarantine = { since: '2026-03-12T13:00:00Z', reason: 'odd', by: 'usr_1' };
const quarantined = device({ state: 'quarantined', quarantine });

describe('left alone', () => {
  it.each<[string, Act, ReturnType<typeof device>, string | null]>([
    ['quarantine of an active one', quarantineAct('x'), device(), null],
    ['quarantine of a quarantined one', quarantineAct('x'), quarantined, 'is quarantined already'],
    ['quarantine of a decommissioned one', quarantineAct('x'), device({ state: 'decommissioned' }), 'is decommissioned'],
    ['release of a quarantined one', releaseAct(''), quarantined, null],
    ['release of an active one', releaseAct(''), device(), 'is not quarantined'],
    ['release of a revoked one', releaseAct(''), device({ state: 'quarantined', quarantine: { ...quarantine, revoked: true } }),
      'has revoked certificates: it enrols again with a new code'],
    ['revoke', revokeAct('x'), device({ certificate: certificate() }), null],
    ['revoke without a certificate', revokeAct('x'), device({ certificate: null }), 'has no certificate'],
    ['move to where it is', moveAct({ id: 'site_1', name: 'Hall 4' }), device({ site_id: 'site_1' }), 'is there already'],
    ['move away from any site', moveAct(null), device({ site_id: 'site_1' }), null],
    ['the same tag', tagAct('line', '3'), device(), 'has this tag already'],
    ['another value', tagAct('line', '4'), device(), null],
    ['a tag that is not there', untagAct('north'), device(), 'does not have this tag'],
    ['a tag that is there', untagAct('line'), device(), null],
  ])('%s', (_name, act, subject, why) => expect(act.skip(subject)).toBe(why));
});

describe('running', () => {
  const fleet = Array.from({ length: 25 }, (_, i) => device({ id: `dev_${i}`, name: `d${i}` }));
  const act = (run: Act['run']): Act => ({ verb: 'Test', permission: 'device.write', skip: () => null, run });

  it('goes a few at a time, and counts each step', async () => {
    let open = 0;
    let most = 0;
    const counted: number[] = [];
    const outcome = await runAll(
      act(async (d) => {
        most = Math.max(most, ++open);
        await new Promise((go) => setImmediate(go));
        open -= 1;
        return d;
      }),
      fleet,
      (n) => counted.push(n),
    );
    expect(outcome.done.map((d) => d.id).sort()).toEqual(fleet.map((d) => d.id).sort());
    expect(most).toBe(4);
    expect(counted).toEqual(fleet.map((_, i) => i + 1));
  });

  it('does not stop at a failure, and says which failed', async () => {
    const broken = new ProblemError({ type: 'x', title: 'conflict', status: 409, code: 'conflict', request_id: 'r' });
    const outcome = await runAll(
      act((d) => (Number(d.id.slice(4)) % 5 === 0 ? Promise.reject(broken) : Promise.resolve(d))),
      fleet,
      () => undefined,
    );
    expect(outcome.done).toHaveLength(20);
    expect(outcome.failed.map((f) => [f.device.id, f.error])).toEqual(
      ['dev_0', 'dev_5', 'dev_10', 'dev_15', 'dev_20'].map((id) => [id, broken]),
    );
  });

  it('of nothing does nothing', async () => {
    expect(await runAll(act(() => Promise.reject(new Error('never'))), [], () => undefined)).toEqual({ done: [], failed: [] });
  });
});
