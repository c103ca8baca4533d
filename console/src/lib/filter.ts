// The filter field of the Devices page: its text is the only state, and lies in the address. Words:
//   state:active type:camera site:"Hall 4" tag:line=3 online -online anything
// Several values of one key mean any of them (tags: all); free words are searched as one phrase.
// Pure: parse, look up names, complete, and toggle what a facet stands for.
import type { DeviceState } from '../api/types';

export const kFilterMax = 512;
export const kStates: DeviceState[] = [
  'unmanaged', 'registered', 'enrolled', 'active', 'quarantined', 'decommissioned',
];
export const kKeys = ['state', 'type', 'site', 'tag'] as const;
export type FilterKey = (typeof kKeys)[number];

export interface Token {
  start: number;
  end: number;
  /** Absent for a free word and for online. */
  key?: FilterKey;
  /** Without quotes. */
  value: string;
  kind: 'pair' | 'online' | 'offline' | 'word' | 'unknown-key';
}

export interface Named {
  id: string;
  name: string;
}

export interface FilterError {
  start: number;
  end: number;
  message: string;
}

/** What the API takes; absent members do not filter. */
export interface DeviceQuery {
  q?: string;
  state?: DeviceState[];
  type_id?: string[];
  site_id?: string[];
  tag?: string[];
  online?: boolean;
}

const kWord = /(-?[^\s:"]+:"[^"]*"?|"[^"]*"?|[^\s"]+)/g;

function unquote(text: string): string {
  return text.replaceAll('"', '');
}

export function tokens(text: string): Token[] {
  const found: Token[] = [];
  for (const match of text.matchAll(kWord)) {
    const word = match[0];
    const span = { start: match.index, end: match.index + word.length };
    const colon = word.indexOf(':');
    if (word === 'online') found.push({ ...span, kind: 'online', value: '' });
    else if (word === '-online' || word === 'offline') found.push({ ...span, kind: 'offline', value: '' });
    else if (colon > 0 && !word.startsWith('"')) {
      const key = word.slice(0, colon);
      const known = kKeys.find((k) => k === key);
      // An address such as 192.0.2.7:443 or a MAC is a word, not a key.
      const isKey = known !== undefined || /^[a-z]+$/.test(key);
      if (!isKey) found.push({ ...span, kind: 'word', value: unquote(word) });
      else if (known) found.push({ ...span, kind: 'pair', key: known, value: unquote(word.slice(colon + 1)) });
      else found.push({ ...span, kind: 'unknown-key', value: key });
    } else found.push({ ...span, kind: 'word', value: unquote(word) });
  }
  return found;
}

/** Edits between two short words; enough to suggest a neighbour. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

export function nearest(word: string, words: readonly string[]): string | null {
  let best: string | null = null;
  let least = Math.max(2, Math.floor(word.length / 3)) + 1;
  for (const candidate of words) {
    const d = distance(word.toLowerCase(), candidate.toLowerCase());
    if (d < least) {
      least = d;
      best = candidate;
    }
  }
  return best;
}

function unknown(what: string, word: string, words: readonly string[]): string {
  const near = nearest(word, words);
  return `There is no ${what} “${word}”${near ? `; did you mean ${near}?` : '.'}`;
}

/** A name that is not known yet is no error while names still load. */
export interface Names {
  types: Named[] | undefined;
  sites: Named[] | undefined;
}

interface Found {
  query: DeviceQuery;
  errors: FilterError[];
  /** A name could not be looked up because the names have not arrived. */
  waiting: boolean;
}

export function toQuery(text: string, names: Names): Found {
  const found: Found = { query: {}, errors: [], waiting: false };
  const words: string[] = [];
  for (const token of tokens(text)) {
    if (token.kind === 'online') found.query.online = true;
    else if (token.kind === 'offline') found.query.online = false;
    else if (token.kind === 'word') words.push(token.value);
    else if (token.kind === 'unknown-key') {
      found.errors.push({ ...span(token), message: unknown('key', token.value, [...kKeys, 'online']) });
    } else addPair(token, names, found);
  }
  const q = words.join(' ').trim();
  if (q !== '') found.query.q = q;
  return found;
}

function span(token: Token): { start: number; end: number } {
  return { start: token.start, end: token.end };
}

