// Every page while it waits, when it has nothing, when the server fails it, when what it shows may be old,
// and when the session ends under it; and every dialog: axe, Escape, and the focus that comes back.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { serveMock, type MockServer } from '../../dev/mock/serve';
import type { MockOptions } from '../../dev/mock/state';
import { axe, settled, signIn, startChrome, type Chrome, type Look, type WatchedPage } from './chrome';

let server: MockServer;
let chrome: Chrome;
let at: WatchedPage;
let page: Page;

async function begin(options: Partial<MockOptions>, look: Look = {}): Promise<void> {
  server = await serveMock(options);
  chrome = await startChrome(server.url);
  at = await chrome.open(look);
  page = at.page;
  await signIn(page, server.url);
}

async function end(): Promise<void> {
  await chrome.close();
  await server.close();
}

interface Place {
  name: string;
  path: string;
  /** Calls that the page cannot do without. */
  needs: RegExp;
  /** It is all there. */
  ready: (page: Page) => Promise<unknown>;
}

const device = () => server.state.fleet.devices.find((d) => d.presence.online)!;

const places: Place[] = [
  { name: 'devices', path: '/devices', needs: /^\/v1\/devices$/, ready: (p) => p.locator('tbody tr:not(.space)').nth(2).waitFor() },
  { name: 'device', path: '/devices/ID', needs: /^\/v1\/devices\/dev_[0-9A-Z]+$/, ready: (p) => p.locator('.tabs').waitFor() },
  { name: 'twin', path: '/devices/ID/twin', needs: /\/twin$/, ready: (p) => p.getByRole('heading', { name: 'Desired' }).waitFor() },
  { name: 'commands', path: '/devices/ID/commands', needs: /^\/v1\/commands$/, ready: (p) => p.getByText('No command was sent').waitFor() },
  { name: 'timeline', path: '/devices/ID/timeline', needs: /\/timeline$/, ready: (p) => p.getByText('Today').waitFor() },
  { name: 'sites', path: '/sites', needs: /^\/v1\/sites$/, ready: (p) => p.getByRole('rowheader').first().waitFor() },
  { name: 'audit', path: '/audit', needs: /^\/v1\/audit$/, ready: (p) => p.locator('.entries, .empty').first().waitFor() },
];
const address = (place: Place) => server.url + place.path.replace('ID', device().id);

describe('every page', () => {
  beforeAll(() => begin({ devices: 20 }));
  afterAll(end);
  afterEach(() => {
    server.state.held = null;
    server.state.broken = null;
    expect(at.faults).toEqual([]);
  });

  it.each(places)('$name says that it waits, and nothing in the first moment', async (place) => {
    server.state.held = place.needs;
    await page.goto(address(place));
    const waiting = page.getByRole('main').locator('.waiting').last();
    await waiting.filter({ hasText: 'Loading …' }).waitFor();
    expect(await axe(page)).toEqual([]);
    server.state.held = null;
    await place.ready(page);
    await expect.poll(() => page.locator('.waiting').count()).toBe(0);
  });

  it.each(places)('$name shows a failure in place, with its mend and request, and tries again', async (place) => {
    server.state.broken = { path: place.needs, status: 500, code: 'internal', title: 'The server has failed' };
    await page.goto(address(place));
    const alert = page.getByRole('alert').filter({ hasText: 'The server has failed' });
    await alert.first().waitFor({ timeout: 20_000 });
    await alert.first().getByText('Try again; if it stays').waitFor();
    await alert.first().locator('code', { hasText: /^req_/ }).waitFor();
    expect(await axe(page)).toEqual([]);
    server.state.broken = null;
    await alert.first().getByRole('button', { name: 'Try again' }).click();
    await place.ready(page);
    await expect.poll(() => alert.count()).toBe(0);
  });

  it.each(places.slice(0, 5))('$name marks what may be old when the stream is cut, and heals by itself', async (place) => {
    await page.goto(address(place));
    await place.ready(page);
    await page.getByText(/^live/).first().waitFor();
    server.state.down = true;
    server.state.cutStreams();
    await page.getByText(/^reconnecting, as of/).first().waitFor();
    await place.ready(page);
    expect(await axe(page)).toEqual([]);
    server.state.down = false;
    await page.getByText(/^live/).first().waitFor({ timeout: 20_000 });
  });

  it.each(places)('$name asks to sign in when the session ends, and comes back to itself', async (place) => {
    await page.goto(address(place));
    await place.ready(page);
    server.state.endSessions();
    await page.reload();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    expect(page.url()).toBe(address(place));
    await page.getByLabel('Name').fill('admin');
    await page.getByLabel('Password', { exact: true }).fill('correct horse battery');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await place.ready(page);
    expect(page.url()).toBe(address(place));
  });
});

