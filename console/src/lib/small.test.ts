// The small pure parts: tags, rows in view, the set-up link, JSON, the join commands.
import { describe, expect, it } from 'vitest';
import { brief, kTwinBytesMax, parseJson, parseObject, pretty } from './json';
import { joinWays, platformName, wayNote } from './join';
import { kPasswordMin, passwordHint, secretOf } from './setup-link';
import { kTagsMax, parseTag, parseTags, tagsText, tagText } from './tags';
import { nearEnd, rowWindow } from './virtual';
import type { AgentDownloads } from '../api/types';

describe('tags', () => {
  it('are a key, or a key and a value', () => {
    expect(parseTag('north')).toEqual({ key: 'north', value: '' });
    expect(parseTag(' line = 3=x ')).toEqual({ key: 'line', value: '3=x' });
  });
  it.each(['', '=3', '-a', 'a b', 'ä', 'a'.repeat(65), `k=${'x'.repeat(257)}`])('%s is told to be none', (text) => {
    expect(typeof parseTag(text)).toBe('string');
  });
  it('are read from a list and written back', () => {
    const { tags, errors } = parseTags('line=3, north\nline=4,,');
    expect([tags, errors]).toEqual([{ line: '4', north: '' }, []]);
    expect(tagsText(tags)).toBe('line=4, north');
    expect(parseTags(tagsText(tags)).tags).toEqual(tags);
    expect(tagText('a', '')).toBe('a');
  });
  it('report each that is wrong, and too many', () => {
    expect(parseTags('a b, ok, ?').errors).toHaveLength(2);
    const many = Array.from({ length: kTagsMax + 1 }, (_, i) => `t${i}`).join(',');
    expect(parseTags(many).errors).toEqual([`At most ${kTagsMax} tags.`]);
  });
});

describe('rows in view', () => {
  it('cover the view with some to spare, and the rest is height', () => {
    const w = rowWindow(3200, 576, 32, 1000);
    expect([w.seenFrom, w.seenTo]).toEqual([100, 118]);
    expect(w.from).toBeLessThan(100);
    expect(w.to).toBeGreaterThan(118);
    expect(w.above + (w.to - w.from) * 32 + w.below).toBe(1000 * 32);
  });
  it('stay inside short, empty and overscrolled lists', () => {
    expect(rowWindow(0, 576, 32, 3)).toMatchObject({ from: 0, to: 3, above: 0, below: 0, seenFrom: 0, seenTo: 3 });
    expect(rowWindow(0, 576, 32, 0)).toMatchObject({ from: 0, to: 0, seenTo: 0 });
    expect(rowWindow(1e9, 576, 32, 100)).toMatchObject({ seenTo: 100, below: 0 });
    expect(rowWindow(-50, 576, 32, 100).seenFrom).toBe(0);
  });
  it('ask for the next page before the end', () => {
    expect(nearEnd(rowWindow(0, 576, 32, 100), 100, 100)).toBe(false);
    expect(nearEnd(rowWindow(32 * 60, 576, 32, 100), 100, 100)).toBe(true);
  });
});

describe('set-up link', () => {
  it.each([
    ['#abc123', 'abc123'],
    ['#secret=abc123', 'abc123'],
    ['#a%2Bb', 'a+b'],
    ['', null],
    ['#', null],
    ['#%', null],
    [`#${'x'.repeat(129)}`, null],
  ])('%s', (fragment, secret) => expect(secretOf(fragment)).toBe(secret));
  it('says how much of the password is missing', () => {
    expect(passwordHint('')).toContain(String(kPasswordMin));
    expect(passwordHint('short')).toBe('7 more');
    expect(passwordHint('x'.repeat(kPasswordMin))).toBe('Long enough.');
  });
});

describe('JSON', () => {
  it('tells where it breaks', () => {
    expect(parseJson('{"a": 1}')).toEqual({ ok: true, value: { a: 1 } });
    const broken = parseJson('{\n  "a": x\n}');
    expect(broken).toMatchObject({ ok: false });
    expect(broken.ok ? '' : broken.message).toMatch(/^Not JSON/);
    expect(parseJson('  ')).toEqual({ ok: false, message: 'Nothing here yet.' });
  });
  it('takes only an object within the bound for a twin', () => {
    expect(parseObject('[]')).toMatchObject({ ok: false, message: 'It must be an object: { … }.' });
    expect(parseObject('null')).toMatchObject({ ok: false });
    expect(parseObject('{}')).toEqual({ ok: true, value: {} });
    expect(parseObject(`{"a":"${'ä'.repeat(kTwinBytesMax / 2)}"}`)).toMatchObject({ ok: false });
  });
  it('is shown whole or cut', () => {
    expect(pretty(undefined)).toBe('null');
    expect(brief({ a: 'x'.repeat(200) }, 20)).toHaveLength(20);
    expect(brief(undefined)).toBe('–');
    expect(brief([1, 'a'])).toBe('[1,"a"]');
  });
});

describe('join', () => {
  const created = { code: 'hf1.abc', claim: 'hfc_1' };
  const agent: AgentDownloads = {
    version: '1',
    platforms: [],
    device_url: 'https://192.0.2.10:8444',
    ca_fingerprint_sha256: 'ab'.repeat(32),
    instructions: [
      { platform: 'linux-x86_64', title: 'Fetches and joins', commands: ['get', 'join - <<< {code}'] },
      { platform: 'any', title: 'Own client', commands: ['curl --user claim:{claim}'] },
    ],
  };
  it('fills the code into the server’s own instructions', () => {
    expect(joinWays(agent, created)).toEqual([
      { key: 'linux-x86_64-0', title: 'Linux, x86-64', lines: ['get', 'join - <<< hf1.abc'] },
      { key: 'any-1', title: 'Own client', lines: ['curl --user claim:hfc_1'] },
    ]);
    expect(wayNote(agent, 'linux-x86_64-0')).toBe('Fetches and joins');
    expect(wayNote(agent, 'any-1')).toBe('');
  });
  it('works without instructions', () => {
    expect(joinWays(undefined, created)[0]?.lines).toEqual(['holdfast-agent join - <<< hf1.abc']);
    expect(platformName('plan9-mips')).toBe('plan9-mips');
  });
});
