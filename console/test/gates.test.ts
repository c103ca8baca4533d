// What must hold of the whole: contrast of the tokens, size of the build, drift of the types, no host but
// our own in what is served.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
// @ts-expect-error a script of ours without types
import { generateTypes } from '../dev/types.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');
const read = (path: string) => readFileSync(join(root, path), 'utf8');

// ---- contrast

type Scheme = 0 | 1;
const kHex = /--([a-z0-9-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)/g;
const tokens = new Map([...read('src/styles/tokens.css').matchAll(kHex)].map((m) => [m[1]!, [m[2]!, m[3]!] as const]));

function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((i) => {
    const c = parseInt(hex.slice(i, i + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string, scheme: Scheme): number {
  const [x, y] = [a, b].map((name) => {
    const pair = tokens.get(name);
    if (!pair) throw new Error(`no token --${name}`);
    return luminance(pair[scheme]);
  }) as [number, number];
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
}

const kGrounds = ['bg', 'surface', 'sunken'];
const kText: [string, string[]][] = [
  ['text', [...kGrounds, 'accent-weak', 'bad-weak']],
  ['text-2', [...kGrounds, 'accent-weak', 'bad-weak']],
  ['text-3', ['bg', 'surface']],
  ['accent', [...kGrounds, 'accent-weak']],
  ['ok', ['surface', 'ok-weak']],
  ['warn', ['bg', 'surface', 'warn-weak']],
  ['bad', [...kGrounds, 'bad-weak']],
  ['on-accent', ['accent']],
  ['on-bad', ['bad']],
];
const kMarks: [string, string[]][] = [
  ['field', ['surface', 'bg']],
  ['text-3', ['surface', 'sunken', 'accent-weak']],
  ['ok', ['surface', 'accent-weak', 'sunken']],
  ['series-1', ['surface']],
  ['series-2', ['surface']],
  ['series-3', ['surface']],
  ['series-4', ['surface']],
];

describe('contrast', () => {
  const pairs = (list: [string, string[]][]) => list.flatMap(([a, grounds]) => grounds.map((b): [string, string] => [a, b]));
  it.each(pairs(kText))('text %s on %s is at least 4.5', (a, b) => {
    expect(contrast(a, b, 0)).toBeGreaterThanOrEqual(4.5);
    expect(contrast(a, b, 1)).toBeGreaterThanOrEqual(4.5);
  });
  it.each(pairs(kMarks))('mark %s on %s is at least 3', (a, b) => {
    expect(contrast(a, b, 0)).toBeGreaterThanOrEqual(3);
    expect(contrast(a, b, 1)).toBeGreaterThanOrEqual(3);
  });
});

// ---- the build

interface Chunk {
  file: string;
  isEntry?: boolean;
  imports?: string[];
  css?: string[];
}

/** Files of the first load, and nothing that is lazy. */
function firstLoad(manifest: Record<string, Chunk>): { js: string[]; css: string[] } {
  const js = new Set<string>();
  const css = new Set<string>();
  const walk = (key: string) => {
    const chunk = manifest[key];
    if (!chunk || js.has(chunk.file)) return;
    js.add(chunk.file);
    chunk.css?.forEach((c) => css.add(c));
    chunk.imports?.forEach(walk);
  };
  Object.entries(manifest).forEach(([key, chunk]) => chunk.isEntry && walk(key));
  return { js: [...js], css: [...css] };
}

describe('build', () => {
  it('is there', () => {
    expect(existsSync(join(dist, 'manifest.json')), 'run npm run build first').toBe(true);
  });
  const size = (files: string[]) => files.reduce((n, f) => n + readFileSync(join(dist, `${f}.gz`)).length, 0);
  it('loads at most 120 kB of script and 15 kB of style at first, gzipped', () => {
    const first = firstLoad(JSON.parse(readFileSync(join(dist, 'manifest.json'), 'utf8')) as Record<string, Chunk>);
    expect(first.js.length).toBeGreaterThan(0);
    expect(size(first.js)).toBeLessThanOrEqual(120_000);
    expect(size(first.css)).toBeLessThanOrEqual(15_000);
    expect(first.js.join()).not.toMatch(/uPlot/);
  });
  it('has a .br and a .gz of the same bytes beside each file, under a name with a hash', () => {
    const files = readdirSync(join(dist, 'assets')).filter((f) => /\.(js|css)$/.test(f));
    expect(files.length).toBeGreaterThan(3);
    for (const file of files) {
      expect(file).toMatch(/-[\w-]{8}\.(js|css)$/);
      const bytes = readFileSync(join(dist, 'assets', file));
      if (bytes.length < 512) continue;
      expect(brotliDecompressSync(readFileSync(join(dist, 'assets', `${file}.br`))).equals(bytes)).toBe(true);
      expect(gunzipSync(readFileSync(join(dist, 'assets', `${file}.gz`))).equals(bytes)).toBe(true);
    }
  });
  it('holds neither the mock nor its data', () => {
    for (const file of readdirSync(join(dist, 'assets')).filter((f) => f.endsWith('.js'))) {
      expect(readFileSync(join(dist, 'assets', file), 'utf8')).not.toMatch(/correct horse|mulberry|m\.keller/);
    }
  });
});

it('types are those of the contract', async () => {
  const fresh = (await (generateTypes as () => Promise<string>)());
  expect(read('src/generated/contract.d.ts') === fresh, 'mend: cd console && npm run types').toBe(true);
});

it('the lock file names no host to download from', () => {
  expect(read('package-lock.json')).not.toMatch(/"resolved"/);
});
