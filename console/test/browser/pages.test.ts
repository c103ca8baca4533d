// Every page in Chromium under the product's policy: light and dark, wide and at 360 px. axe finds nothing,
// nothing is wider than the window, no policy is violated, no other host is asked.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { serveMock, type MockServer } from '../../dev/mock/serve';
import { axe, settled, signIn, startChrome, type Chrome, type WatchedPage } from './chrome';

let server: MockServer;
let chrome: Chrome;
beforeAll(async () => {
  server = await serveMock({ devices: 60 });
  chrome = await startChrome(server.url);
  const { page } = await chrome.open();
  await page.goto(server.url);
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  expect(await axe(page)).toEqual([]);
  await signIn(page, server.url);
  await page.close();
});
afterAll(async () => {
  await chrome.close();
  await server.close();
});

const looks = [
  { width: 1360, height: 760, scheme: 'light' },
  { width: 1360, height: 760, scheme: 'dark' },
  { width: 360, height: 720, scheme: 'light' },
  { width: 360, height: 720, scheme: 'dark' },
] as const;

async function inspect({ page, faults }: WatchedPage): Promise<void> {
  await settled(page);
  const wider = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  expect(wider, 'wider than the window').toBeLessThanOrEqual(0);
  expect(await axe(page)).toEqual([]);
  expect(faults).toEqual([]);
}

const chart = (page: Page) => page.locator('.chart canvas').first().waitFor();

describe.each(looks)('$width px, $scheme', (look) => {
  let at: WatchedPage;
  beforeAll(async () => {
    at = await chrome.open(look);
  });
  afterAll(() => at.page.close());
  const visit = async (path: string, ready: (page: Page) => Promise<unknown>) => {
    await at.page.goto(server.url + path);
    await ready(at.page);
    await inspect(at);
  };
  const online = () => server.state.fleet.devices.find((d) => d.presence.online)!;

  it('devices', () => visit('/devices', (p) => p.getByRole('row').nth(3).waitFor()));
  it('device', () => visit(`/devices/${online().id}`, chart));
  it('device, as a table', () =>
    visit(`/devices/${online().id}`, async (p) => {
      await p.getByRole('button', { name: 'table' }).click();
      await p.getByRole('cell').first().waitFor();
    }));
  it('twin', () => visit(`/devices/${online().id}/twin`, (p) => p.getByRole('button', { name: 'Change' }).click()));
  it('timeline', () => visit(`/devices/${online().id}/timeline`, (p) => p.locator('summary').nth(1).click()));
  it('sites', () => visit('/sites', (p) => p.getByRole('button', { name: 'Add site' }).click()));
  it('audit', () => visit('/audit', (p) => p.getByRole('heading', { name: 'Audit' }).waitFor()));
  it('add device', () =>
    visit('/add', async (p) => {
      await p.getByText('Only for one serial number').click();
      await p.getByLabel('Serial number').waitFor();
    }));
  it('a page that does not exist', () => visit('/nowhere', (p) => p.getByRole('heading', { name: 'No such page' }).waitFor()));
});
