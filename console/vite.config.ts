import { defineConfig } from 'vitest/config';

// `npm run shots` draws pictures of all pages; `npm test` runs the tests.
const shots = process.env['SHOTS'] !== undefined;

export default defineConfig(async ({ command }) => ({
  // Loaded for the development server only; the product's build never sees the mock.
  plugins: command === 'serve' && !process.env['VITEST'] ? [(await import('./dev/mock-plugin.ts')).mockPlugin()] : [],
  oxc: { jsx: { runtime: 'automatic' as const, importSource: 'preact' } },
  build: {
    target: 'es2022',
    // Inlined files become data: addresses, which the content security policy forbids.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    // Which file belongs to which entry: the size gate reads it.
    manifest: 'manifest.json',
  },
  test: {
    include: shots ? ['dev/shots.ts'] : ['src/**/*.test.ts', 'test/**/*.test.ts'],
    environment: 'node' as const,
    // A zone that is not UTC, so that a mistake with zones shows.
    env: { TZ: 'Europe/Vienna' },
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
}));
