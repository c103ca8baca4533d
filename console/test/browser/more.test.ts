// The quieter corners: sites, settings, the drawer, revoking and moving, commands that wait, large fleets.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { serveMock, type MockServer } from '../../dev/mock/serve';
import type { MockOptions } from '../../dev/mock/state';
import { axe, signIn, startChrome, type Chrome, type WatchedPage } from './chrome';

let server: MockServer;
let chrome: Chrome;
let at: WatchedPage;
let page: Page;

async function begin(options: Partial<MockOptions>): Promise<void> {
  server = await serveMock(options);
  chrome = await startChrome(server.url);
  at = await chrome.open();
  page = at.page;
  await signIn(page, server.url);
}

async function end(): Promise<void> {
  await chrome.close();
  await server.close();
}

const dialog = () => page.getByRole('dialog');

describe('sites', () => {
  beforeAll(() => begin({ devices: 12 }));
  afterAll(end);
  afterEach(() => expect(at.faults).toEqual([]));

  it('are added, and a name that is taken is refused in place', async () => {
    await page.goto(`${server.url}/sites`);
    await page.getByRole('button', { name: 'Add site' }).click();
    await dialog().getByLabel('Name').fill('Hall 4');
    await dialog().getByRole('button', { name: 'Add site' }).click();
    await dialog().getByText('The name is taken').waitFor();
    expect(await axe(page)).toEqual([]);
    await dialog().getByLabel('Name').fill('Hall 5');
    await dialog().getByRole('button', { name: 'Add site' }).click();
    await page.getByRole('rowheader', { name: 'Hall 5' }).waitFor();
  });
  it('are renamed', async () => {
    await page.getByRole('button', { name: 'Change Hall 5' }).click();
    await dialog().getByLabel('Name').fill('Hall 6');
    await dialog().getByRole('button', { name: 'Save' }).click();
    await page.getByRole('rowheader', { name: 'Hall 6' }).waitFor();
  });
  it('are removed only when empty, and the dialog says so first', async () => {
    await page.getByRole('button', { name: 'Remove Hall 4' }).click();
    await dialog().getByText(/devices stand there/).waitFor();
    expect(await dialog().getByRole('button', { name: 'Remove' }).isDisabled()).toBe(true);
    await page.keyboard.press('Escape');
    await dialog().waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Remove Hall 6' }).click();
    await dialog().getByRole('button', { name: 'Remove' }).click();
    await page.getByRole('rowheader', { name: 'Hall 6' }).waitFor({ state: 'detached' });
  });
  it('lead to their devices', async () => {
    await page.getByRole('link', { name: 'Hall 4' }).click();
    await page.getByRole('combobox').waitFor();
    expect(await page.getByRole('combobox').inputValue()).toBe('site:"Hall 4"');
  });
});

describe('settings', () => {
  beforeAll(() => begin({ devices: 12 }));
  afterAll(end);

  it('dark is dark, stays after a reload, and the charts follow', async () => {
    const device = server.state.fleet.devices.find((d) => d.presence.online)!;
    await page.goto(`${server.url}/devices/${device.id}`);
    await page.locator('.chart canvas').nth(3).waitFor();
    const pixel = () =>
      page.locator('.chart canvas').first().evaluate((c) => {
        const canvas = c as HTMLCanvasElement;
        const data = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height).data;
        const seen = new Map<string, number>();
        for (let i = 0; i < data.length; i += 4) {
          if (data[i + 3] !== 255) continue;
          const key = `${data[i]},${data[i + 1]},${data[i + 2]}`;
          seen.set(key, (seen.get(key) ?? 0) + 1);
        }
        return [...seen].sort((a, b) => b[1] - a[1])[0]?.[0] ?? '';
      });
    const ground = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    await expect.poll(pixel).not.toBe('');
    const [light, lightGround] = [await pixel(), await ground()];
    await page.locator('summary.account').click();
    await page.getByRole('group', { name: 'Colours' }).getByLabel('dark').check();
    expect(await ground()).not.toBe(lightGround);
    await expect.poll(pixel).not.toBe(light);
    await page.reload();
    await page.locator('.chart canvas').first().waitFor();
    expect(await ground()).toBe('rgb(14, 19, 21)');
  });
  it('rows are comfortable when asked', async () => {
    await page.goto(`${server.url}/devices`);
    const row = page.locator('tbody tr:not(.space)').first();
    expect((await row.boundingBox())?.height).toBe(32);
    await page.locator('summary.account').click();
    await page.getByRole('group', { name: 'Rows' }).getByLabel('comfortable').check();
    await expect.poll(async () => (await row.boundingBox())?.height).toBe(40);
    expect(at.faults).toEqual([]);
  });
  it('the drawer opens, moves and closes by keyboard on a phone', async () => {
    await page.setViewportSize({ width: 360, height: 720 });
    const link = page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Sites' });
    expect(await link.isVisible()).toBe(false);
    await page.getByRole('button', { name: 'Menu' }).click();
    await link.waitFor();
    expect(await axe(page)).toEqual([]);
    await link.press('Enter');
    await page.getByRole('heading', { name: 'Sites' }).waitFor();
    expect(await link.isVisible()).toBe(false);
  });
});

