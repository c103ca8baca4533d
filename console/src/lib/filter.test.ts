import { describe, expect, it } from 'vitest';
import {
  complete, hasPair, nearest, onlineOf, pairText, toggleOnline, togglePair, tokens, toQuery, type Names, type Values,
} from './filter';

const kNames: Names = {
  types: [{ id: 'typ_1', name: 'camera' }, { id: 'typ_2', name: 'boiler control' }],
  sites: [{ id: 'site_1', name: 'Hall 4' }, { id: 'site_2', name: 'Depot Graz' }, { id: 'site_3', name: 'depot graz' }],
};

const query = (text: string) => toQuery(text, kNames).query;
const errors = (text: string) => toQuery(text, kNames).errors.map((e) => e.message);

describe('to what the API takes', () => {
  it.each([
    ['', {}],
    ['   ', {}],
    ['cam-h1', { q: 'cam-h1' }],
    ['hall cam', { q: 'hall cam' }],
    ['"hall  cam"', { q: 'hall  cam' }],
    ['state:active state:enrolled', { state: ['active', 'enrolled'] }],
    ['type:camera', { type_id: ['typ_1'] }],
    ['type:"boiler control" x', { type_id: ['typ_2'], q: 'x' }],
    ['site:"depot graz"', { site_id: ['site_2', 'site_3'] }],
    ['tag:line=3 tag:north', { tag: ['line=3', 'north'] }],
    ['online', { online: true }],
    ['-online', { online: false }],
    ['offline', { online: false }],
    ['online -online', { online: false }],
    ['192.0.2.7:443', { q: '192.0.2.7:443' }],
    ['02:00:5e:10', { q: '02:00:5e:10' }],
  ])('%s', (text, expected) => expect(query(text)).toEqual(expected));

  it('tells what it does not know, and what is near', () => {
    expect(errors('state:actve')).toEqual(['There is no state “actve”; did you mean active?']);
    expect(errors('sate:active')).toEqual(['There is no key “sate”; did you mean state?']);
    expect(errors('type:zzzzzz')).toEqual(['There is no type “zzzzzz”.']);
    expect(errors('state:')).toEqual(['“state:” needs a value.']);
  });

  it('marks the word that is wrong', () => {
    const text = 'cam state:actve online';
    const error = toQuery(text, kNames).errors[0]!;
    expect(text.slice(error.start, error.end)).toBe('state:actve');
  });

  it('waits for names instead of calling them wrong', () => {
    const found = toQuery('type:camera', { types: undefined, sites: [] });
    expect(found).toEqual({ query: {}, errors: [], waiting: true });
  });
});

describe('words', () => {
  it('know where they stand, whatever is typed', () => {
    for (const text of ['a  b', 'site:"Hall 4" x', 'site:"Hall', '"', ':', '::', '-', 'a:b:c', '  ']) {
      for (const token of tokens(text)) {
        expect(token.start).toBeLessThan(token.end);
        expect(token.end).toBeLessThanOrEqual(text.length);
      }
      // No character is lost or counted twice.
      const parts = tokens(text).map((t) => text.slice(t.start, t.end));
      expect(parts.join('').replaceAll(/\s/g, '')).toBe(text.replaceAll(/\s/g, ''));
    }
  });
  it('an open quote reaches to the end', () => {
    expect(tokens('site:"Hall 4')).toMatchObject([{ kind: 'pair', key: 'site', value: 'Hall 4' }]);
  });
  it('are near within a third of their letters', () => {
    expect(nearest('quarantned', ['active', 'quarantined'])).toBe('quarantined');
    expect(nearest('xyz', ['active'])).toBeNull();
  });
});

describe('facets', () => {
  it('add a value and take it away again', () => {
    const once = togglePair('cam', 'site', 'Hall 4');
    expect(once).toBe('cam site:"Hall 4"');
    expect(hasPair(once, 'site', 'hall 4')).toBe(true);
    expect(togglePair(once, 'site', 'Hall 4')).toBe('cam');
  });
  it('leave other words as they were typed', () => {
    expect(togglePair('"a b"  state:active', 'state', 'active')).toBe('"a b"');
  });
  it('ask for online, offline, or either', () => {
    const on = toggleOnline('cam', true);
    expect([on, onlineOf(on)]).toEqual(['cam online', true]);
    const off = toggleOnline(on, false);
    expect([off, onlineOf(off)]).toEqual(['cam -online', false]);
    expect([toggleOnline(off, false), onlineOf('cam')]).toEqual(['cam', null]);
  });
  it('quote what needs it', () => {
    expect(pairText('type', 'a"b c')).toBe('type:"ab c"');
    expect(pairText('tag', 'line=3')).toBe('tag:line=3');
    expect(query(pairText('site', 'Hall 4'))).toEqual({ site_id: ['site_1'] });
  });
});

describe('completion', () => {
  const values: Values = { state: ['active', 'quarantined'], type: ['camera'], site: ['Hall 4'], tag: ['line=1'] };
  const labels = (text: string, caret = text.length) => complete(text, caret, values).map((c) => c.label);
  it('offers keys at the start of a word', () => {
    expect(labels('')).toEqual(['state:', 'type:', 'site:', 'tag:', 'online', '-online']);
    expect(labels('s')).toEqual(['state:', 'site:']);
    expect(labels('-o')).toEqual(['-online']);
  });
  it('offers values after a key, by any part of them', () => {
    expect(labels('state:')).toEqual(['state:active', 'state:quarantined']);
    expect(labels('state:arant')).toEqual(['state:quarantined']);
    expect(labels('site:"Ha')).toEqual(['site:"Hall 4"']);
    expect(labels('state:active')).toEqual([]);
  });
  it('offers what a bare word may name', () => {
    expect(labels('hal')).toEqual(['site:"Hall 4"']);
    expect(labels('li')).toEqual(['tag:line=1']);
  });
  it('replaces the word under the caret only', () => {
    const text = 'cam sta x';
    const choice = complete(text, 7, values)[0]!;
    expect(choice).toEqual({ label: 'state:', text: 'cam state:x', caret: 10 });
  });
});
