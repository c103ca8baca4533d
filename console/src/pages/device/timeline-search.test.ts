import { describe, expect, it } from 'vitest';
import { item } from '../../../test/samples';
import { changed, kEverything, wants } from './timeline-search';

describe('the search of a timeline', () => {
  it('stays the same object while it asks for the same', () => {
    const words = changed(kEverything, { q: ' failed ' });
    expect(words).toEqual({ q: 'failed', severity: 'debug' });
    expect(changed(words, { q: 'failed' })).toBe(words);
    expect(changed(words, { q: '  ' })).toBe(kEverything);
  });
  it('keeps words when the severity changes', () => {
    expect(changed({ q: 'door', severity: 'debug' }, { severity: 'error' })).toEqual({ q: 'door', severity: 'error' });
  });
  it('wants what is severe enough', () => {
    const search = { q: '', severity: 'warning' as const };
    const is = (severity: 'info' | 'warning' | 'critical') => wants(search, item('evt_1', 0, { severity }));
    expect([is('info'), is('warning'), is('critical')]).toEqual([false, true, true]);
    expect(wants(kEverything, item('evt_1', 0, { severity: 'debug' }))).toBe(true);
  });
});
