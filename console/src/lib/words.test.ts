import { describe, expect, it } from 'vitest';
import { certificate, device, iso, kNow, presence } from '../../test/samples';
import {
  certificateWords, commandTone, deviceFacts, errorWords, evidenceWords, isFinal, osWords, presenceBrief, presenceWords, reasonWords,
  renewalWords, stateTone,
} from './words';

const kDay = 86_400_000;

describe('presence', () => {
  it('says since when a device is online', () => {
    expect(presenceWords(presence(), kNow)).toEqual({ text: 'online for 1 h', tone: 'ok' });
    expect(presenceWords(presence({ since: null }), kNow).text).toBe('online');
  });
  it('says when and why it went', () => {
    const gone = presence({ online: false, last_disconnect_reason: 'certificate-expired' });
    expect(presenceWords(gone, kNow).text).toBe('offline since 13:02: certificate expired');
  });
  it('falls back to when it was seen last', () => {
    const gone = presence({ online: false, since: null, last_seen: iso(kNow - 2 * kDay) });
    expect(presenceWords(gone, kNow).text).toBe('offline since 10 Mar 14:02');
  });
  it('does not claim that a device went which never came', () => {
    expect(presenceWords(presence({ online: false, since: null, last_seen: null }), kNow).text).toBe('never seen');
  });
  it('is brief in a row', () => {
    expect(presenceBrief(presence(), kNow)).toBe('online for 1 h');
    const gone = presence({ online: false, last_disconnect_reason: 'connection-lost' });
    expect(presenceBrief(gone, kNow)).toBe('offline: connection lost');
    expect(presenceBrief({ ...gone, last_disconnect_reason: null }, kNow)).toBe('offline');
    expect(presenceBrief({ ...gone, since: null, last_seen: null }, kNow)).toBe('never seen');
  });
  it('makes words even of a reason that it does not know', () => {
    expect(reasonWords('connection-lost')).toBe('connection lost');
    expect(reasonWords('quota-of-the-moon')).toBe('quota of the moon');
  });
});

describe('certificate', () => {
  const left = (ms: number, change = {}) => certificateWords(certificate({ not_after: iso(kNow + ms), ...change }), kNow);
  it('tells whole days, and calls for help only when renewal has failed', () => {
    expect(left(61 * kDay)).toEqual({ text: '61 d', tone: 'plain' });
    expect(left(8 * kDay)).toEqual({ text: '8 d', tone: 'plain' });
    expect(left(4.5 * kDay)).toEqual({ text: '4 d left', tone: 'bad' });
    expect(left(3 * 3_600_000)).toEqual({ text: '3 h left', tone: 'bad' });
  });
  it('warns when the device should have renewed two days ago', () => {
    expect(left(30 * kDay, { renews_at: iso(kNow - 3 * kDay) })).toEqual({ text: '30 d left', tone: 'warn' });
    expect(left(30 * kDay, { renews_at: iso(kNow - kDay) }).tone).toBe('plain');
  });
  it('tells what is over', () => {
    expect(left(0)).toEqual({ text: 'expired', tone: 'bad' });
    expect(left(kDay, { state: 'expired' }).text).toBe('expired');
    expect(left(60 * kDay, { state: 'revoked' }).text).toBe('revoked');
    expect(certificateWords(null, kNow)).toEqual({ text: 'none', tone: 'plain' });
  });
  it('tells when renewal is due or late', () => {
    expect(renewalWords(certificate(), kNow)).toEqual({ text: 'in 31 d', tone: 'plain' });
    expect(renewalWords(certificate({ renews_at: iso(kNow - 5 * kDay) }), kNow)).toEqual({ text: 'late by 5 d', tone: 'warn' });
    expect(renewalWords(certificate({ renews_at: null }), kNow).text).toBe('not known');
  });
});

describe('device', () => {
  it('is told in the facts that matter', () => {
    expect(deviceFacts(device(), kNow)).toEqual([
      'online for 1 h', 'Debian GNU/Linux 12', 'software key', 'certificate 61 d', 'holdfast-agent 1.0.0',
    ]);
  });
  it('leaves out what is not known', () => {
    const bare = device({ os: null, agent: null, certificate: null });
    expect(deviceFacts(bare, kNow)).toEqual(['online for 1 h', 'software key', 'no certificate yet']);
  });
  it('takes an operating system only as words', () => {
    expect(osWords(device({ os: { name: { a: 1 } } }))).toBeNull();
    expect(osWords(device({ os: { name: 'OpenWrt' } }))).toBe('OpenWrt');
  });
  it('colours states by what they call for', () => {
    expect(stateTone('active')).toBe('plain');
    expect(stateTone('quarantined')).toBe('bad');
    expect(stateTone('enrolled')).toBe('warn');
    expect(evidenceWords('claim')).toBe('joined by claim');
  });
});

describe('command', () => {
  it('is final in four states', () => {
    const states = ['queued', 'sent', 'delivered', 'succeeded', 'failed', 'expired', 'cancelled'] as const;
    expect(states.filter(isFinal)).toEqual(['succeeded', 'failed', 'expired', 'cancelled']);
    expect(states.map(commandTone)).toEqual(['plain', 'plain', 'plain', 'ok', 'bad', 'warn', 'plain']);
  });
  it('tells the device’s message, or all that it gave', () => {
    expect(errorWords({ message: 'there is no LED' })).toBe('there is no LED');
    expect(errorWords({ code: 5 })).toBe('{"code":5}');
    expect(errorWords(null)).toBe('');
  });
});
