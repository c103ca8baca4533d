// What a person does, in Chromium: set up, sign in, find devices, act on them, add one and watch it come;
// and what the page says when the server is away, refuses, or falls silent.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
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
}

async function end(): Promise<void> {
  await chrome.close();
  await server.close();
}

const rows = () => page.locator('tbody tr:not(.space)');
const filter = () => page.getByRole('combobox', { name: 'Filter devices' });

describe('set-up', () => {
  beforeAll(() => begin({ devices: 0, setupSecret: 'once-only' }));
  afterAll(end);

  it('takes the secret out of the address at once', async () => {
    await page.goto(`${server.url}/setup#once-only`);
    await page.getByRole('heading', { name: 'Set up' }).waitFor();
    expect(page.url()).toBe(`${server.url}/setup`);
    expect(await axe(page)).toEqual([]);
  });
  it('says what is wrong with a password, beside the field', async () => {
    await page.getByLabel('Password', { exact: true }).fill('password1234');
    await page.getByRole('button', { name: 'Make administrator' }).click();
    await page.getByText('too easy to guess').waitFor();
    expect(await page.getByLabel('Password', { exact: true }).getAttribute('aria-invalid')).toBe('true');
  });
  it('signs in, and an empty fleet offers the next step', async () => {
    await page.getByLabel('Password', { exact: true }).fill('correct horse battery');
    await page.getByRole('button', { name: 'Make administrator' }).click();
    await page.getByText('No device has joined yet.').waitFor();
    expect(await page.getByRole('main').getByRole('link', { name: 'Add device' }).count()).toBe(2);
    expect(await axe(page)).toEqual([]);
  });
  it('works once', async () => {
    await page.goto(`${server.url}/setup#once-only`);
    await page.getByText('has an administrator already').waitFor();
    expect(at.faults).toEqual([]);
  });
});

describe('sign-in', () => {
  beforeAll(() => begin({ devices: 3 }));
  afterAll(end);

  it('tells nothing but that name or password is wrong', async () => {
    await page.goto(server.url);
    await page.getByLabel('Name').fill('admin');
    await page.getByLabel('Password', { exact: true }).fill('wrong');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('Name or password is wrong.').waitFor();
  });
  it('counts down when there were too many', async () => {
    await page.getByLabel('Name').fill('busy');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('button', { name: /Wait \d+ s/ }).waitFor();
  });
  it('leads to the page that was asked for', async () => {
    const id = server.state.fleet.devices[0]!.id;
    await signIn(page, server.url, `/devices/${id}/twin`);
    await page.getByRole('heading', { name: 'Desired' }).waitFor();
  });
  it('ends with signing out, in every tab', async () => {
    const other = await chrome.open();
    await other.page.goto(`${server.url}/devices`);
    await other.page.getByRole('row').nth(1).waitFor();
    await page.goto(`${server.url}/devices`);
    await page.locator('summary.account').click();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await other.page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await other.page.close();
    expect(at.faults).toEqual([]);
  });
});

