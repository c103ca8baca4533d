import { describe, expect, it } from 'vitest';
import { ago, bytes, clock, count, dayName, duration, figure, millis, moment, plural, serial } from './format';

const kNow = Date.parse('2026-03-12T13:02:11Z'); // 14:02:11 in Vienna
const s = 1_000;
const min = 60 * s;
const h = 60 * min;
const d = 24 * h;

describe('times', () => {
  it('are told in the zone of the browser', () => {
    expect(clock(kNow)).toBe('14:02');
    expect(clock(Date.parse('2026-07-12T13:02:11Z'))).toBe('15:02');
  });
  it('carry only what is needed to be unambiguous', () => {
    expect(moment(kNow - 10 * min, kNow)).toBe('13:52');
    expect(moment(kNow - d, kNow)).toBe('11 Mar 14:02');
    expect(moment(Date.parse('2024-12-31T10:00:00Z'), kNow)).toBe('31 Dec 2024');
  });
  it('change the day at local midnight', () => {
    const early = Date.parse('2026-03-11T23:30:00Z'); // 00:30 on the 12th
    expect(moment(early, kNow)).toBe('00:30');
    expect(dayName(early, kNow)).toBe('Today');
    expect(dayName(early - h, kNow)).toBe('Yesterday');
    expect(dayName(kNow - 5 * d, kNow)).toBe('7 Mar');
  });
  it('keep microseconds out of milliseconds', () => {
    expect(millis('2026-03-12T13:02:11.482913Z')).toBe(kNow + 482);
  });
});

describe('duration', () => {
  it.each([
    [-5 * s, '0 s'],
    [0, '0 s'],
    [59 * s, '59 s'],
    [12 * min + 59 * s, '12 min'],
    [4 * h, '4 h'],
    [4 * h + 12 * min, '4 h 12 min'],
    [3 * d + 4 * h, '3 d 4 h'],
    [61 * d + 4 * h, '61 d'],
  ])('%d ms is %s', (ms, text) => expect(duration(ms)).toBe(text));
});

describe('ago', () => {
  it.each([
    [500, 'now'],
    [-3_000, 'now'],
    [2 * s, '2 s ago'],
    [59 * min, '59 min ago'],
    [50 * h, '50 h ago'],
    [4 * d, '4 d ago'],
  ])('%d ms before is %s', (ms, text) => expect(ago(kNow - ms, kNow)).toBe(text));
});

describe('figures', () => {
  it.each([
    [0, '0'],
    [0.0421, '0.042'],
    [4.206, '4.21'],
    [23.456, '23.5'],
    [1284.4, '1,284'],
    [-68.25, '-68.3'],
    [0.00001, '1.0e-5'],
    [Number.NaN, '–'],
    [Number.POSITIVE_INFINITY, '–'],
  ])('%d is %s', (n, text) => expect(figure(n)).toBe(text));

  it('groups counts and agrees with the noun', () => {
    expect(count(12480)).toBe('12,480');
    expect(plural(1, 'device')).toBe('1 device');
    expect(plural(0, 'device')).toBe('0 devices');
    expect(plural(2, 'entry', 'entries')).toBe('2 entries');
  });

  it.each([
    [0, '0 B'],
    [0.5, '0.5 B'],
    [1023, '1,023 B'],
    [1024, '1 KiB'],
    [1_610_612_736, '1.5 GiB'],
    [-2048, '−2 KiB'],
    [2 ** 60, '1,024 PiB'],
  ])('%d bytes are %s', (n, text) => expect(bytes(n)).toBe(text));
});

it('a serial is told in octets, the middle left out when it is long', () => {
  expect(serial('7c1fa0429b')).toBe('7C:1F:A0:42:9B');
  expect(serial('00112233445566778899', 4)).toBe('00:11…88:99');
  expect(serial('')).toBe('');
});