function addPair(token: Token, names: Names, found: Found): void {
  const fail = (message: string) => found.errors.push({ ...span(token), message });
  if (token.value === '') {
    fail(`“${token.key}:” needs a value.`);
    return;
  }
  if (token.key === 'state') {
    const state = kStates.find((s) => s === token.value);
    if (state) found.query.state = [...(found.query.state ?? []), state];
    else fail(unknown('state', token.value, kStates));
  } else if (token.key === 'tag') {
    found.query.tag = [...(found.query.tag ?? []), token.value];
  } else if (token.key) {
    const list = token.key === 'type' ? names.types : names.sites;
    if (!list) {
      found.waiting = true;
      return;
    }
    const hits = list.filter((n) => n.name.toLowerCase() === token.value.toLowerCase()).map((n) => n.id);
    const member = token.key === 'type' ? 'type_id' : 'site_id';
    if (hits.length > 0) found.query[member] = [...(found.query[member] ?? []), ...hits];
    else fail(unknown(token.key, token.value, list.map((n) => n.name)));
  }
}

function quoted(value: string): string {
  return /[\s:"]/.test(value) ? `"${unquote(value)}"` : value;
}

export function pairText(key: FilterKey, value: string): string {
  return `${key}:${quoted(value)}`;
}

export function hasPair(text: string, key: FilterKey, value: string): boolean {
  return tokens(text).some((t) => t.key === key && t.value.toLowerCase() === value.toLowerCase());
}

export function onlineOf(text: string): boolean | null {
  const last = tokens(text).findLast((t) => t.kind === 'online' || t.kind === 'offline');
  return last ? last.kind === 'online' : null;
}

function without(text: string, drop: (token: Token) => boolean): string {
  return tokens(text)
    .filter((t) => !drop(t))
    .map((t) => text.slice(t.start, t.end))
    .join(' ');
}

function joined(text: string, word: string): string {
  return text.trim() === '' ? word : `${text.trim()} ${word}`;
}

/** What a click on a facet's value does: adds it, or takes it away. */
export function togglePair(text: string, key: FilterKey, value: string): string {
  if (hasPair(text, key, value)) {
    return without(text, (t) => t.key === key && t.value.toLowerCase() === value.toLowerCase());
  }
  return joined(text, pairText(key, value));
}

export function toggleOnline(text: string, online: boolean): string {
  const bare = without(text, (t) => t.kind === 'online' || t.kind === 'offline');
  return onlineOf(text) === online ? bare : joined(bare, online ? 'online' : '-online');
}

export interface Completion {
  /** What the list shows. */
  label: string;
  /** The whole text after choosing it, and where the caret goes. */
  text: string;
  caret: number;
}

export interface Values {
  state: string[];
  type: string[];
  site: string[];
  tag: string[];
}

const kCompletionsMax = 8;
/** Letters before names are offered for a bare word. */
const kNamePartMin = 2;

/** What may stand at the caret: keys for a bare word, values after a key. */
export function complete(text: string, caret: number, values: Values): Completion[] {
  const token = tokens(text).find((t) => t.start < caret && caret <= t.end);
  const start = token?.start ?? caret;
  const end = token?.end ?? caret;
  const typed = text.slice(start, caret);
  const options: string[] = [];
  if (token?.kind === 'pair' && token.key) {
    const part = unquote(typed.slice(typed.indexOf(':') + 1)).toLowerCase();
    for (const value of values[token.key]) {
      if (value.toLowerCase().includes(part) && value.toLowerCase() !== part) options.push(`${pairText(token.key, value)} `);
    }
  } else if (!token || token.kind === 'word' || token.kind === 'offline') {
    const part = typed.toLowerCase();
    for (const word of [...kKeys.map((k) => `${k}:`), 'online ', '-online ']) {
      if (word.startsWith(part) && word.trim() !== part) options.push(word);
    }
    // A word may be the name of something: "hall" offers site:"Hall 4".
    if (part.length >= kNamePartMin) {
      for (const key of kKeys) {
        for (const value of values[key]) if (value.toLowerCase().includes(part)) options.push(`${pairText(key, value)} `);
      }
    }
  }
  return options.slice(0, kCompletionsMax).map((option) => ({
    label: option.trim(),
    text: text.slice(0, start) + option + text.slice(end).trimStart(),
    caret: start + option.length,
  }));
}
