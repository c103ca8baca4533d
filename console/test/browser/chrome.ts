// Chromium for tests: Debian's own, driven by playwright-core, without any address but the loopback.
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type BrowserContext, type Page } from 'playwright-core';

const kChromium = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export interface Look {
  width?: number;
  height?: number;
  scheme?: 'light' | 'dark';
  touch?: boolean;
}

export interface Chrome {
  context: BrowserContext;
  /** A page that keeps what went wrong in it. */
  open(look?: Look): Promise<WatchedPage>;
  close(): Promise<void>;
}

export interface WatchedPage {
  page: Page;
  /** Errors of the page, policy violations, and requests to other hosts; must be empty. */
  faults: string[];
}

async function watch(page: Page, origin: string): Promise<string[]> {
  const faults: string[] = [];
  page.on('pageerror', (e) => faults.push(`error: ${e.message}`));
  page.on('console', (m) => {
    // The browser reports each refused answer as an error; the page's own handling is what counts.
    if (m.type() === 'error' && !m.text().startsWith('Failed to load resource')) faults.push(`console: ${m.text()}`);
  });
  page.on('request', (r) => {
    const url = new URL(r.url());
    if (url.origin !== origin && url.protocol !== 'blob:') faults.push(`request to ${url.origin}`);
  });
  await page.exposeFunction('holdfastViolation', (text: string) => faults.push(`policy: ${text}`));
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (e) => {
      (window as unknown as { holdfastViolation(t: string): void }).holdfastViolation(`${e.violatedDirective} ${e.blockedURI} ${e.sourceFile}`);
    });
  });
  return faults;
}

export async function startChrome(origin: string): Promise<Chrome> {
  const home = mkdtempSync(join(tmpdir(), 'holdfast-chrome-'));
  const browser = await chromium.launch({
    executablePath: kChromium,
    env: { ...process.env, HOME: home },
    args: [
      '--no-sandbox',
      '--force-color-profile=srgb',
      '--font-render-hinting=none',
      '--disable-lcd-text',
      '--hide-scrollbars',
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE *.localhost, EXCLUDE 127.0.0.1',
    ],
  });
  const context = await browser.newContext({ permissions: ['clipboard-read', 'clipboard-write'] });
  return {
    context,
    open: async (look = {}) => {
      const page = await context.newPage();
      await page.setViewportSize({ width: look.width ?? 1360, height: look.height ?? 760 });
      await page.emulateMedia({ colorScheme: look.scheme ?? 'light', reducedMotion: 'reduce' });
      return { page, faults: await watch(page, origin) };
    },
    close: async () => {
      await browser.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

export interface Violation {
  rule: string;
  impact: string;
  nodes: string[];
}

/** What axe-core finds for WCAG 2.2 A and AA; must be empty. */
export async function axe(page: Page): Promise<Violation[]> {
  await page.evaluate(axeSource);
  const result = await page.evaluate(async () => {
    const { axe: runner } = window as unknown as { axe: typeof import('axe-core') };
    return runner.run(document, {
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
      resultTypes: ['violations'],
    });
  });
  return result.violations.map((v) => ({
    rule: v.id,
    impact: v.impact ?? '',
    nodes: v.nodes.map((n) => `${n.target.join(' ')}: ${n.failureSummary?.replaceAll(/\s+/g, ' ') ?? ''}`),
  }));
}

/** Fonts in place and two frames drawn. */
export async function settled(page: Page): Promise<void> {
  await page.evaluate(async () => {
    await document.fonts.ready;
    await new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r)));
  });
}

export async function signIn(page: Page, url: string, path = '/devices'): Promise<void> {
  await page.goto(url + path);
  await page.getByLabel('Name').fill('admin');
  await page.getByLabel('Password', { exact: true }).fill('correct horse battery');
  await page.getByRole('button', { name: 'Sign in' }).click();
  // On a phone it is hidden in its drawer.
  await page.locator('nav#nav').waitFor({ state: 'attached' });
}