describe('a session that ends under an open page', () => {
  beforeAll(() => begin({ devices: 20 }));
  afterAll(end);

  it('is noticed without a touch: the stream is refused', async () => {
    await page.getByText(/^live/).first().waitFor();
    server.state.endSessions();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor({ timeout: 20_000 });
    expect(await page.getByRole('navigation', { name: 'Pages' }).count()).toBe(0);
    expect(await axe(page)).toEqual([]);
    await signIn(page, server.url);
  });
  it('in the middle of an act: the act is refused, nothing is lost from view, and signing in leads back', async () => {
    await page.goto(`${server.url}/devices/${device().id}`);
    await page.getByRole('button', { name: 'Quarantine' }).click();
    await page.getByLabel('Why').fill('odd');
    server.state.sessions.clear();
    await page.getByRole('dialog').getByRole('button', { name: 'Quarantine' }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    expect(server.state.device(device().id)!.state).toBe('active');
    expect(page.url()).toContain(device().id);
  });
});

describe('an empty house', () => {
  beforeAll(() => begin({ devices: 0 }));
  afterAll(end);
  afterEach(() => expect(at.faults).toEqual([]));

  it.each([
    ['/devices', 'No device has joined yet.'],
    ['/sites', 'No site yet.'],
    ['/audit', 'Nothing was changed yet.'],
  ])('%s says so in one sentence', async (path, text) => {
    server.state.fleet.sites.length = 0;
    server.state.audit.length = 0;
    await page.goto(server.url + path);
    await page.locator('.empty', { hasText: text }).waitFor();
    expect(await axe(page)).toEqual([]);
  });
});

describe('a device that was never seen', () => {
  beforeAll(() => begin({ devices: 412 }));
  afterAll(end);

  it('has no charts and no timeline, and each says why', async () => {
    const fresh = server.state.fleet.devices.find((d) => d.state === 'registered')!;
    await page.goto(`${server.url}/devices/${fresh.id}`);
    await page.getByText(/no reading/i).first().waitFor();
    expect(await page.locator('.chart canvas').count()).toBe(0);
    expect(await axe(page)).toEqual([]);
    await page.goto(`${server.url}/devices/${fresh.id}/twin`);
    await page.getByRole('heading', { name: 'Desired' }).waitFor();
    expect(await axe(page)).toEqual([]);
    expect(at.faults).toEqual([]);
  });
});

interface Opened {
  name: string;
  path: string;
  open: (page: Page) => Promise<unknown>;
}

const button = (p: Page, name: string) => p.getByRole('button', { name, exact: true });
const more = async (p: Page, name: string) => {
  await p.getByText('More', { exact: true }).click();
  await button(p, name).click();
};
const some = async (p: Page, name: string) => {
  await p.locator('tbody tr:not(.space)').nth(2).waitFor();
  await p.locator('tbody tr:not(.space)').first().getByRole('checkbox').check();
  await button(p, name).click();
};

const dialogs: Opened[] = [
  { name: 'command', path: '/devices/ID', open: (p) => button(p, 'Command').click() },
  { name: 'quarantine', path: '/devices/ID', open: (p) => button(p, 'Quarantine').click() },
  { name: 'revoke', path: '/devices/ID', open: (p) => more(p, 'Revoke certificates') },
  { name: 'name, site, type, tags', path: '/devices/ID', open: (p) => more(p, 'Name, site, type, tags') },
  { name: 'add site', path: '/sites', open: (p) => button(p, 'Add site').first().click() },
  { name: 'change site', path: '/sites', open: (p) => button(p, 'Change Hall 4').click() },
  { name: 'remove site', path: '/sites', open: (p) => button(p, 'Remove Hall 4').click() },
  { name: 'tag many', path: '/devices', open: (p) => some(p, 'Tag') },
  { name: 'untag many', path: '/devices', open: (p) => some(p, 'Remove tag') },
  { name: 'move many', path: '/devices', open: (p) => some(p, 'Move to site') },
  { name: 'release many', path: '/devices', open: (p) => some(p, 'Release') },
];

describe.each([
  { width: 1360, height: 760, scheme: 'light' },
  { width: 1360, height: 760, scheme: 'dark' },
  { width: 360, height: 720, scheme: 'light' },
  { width: 360, height: 720, scheme: 'dark' },
] as const)('every dialog, $width px, $scheme', (look) => {
  beforeAll(() => begin({ devices: 20 }, look));
  afterAll(end);

  it.each(dialogs)('$name', async ({ path, open }) => {
    await page.goto(server.url + path.replace('ID', device().id));
    // A phone has no room for a selection of many.
    const many = path === '/devices';
    await page.getByRole('heading', { level: 1 }).waitFor();
    if (many && look.width === 360) {
      await page.locator('tbody tr:not(.space)').nth(2).waitFor();
      if ((await page.getByRole('checkbox').count()) === 0 || !(await page.getByRole('checkbox').first().isVisible())) return;
    }
    await open(page);
    const dialog = page.getByRole('dialog');
    await dialog.waitFor();
    await settled(page);
    expect(await axe(page)).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)).toBeLessThanOrEqual(0);
    const box = (await dialog.boundingBox())!;
    expect(box.x).toBeGreaterThanOrEqual(0);
    expect(box.x + box.width).toBeLessThanOrEqual(look.width);
    // The focus is inside, goes round inside, and comes back when it closes.
    for (let i = 0; i < 12; i++) {
      await page.keyboard.press('Tab');
      const inside = await page.evaluate(() => {
        const active = document.activeElement;
        return active === document.body || (active?.closest('dialog') ?? null) !== null;
      });
      expect(inside, `Tab ${i + 1} left the dialog`).toBe(true);
    }
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    await expect.poll(() => page.evaluate(() => document.activeElement?.tagName)).not.toBe('BODY');
    expect(at.faults).toEqual([]);
  });
});