describe('one device', () => {
  beforeAll(() => begin({ devices: 40, stepMs: 200 }));
  afterAll(end);
  afterEach(() => expect(at.faults).toEqual([]));
  const offline = () => server.state.fleet.devices.find((d) => !d.presence.online && d.state === 'active')!;
  const online = () => server.state.fleet.devices.find((d) => d.presence.online && d.certificate && d.state === 'active')!;

  it('that is offline says why, and a command to it waits and can be cancelled', async () => {
    await page.goto(`${server.url}/devices/${offline().id}/commands`);
    await page.getByRole('button', { name: 'Command', exact: true }).click();
    await dialog().getByText('The device is offline.').waitFor();
    await dialog().getByRole('button', { name: 'Send' }).click();
    await page.getByText('queued').click();
    await page.getByRole('button', { name: 'Cancel the command' }).click();
    await page.getByText('cancelled').waitFor();
    await page.goto(`${server.url}/devices/${offline().id}`);
    await page.getByRole('heading', { name: 'Why offline' }).waitFor();
  });
  it('tells a failed command in the device’s own words', async () => {
    await page.goto(`${server.url}/devices/${online().id}/commands`);
    await page.getByRole('button', { name: 'Command', exact: true }).click();
    await dialog().getByLabel('Name').fill('fail');
    await dialog().getByRole('button', { name: 'Send' }).click();
    await page.getByText('this device does not know “fail”').first().waitFor();
  });
  it('loses its certificates only after a reason, and then offers a release no more', async () => {
    const device = online();
    await page.goto(`${server.url}/devices/${device.id}`);
    await page.getByText('More', { exact: true }).click();
    await page.getByRole('button', { name: 'Revoke certificates' }).click();
    expect(await dialog().getByRole('button', { name: 'Revoke' }).isDisabled()).toBe(true);
    await dialog().getByLabel('Why').fill('stolen');
    await dialog().getByRole('button', { name: 'Revoke' }).click();
    await page.locator('.facts .badge', { hasText: 'revoked' }).waitFor();
    await page.getByRole('button', { name: 'Release' }).click();
    await dialog().getByText(/revoked certificates: it enrols again/).waitFor();
    expect(await dialog().getByRole('button', { name: 'Release' }).isDisabled()).toBe(true);
    await page.keyboard.press('Escape');
  });
  it('leads to its audit, before and after', async () => {
    await page.getByRole('link', { name: 'Audit' }).last().click();
    await page.getByText('revoke device').click();
    await page.getByText('"reason": "stolen"').waitFor();
  });
  it('leads back by its site and type', async () => {
    const device = online();
    await page.goto(`${server.url}/devices/${device.id}`);
    await page.locator('.crumbs').getByRole('link').nth(1).click();
    await page.getByRole('combobox').waitFor();
    expect(await page.getByRole('combobox').inputValue()).toMatch(/^(site|type):/);
  });
  it('can show other metrics', async () => {
    await page.goto(`${server.url}/devices/${online().id}`);
    await page.locator('.chart canvas').nth(3).waitFor();
    await page.getByText('metrics', { exact: true }).click();
    await page.getByRole('group', { name: 'Shown' }).getByLabel(/^Load/).check();
    await page.locator('.chart h3', { hasText: 'Load' }).waitFor();
    await page.getByRole('group', { name: 'Shown' }).getByLabel(/^CPU/).first().uncheck();
    await page.locator('.chart h3', { hasText: 'CPU' }).waitFor({ state: 'detached' });
  });
});

describe('a fleet of 12,480', () => {
  beforeAll(() => begin({ devices: 12_480 }));
  afterAll(end);

  it('shows its first rows and counts soon, and stays light', async () => {
    await page.locator('tbody tr:not(.space)').nth(5).waitFor();
    await page.locator('.title .of', { hasText: '12,480' }).waitFor();
    expect(await page.locator('tbody tr').count()).toBeLessThan(60);
    expect(await page.evaluate(() => document.querySelectorAll('*').length)).toBeLessThan(2_000);
  });
  it('is followed by the rows in view, not whole', async () => {
    await page.getByText(/^live/).waitFor();
    await expect.poll(() => server.state.followed(), { timeout: 10_000 }).toBeGreaterThan(5);
    expect(server.state.followed()).toBeLessThanOrEqual(200);
    expect(at.faults).toEqual([]);
  });
});