describe('devices', () => {
  beforeAll(async () => {
    await begin({ devices: 250 });
    await signIn(page, server.url);
  });
  afterAll(end);
  beforeEach(async () => {
    await page.goto(`${server.url}/devices`);
    await rows().nth(5).waitFor();
  });

  it('draws only the rows in view, and fetches the next page before the end', async () => {
    expect(await rows().count()).toBeLessThan(60);
    await page.locator('.list .scroller').evaluate((e) => e.scrollTo(0, 1e6));
    await page.getByText(/rows \d+ to (100|200|250) of 250/).waitFor();
    await expect.poll(async () => {
      await page.locator('.list .scroller').evaluate((e) => e.scrollTo(0, 1e6));
      return page.locator('.rows').textContent();
    }, { timeout: 10_000 }).toContain('to 250 of 250');
  });

  it('/ goes to the filter, and what is typed narrows the list and the address', async () => {
    await page.keyboard.press('/');
    await page.keyboard.type('type:camera -online');
    const expected = server.state.fleet.devices.filter((d) => d.type_name === 'camera' && !d.presence.online).length;
    await page.getByText(`${expected} of 250`).waitFor();
    expect(new URL(page.url()).searchParams.get('filter')).toBe('type:camera -online');
    await page.reload();
    await page.getByText(`${expected} of 250`).waitFor();
    expect(await filter().inputValue()).toBe('type:camera -online');
  });

  it('/ can be switched off', async () => {
    await page.locator('summary.account').click();
    await page.getByRole('group', { name: 'Shortcut / for the filter' }).getByLabel('off').check();
    await page.keyboard.press('Escape');
    await page.keyboard.press('/');
    expect(await filter().evaluate((e) => e === document.activeElement)).toBe(false);
    await page.evaluate(() => localStorage.clear());
  });

  it('completes with the keyboard', async () => {
    await filter().focus();
    await page.keyboard.type('state:quar');
    await page.getByRole('option', { name: 'state:quarantined' }).waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    expect(await filter().inputValue()).toBe('state:quarantined ');
    const expected = server.state.fleet.devices.filter((d) => d.state === 'quarantined').length;
    await page.getByText(`${expected} of 250`).waitFor();
  });

  it('tells what is wrong with the filter under it', async () => {
    await filter().fill('sate:active cam');
    await page.getByText('There is no key “sate”; did you mean state?').waitFor();
    await filter().fill('nothing-is-called-so');
    await page.getByText('No device matches this filter.').waitFor();
    await page.getByRole('button', { name: 'Clear the filter' }).click();
    await rows().nth(5).waitFor();
  });

  it('a facet adds to the filter and takes away again', async () => {
    const facet = page.getByRole('button', { name: /^quarantined/ });
    await facet.click();
    expect(await filter().inputValue()).toBe('state:quarantined');
    expect(await facet.getAttribute('aria-pressed')).toBe('true');
    await facet.click();
    expect(await filter().inputValue()).toBe('');
  });

  it('sorts by its headers', async () => {
    await page.getByRole('button', { name: 'Last seen' }).click();
    await expect.poll(() => page.locator('th[aria-sort=descending]').textContent()).toContain('Last seen');
    await page.getByRole('button', { name: 'Name' }).click();
    await page.getByRole('button', { name: /^Name/ }).click();
    const names = server.state.fleet.devices.map((d) => d.name.toLowerCase()).sort();
    await expect.poll(() => rows().first().getByRole('rowheader').textContent()).toContain(names.at(-1));
  });

  it('moves with the stream, without a change of height', async () => {
    const first = rows().first();
    const name = (await first.getByRole('rowheader').textContent()) ?? '';
    const device = server.state.fleet.devices.find((d) => name.includes(d.name) && name.trim() === d.name)!;
    const before = await first.boundingBox();
    await page.getByText(/^live/).waitFor();
    await page.waitForTimeout(700);
    server.state.change(device, { state: 'quarantined' });
    await first.getByText('quarantined').waitFor();
    expect(await first.boundingBox()).toEqual(before);
    server.state.change(device, { state: 'active' });
    await first.getByText('active').waitFor();
  });

  it('acts on many, saying first whom it leaves alone, and then who failed', async () => {
    await filter().fill('state:active type:camera');
    await page.getByText(/^\d+ of 250$/).waitFor();
    await rows().nth(2).waitFor();
    for (const i of [0, 1]) await rows().nth(i).getByRole('checkbox').check();
    await page.getByRole('button', { name: 'Quarantine', exact: true }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('2 devices:').waitFor();
    await dialog.getByLabel('Why').fill('fail');
    await dialog.getByRole('button', { name: 'Quarantine' }).click();
    await dialog.getByText('is busy.').first().waitFor();
    await dialog.getByRole('button', { name: 'Close' }).click();
    await page.getByRole('button', { name: 'Tag', exact: true }).click();
    await dialog.getByLabel('Tag').fill('bulk=yes');
    await dialog.getByRole('button', { name: 'Tag', exact: true }).click();
    await dialog.waitFor({ state: 'detached' });
    expect(server.state.fleet.devices.filter((d) => d.tags['bulk'] === 'yes')).toHaveLength(2);
  });

  it('selects a range with shift', async () => {
    await rows().nth(1).getByRole('checkbox').click();
    await rows().nth(6).getByRole('checkbox').click({ modifiers: ['Shift'] });
    await page.getByText('6 selected').waitFor();
  });

  afterEach(() => expect(at.faults).toEqual([]));
});

describe('device', () => {
  beforeAll(async () => {
    await begin({ devices: 30, stepMs: 300 });
    await signIn(page, server.url);
  });
  afterAll(end);
  afterEach(() => expect(at.faults).toEqual([]));
  const some = () => server.state.fleet.devices.find((d) => d.presence.online && d.certificate)!;

  it('draws its vital charts, and the values move', async () => {
    await page.goto(`${server.url}/devices/${some().id}`);
    await page.locator('.chart canvas').nth(3).waitFor();
    expect(await page.locator('.chart h3').allTextContents()).toEqual(['CPU %', 'Memory %', 'Disk %', 'Network B/s']);
    await page.getByText(/^live/).waitFor();
    await page.waitForTimeout(700);
    server.state.send('reading', some().id, {
      device_id: some().id, metric: 'cpu.usage_percent', time: new Date(Date.now() + 11_000).toISOString(), value: 99, time_source: 'device',
    });
    await page.locator('.chart').first().locator('b', { hasText: '99' }).waitFor();
  });
  it('reads all values out at one time by keyboard', async () => {
    const slider = page.getByRole('slider');
    await slider.focus();
    await page.keyboard.press('Home');
    for (let i = 0; i < 5; i++) await page.keyboard.press('ArrowRight');
    expect(await slider.getAttribute('aria-valuetext')).toMatch(/^\d\d:\d\d:\d\d: CPU [\d.]+ %, Memory [\d.]+ %, Disk/);
    await page.keyboard.press('+');
    await page.getByRole('button', { name: 'leave zoom' }).click();
    await page.getByRole('heading', { name: 'Last hour' }).waitFor();
  });
  it('zooms by dragging', async () => {
    const box = (await page.locator('.chart .u-over').first().boundingBox())!;
    await page.mouse.move(box.x + 100, box.y + 30);
    await page.mouse.down();
    await page.mouse.move(box.x + 300, box.y + 30, { steps: 5 });
    await page.mouse.up();
    await page.getByRole('button', { name: 'leave zoom' }).click();
  });
  it('tells a mark in one sentence', async () => {
    await page.getByRole('button', { name: '24 h' }).click();
    const lane = page.getByRole('listbox', { name: /Events/ });
    await lane.press('End');
    const words = await lane.getByRole('option', { selected: true }).textContent();
    await page.locator('.sentence', { hasText: words!.slice(9) }).waitFor();
  });
  it('shows an event as it happens', async () => {
    await page.goto(`${server.url}/devices/${some().id}/timeline`);
    await page.getByText('Today').waitFor();
    await page.getByText(/^live/).waitFor();
    await page.waitForTimeout(700);
    server.state.event(some(), 'event', 'warning', 'the door stands open');
    await page.getByText('the door stands open').waitFor();
  });
  it('searches the timeline', async () => {
    await page.getByLabel('Find').fill('door OPEN');
    await page.getByLabel('Find').press('Enter');
    await page.locator('.entry').nth(1).waitFor({ state: 'detached' });
    await page.locator('.entry').waitFor();
    expect(await page.locator('.entry').allTextContents()).toEqual([expect.stringContaining('the door stands open')]);
    await page.getByLabel('Severity').selectOption('critical');
    await page.getByText('Nothing that happened fits.').waitFor();
    await page.getByLabel('Find').fill('(');
    await page.getByLabel('Find').press('Enter');
    await page.getByText(/never closed/).waitFor();
    await page.getByRole('button', { name: 'Show all' }).click();
    await page.locator('.entry').nth(1).waitFor();
  });
  it('sends a command and shows its answer', async () => {
    await page.goto(`${server.url}/devices/${some().id}/commands`);
    await page.getByText('No command was sent').waitFor();
    await page.getByRole('button', { name: 'Command', exact: true }).click();
    await page.getByRole('dialog').getByLabel('Payload').fill('{"a":');
    await page.getByText(/^Not JSON/).waitFor();
    await page.getByRole('dialog').getByLabel('Payload').fill('{"a": 1}');
    await page.getByRole('button', { name: 'Send', exact: true }).click();
    await page.getByText('succeeded').waitFor();
    await page.getByText('{"pong":true}').first().waitFor();
  });
  it('changes the desired state, and refuses what is no object', async () => {
    await page.goto(`${server.url}/devices/${some().id}/twin`);
    await page.getByRole('button', { name: 'Change' }).click();
    await page.getByLabel('Desired state').fill('[]');
    await page.getByText('It must be an object').waitFor();
    await page.getByLabel('Desired state').fill('{"mode": "normal"}');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('version 8').waitFor();
    await page.getByText('in step').waitFor();
  });
  it('is not overwritten when someone else changed it meanwhile', async () => {
    await page.goto(`${server.url}/devices/${some().id}`);
    await page.getByText('More', { exact: true }).click();
    await page.getByRole('button', { name: 'Name, site, type, tags' }).click();
    server.state.silent = true;
    server.state.change(some(), { name: 'changed-by-other' });
    server.state.silent = false;
    await page.getByRole('dialog').getByLabel('Name').fill('mine');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('It has changed since you read it').waitFor();
    await page.getByRole('button', { name: /Take the newer state/ }).click();
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('heading', { name: 'mine' }).waitFor();
  });
  it('is quarantined and released', async () => {
    await page.getByRole('button', { name: 'Quarantine' }).click();
    await page.getByLabel('Why').fill('looks odd');
    await page.getByRole('dialog').getByRole('button', { name: 'Quarantine' }).click();
    await page.getByText('looks odd').first().waitFor();
    await page.getByRole('button', { name: 'Release' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Release' }).click();
    await page.getByRole('button', { name: 'Quarantine' }).waitFor();
  });
  it('that does not exist, or may not be seen, says so', async () => {
    await page.goto(`${server.url}/devices/dev_00000000000000000000000000`);
    await page.getByText('Permission is missing').waitFor();
    expect(await axe(page)).toEqual([]);
  });
});

describe('add device', () => {
  beforeAll(async () => {
    await begin({ devices: 5, stepMs: 250 });
    await signIn(page, server.url);
  });
  afterAll(end);

  it('shows a command that holds the code, and follows the device through a failure to its first reading', async () => {
    await page.getByRole('link', { name: 'Add device' }).click();
    await page.getByLabel('Type').selectOption({ label: 'camera' });
    await page.getByLabel('Site').selectOption({ label: 'Hall 4' });
    await page.getByLabel('Name').fill('cam-new');
    await page.getByLabel('Tags').fill('line=3, north');
    server.state.failStep = 'certificate_issued';
    await page.getByRole('button', { name: 'Show the code' }).click();
    const created = () => [...server.state.claims.values()][0]!;
    await page.getByText(created().created.code).waitFor();
    await page.getByRole('button', { name: 'Copy' }).click();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toContain(created().created.code);
    await page.getByText('The device offered an RSA key of 1024 bits.').waitFor();
    await page.getByText('Make a P-256 key').waitFor();
    await page.getByText('cam-new is here').waitFor();
    const device = server.state.fleet.devices.at(-1)!;
    expect([device.name, device.site_name, device.type_name, device.tags]).toEqual(['cam-new', 'Hall 4', 'camera', { line: '3', north: '' }]);
    await page.getByRole('link', { name: 'Open the device' }).click();
    await page.getByRole('heading', { name: 'cam-new' }).waitFor();
  });
  it('draws the code as a QR picture', async () => {
    server.state.options.stepMs = 60_000;
    await page.goto(`${server.url}/add`);
    await page.getByRole('button', { name: 'Show the code' }).click();
    await page.getByRole('button', { name: 'QR code' }).click();
    const path = await page.locator('svg.qr path').getAttribute('d');
    expect(path?.split('M').length).toBeGreaterThan(400);
    expect(await axe(page)).toEqual([]);
  });
  it('keeps the code nowhere but in the page: after a reload it says so', async () => {
    await page.reload();
    await page.getByText('The code was shown once').waitFor();
    await page.getByRole('button', { name: 'Revoke the code' }).click();
    await page.getByText('The code was revoked').waitFor();
    expect(at.faults).toEqual([]);
  });
});

describe('when the server is away', () => {
  beforeAll(async () => {
    await begin({ devices: 20 });
    await signIn(page, server.url);
    await rows().nth(3).waitFor();
  });
  afterAll(end);

  it('the list stays, marked as of when, and comes back by itself', async () => {
    await page.getByText(/^live/).waitFor();
    server.state.down = true;
    server.state.cutStreams();
    await page.getByText(/^reconnecting, as of/).waitFor();
    expect(await rows().count()).toBe(20);
    expect(await axe(page)).toEqual([]);
    server.state.down = false;
    await page.getByText(/^live/).waitFor();
  });
  it('a page that never had its data says why and tries again', async () => {
    server.state.down = true;
    await page.goto(`${server.url}/sites`);
    await page.getByText('The server cannot be reached').waitFor();
    expect(await axe(page)).toEqual([]);
    server.state.down = false;
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('heading', { name: 'Sites' }).waitFor();
  });
});

describe('a viewer', () => {
  beforeAll(async () => {
    await begin({ devices: 20, roles: ['viewer'] });
    await signIn(page, server.url);
  });
  afterAll(end);

  it('is offered nothing that would be refused', async () => {
    await rows().nth(3).waitFor();
    expect(await page.getByRole('link', { name: 'Add device' }).count()).toBe(0);
    expect(await page.getByRole('checkbox').count()).toBe(0);
    expect(await page.getByRole('link', { name: 'Audit' }).count()).toBe(0);
    await rows().first().getByRole('link').click();
    await page.locator('.tabs').waitFor();
    expect(await page.locator('.tabs a').allTextContents()).toEqual(['Overview', 'Twin', 'Commands', 'Timeline']);
    expect(await page.getByRole('button', { name: 'Quarantine' }).count()).toBe(0);
    await page.goto(`${server.url}/add`);
    await page.getByText('claim.write').waitFor();
    expect(at.faults).toEqual([]);
  });
});
