// The sentences of the console: states, presence and certificates in words. One place, so that list,
// badge and device page can never disagree.
import type { Certificate, Command, Device, Presence } from '../api/types';
import { duration, kDay, millis, moment } from './format';

export type Tone = 'plain' | 'ok' | 'warn' | 'bad';

export interface Words {
  text: string;
  tone: Tone;
}

const kReasons: Record<string, string> = {
  client: 'closed by the device',
  'connection-lost': 'connection lost',
  'keep-alive-timeout': 'silent for too long',
  'session-taken-over': 'another session took over',
  'server-restart': 'the server restarted',
  'shutting-down': 'the server stopped',
  'device-quarantined': 'quarantined',
  'certificate-expired': 'certificate expired',
  'certificate-revoked': 'certificate revoked',
};

export function reasonWords(reason: string): string {
  return kReasons[reason] ?? reason.replaceAll('-', ' ');
}

/** "online for 3 d 4 h", "offline since 14:02: certificate expired", "never seen". */
export function presenceWords(presence: Presence, now: number): Words {
  const since = presence.since ? millis(presence.since) : null;
  if (presence.online) {
    return { text: since === null ? 'online' : `online for ${duration(now - since)}`, tone: 'ok' };
  }
  if (since === null && presence.last_seen === null) return { text: 'never seen', tone: 'plain' };
  const when = since ?? millis(presence.last_seen ?? '');
  const reason = presence.last_disconnect_reason ? `: ${reasonWords(presence.last_disconnect_reason)}` : '';
  return { text: `offline since ${moment(when, now)}${reason}`, tone: 'plain' };
}

/** For a row, where when stands in the next column: "online for 4 h", "offline: certificate expired". */
export function presenceBrief(presence: Presence, now: number): string {
  const reason = presence.last_disconnect_reason;
  if (presence.online || presence.last_seen === null) return presenceWords(presence, now).text;
  return reason ? `offline: ${reasonWords(reason)}` : 'offline';
}

const kRenewalGraceMs = 2 * kDay;
const kCertificateBadMs = 5 * kDay;

/** Days that the certificate has left. A device renews between day 40 and 85 of 90, so five days left means that it did not. */
export function certificateWords(certificate: Certificate | null, now: number): Words {
  if (!certificate) return { text: 'none', tone: 'plain' };
  if (certificate.state === 'revoked') return { text: 'revoked', tone: 'bad' };
  const left = millis(certificate.not_after) - now;
  if (left <= 0 || certificate.state === 'expired') return { text: 'expired', tone: 'bad' };
  if (left < kCertificateBadMs) {
    return { text: left < kDay ? `${duration(left)} left` : `${Math.floor(left / kDay)} d left`, tone: 'bad' };
  }
  const days = `${Math.floor(left / kDay)} d`;
  const late = certificate.renews_at !== null && now - millis(certificate.renews_at) > kRenewalGraceMs;
  return late ? { text: `${days} left`, tone: 'warn' } : { text: days, tone: 'plain' };
}

export function renewalWords(certificate: Certificate, now: number): Words {
  if (!certificate.renews_at) return { text: 'not known', tone: 'plain' };
  const left = millis(certificate.renews_at) - now;
  if (left >= 0) return { text: `in ${duration(left)}`, tone: 'plain' };
  return { text: `late by ${duration(-left)}`, tone: -left > kRenewalGraceMs ? 'warn' : 'plain' };
}

export function stateTone(state: Device['state']): Tone {
  if (state === 'quarantined') return 'bad';
  if (state === 'enrolled' || state === 'registered') return 'warn';
  return 'plain';
}

const kEvidence: Record<Device['evidence_class'], string> = {
  'hardware-attested': 'hardware key, attested',
  'hardware-asserted': 'hardware key, as the device says',
  software: 'software key',
  claim: 'joined by claim',
};

export function evidenceWords(evidence: Device['evidence_class']): string {
  return kEvidence[evidence] ?? evidence;
}

export function osWords(device: Device): string | null {
  const os = device.os;
  if (!os) return null;
  const name = typeof os['name'] === 'string' ? os['name'] : null;
  const version = typeof os['version'] === 'string' || typeof os['version'] === 'number' ? String(os['version']) : '';
  return name ? `${name} ${version}`.trim() : null;
}

/** The facts of a device's second line, most telling first; what is not known is left out. */
export function deviceFacts(device: Device, now: number): string[] {
  const facts = [presenceWords(device.presence, now).text];
  const os = osWords(device);
  if (os) facts.push(os);
  facts.push(evidenceWords(device.evidence_class));
  const certificate = certificateWords(device.certificate, now);
  facts.push(certificate.text === 'none' ? 'no certificate yet' : `certificate ${certificate.text}`);
  if (device.agent) facts.push(device.agent.version);
  return facts;
}

export function commandTone(state: Command['state']): Tone {
  if (state === 'succeeded') return 'ok';
  if (state === 'failed') return 'bad';
  if (state === 'expired') return 'warn';
  return 'plain';
}

export function isFinal(state: Command['state']): boolean {
  return state === 'succeeded' || state === 'failed' || state === 'expired' || state === 'cancelled';
}

export function errorWords(error: Command['error']): string {
  if (!error) return '';
  const message = error['message'];
  return typeof message === 'string' ? message : JSON.stringify(error);
}
