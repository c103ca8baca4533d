// Drives the console in Chromium against a real server; see README.md. Prints one JSON line a step.
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const modules = createRequire(new URL('../../console/package.json', import.meta.url));
const { chromium } = modules('playwright-core');
const axeSource = readFileSync(modules.resolve('axe-core/axe.min.js'), 'utf8');

const env = (name) => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
};
const url = env('HOLDFAST_URL').replace(/\/$/, '');
const setupLink = env('HOLDFAST_SETUP');
const agent = env('HOLDFAST_AGENT');
const ca = process.env.HOLDFAST_CA;
const shots = process.env.SHOTS;
const pictures = process.env.PICTURES;
const kName = 'admin';
const kPassword = 'correct horse battery';
const kDevice = 'this-machine';
/** The agent samples each ten seconds; a loaded machine takes longer. */
const kReadingMs = 45_000;

const work = mkdtempSync(join(tmpdir(), 'holdfast-console-'));
const children = [];

// ---- the browser, which trusts this one CA and reaches nothing but this machine

function trust(home) {
  const store = `sql:${join(home, '.pki/nssdb')}`;
  mkdirSync(join(home, '.pki/nssdb'), { recursive: true });
  execFileSync('certutil', ['-d', store, '-N', '--empty-password'], { stdio: 'ignore' });
  execFileSync('certutil', ['-d', store, '-A', '-t', 'C,,', '-n', 'holdfast', '-i', ca], { stdio: 'ignore' });
}

const home = join(work, 'home');
mkdirSync(home);
if (ca) trust(home);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  env: { ...process.env, HOME: home },
  args: [
    '--no-sandbox',
    '--force-color-profile=srgb',
    '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE *.localhost, EXCLUDE 127.0.0.1',
  ],
});
const context = await browser.newContext({ permissions: ['clipboard-read', 'clipboard-write'] });
context.setDefaultTimeout(15_000);
const faults = [];

async function openPage() {
  const opened = await context.newPage();
  await opened.setViewportSize({ width: 1360, height: 760 });
  opened.on('pageerror', (e) => faults.push(`error: ${e.message}`));
  opened.on('request', (r) => {
    if (new URL(r.url()).origin !== new URL(url).origin) faults.push(`request to ${r.url()}`);
  });
  await opened.exposeFunction('holdfastViolation', (text) => faults.push(`policy: ${text}`));
  await opened.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (e) => window.holdfastViolation(`${e.violatedDirective} ${e.blockedURI}`));
  });
  return opened;
}
const page = await openPage();

// ---- steps

let failed = 0;
async function step(name, run) {
  const began = Date.now();
  try {
    const detail = await run();
    if (pictures) await page.screenshot({ path: join(pictures, `${name.replaceAll(/\W+/g, '-')}.png`) });
    console.log(JSON.stringify({ step: name, ok: true, detail: detail ?? '', seconds: (Date.now() - began) / 1000 }));
  } catch (error) {
    failed += 1;
    if (shots) {
      mkdirSync(shots, { recursive: true });
      await page.screenshot({ path: join(shots, `${name.replaceAll(/\W+/g, '-')}.png`) }).catch(() => undefined);
    }
    const text = await page.locator('body').innerText({ timeout: 1_000 }).catch(() => '');
    console.log(JSON.stringify({ step: name, ok: false, detail: `${error.message}\n--- the page says:\n${text.slice(0, 1500)}` }));
  }
}

function must(condition, message) {
  if (!condition) throw new Error(message);
}

async function axe(where) {
  await page.evaluate(axeSource);
  const found = await page.evaluate(async () =>
    (await window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'], resultTypes: ['violations'] })).violations.map(
      (v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ')).join(', ')}`,
    ),
  );
  must(found.length === 0, `axe on ${where}: ${found.join('; ')}`);
}

async function everyLook(where) {
  try {
    for (const colorScheme of ['light', 'dark']) {
      for (const width of [1360, 360]) {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        await page.setViewportSize({ width, height: 760 });
        // Two frames: charts follow the new width in the first.
        const wider = await page.evaluate(async () => {
          await document.fonts.ready;
          await new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)));
          return document.documentElement.scrollWidth - window.innerWidth;
        });
        must(wider <= 0, `${where} is ${wider} px wider than ${width} px`);
        await axe(`${where}, ${colorScheme}, ${width} px`);
      }
    }
  } finally {
    await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
    await page.setViewportSize({ width: 1360, height: 760 });
  }
}

async function signIn(password) {
  await page.getByLabel('Name').fill(kName);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

/** Runs the agent; resolves with its exit code and what it said. `input` goes to its standard input. */
function runAgent(args, input) {
  const child = spawn(agent, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  children.push(child);
  let said = '';
  child.stdout.on('data', (d) => (said += d));
  child.stderr.on('data', (d) => (said += d));
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const over = new Promise((done) => child.on('close', (code) => done({ code, said })));
  return { child, over, said: () => said };
}

let deviceUrl = '';
const state = join(work, 'agent');

async function setUp() {
  await page.goto(setupLink);
  await page.getByRole('heading', { name: 'Set up' }).waitFor();
  must(!page.url().includes('#'), `the secret stays in the address: ${page.url()}`);
  await axe('set-up');
  await page.getByLabel('Name').fill(kName);
  await page.getByLabel('Password', { exact: true }).fill(kPassword);
  await page.getByRole('button', { name: 'Make administrator' }).click();
  await page.getByRole('heading', { name: 'Devices' }).waitFor();
}

async function setUpIsOver() {
  const other = await openPage();
  await other.goto(setupLink);
  await other.getByText('has an administrator already').waitFor();
  await other.close();
}

async function signOutAndIn() {
  await page.locator('summary.account').click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await axe('sign-in');
  await signIn('not the password');
  await page.getByText('Name or password is wrong.').waitFor();
  await signIn(kPassword);
  await page.getByRole('navigation', { name: 'Pages' }).waitFor();
  const cookies = await context.cookies();
  const cookie = cookies.find((c) => c.name === '__Host-holdfast');
  must(cookie?.httpOnly && cookie.secure && cookie.sameSite === 'Strict', `the cookie is ${JSON.stringify(cookie)}`);
}

async function addSite() {
  await page.getByRole('link', { name: 'Sites' }).click();
  await page.getByRole('button', { name: 'Add site' }).click();
  await page.getByRole('dialog').getByLabel('Name').fill('Hall 4');
  await page.getByRole('dialog').getByRole('button', { name: 'Add site' }).click();
  await page.getByRole('rowheader', { name: 'Hall 4' }).waitFor();
}

async function firstReading() {
  const began = Date.now();
  await page.goto(`${url}/add`);
  await page.getByLabel('Site').selectOption({ label: 'Hall 4' });
  await page.getByLabel('Name').fill(kDevice);
  await page.getByLabel('Tags').fill('line=3, north');
  await page.getByRole('button', { name: 'Show the code' }).click();
  await page.getByRole('button', { name: 'QR code' }).click();
  const code = (await page.locator('.code-text').textContent()) ?? '';
  must(/^hf1\./.test(code), `not a code: ${code}`);
  await page.getByText('Waiting for the device').first().waitFor();
  await everyLook('add device');
  const join_ = await runAgent(['join', '-', '--state', state], code).over;
  must(join_.code === 0, `holdfast-agent join: exit ${join_.code}: ${join_.said}`);
  const running = runAgent(['run', '--state', state], '');
  await page.getByText(`${kDevice} is here`).waitFor({ timeout: kReadingMs }).catch((e) => {
    throw new Error(`${e.message}\n--- the agent said:\n${running.said().slice(-1500)}`);
  });
  await page.getByRole('link', { name: 'Open the device' }).click();
  await page.getByRole('heading', { name: kDevice }).waitFor();
  deviceUrl = page.url();
  return `${((Date.now() - began) / 1000).toFixed(1)} s from opening Add device`;
}

async function liveCharts() {
  await page.goto(deviceUrl);
  await page.locator('.chart canvas').nth(2).waitFor({ timeout: kReadingMs });
  const titles = (await page.locator('.chart h3').allTextContents()).map((t) => t.replace(/ .*/, ''));
  for (const wanted of ['CPU', 'Memory', 'Disk']) must(titles.includes(wanted), `no chart ${wanted} among ${titles}`);
  await page.getByText(/^live/).waitFor();
  // Two different values without a reload: the second came by the stream.
  const values = () => page.locator('.chart .readout b').allTextContents();
  const before = (await values()).join();
  const end = Date.now() + kReadingMs;
  while ((await values()).join() === before) {
    must(Date.now() < end, `no value moved: ${before}`);
    await page.waitForTimeout(250);
  }
  await everyLook('device');
  await page.getByRole('button', { name: 'table' }).click();
  must((await page.getByRole('cell').count()) > 10, 'the table is empty');
  return `${before} became ${(await page.locator('.table-view tbody tr').count())} rows`;
}

async function list() {
  await page.goto(`${url}/devices`);
  const row = page.getByRole('row', { name: new RegExp(kDevice) });
  await row.waitFor();
  must((await row.textContent()).includes('Hall 4'), 'the site is missing in the row');
  await row.getByRole('img', { name: 'online' }).waitFor();
  await page.getByRole('button', { name: /^line=3/ }).click();
  await row.waitFor();
  await page.getByRole('combobox').fill('-online');
  await page.getByText('No device matches this filter.').waitFor();
  await page.getByRole('button', { name: 'Clear the filter' }).click();
  await row.waitFor();
  await everyLook('devices');
}

async function oneStream() {
  const tabs = [];
  for (let i = 0; i < 7; i++) tabs.push(await openPage());
  for (const tab of tabs) {
    await tab.goto(`${url}/devices`);
    await tab.getByText(/^live/).waitFor();
  }
  for (const tab of tabs) await tab.close();
  return 'eight tabs, all live';
}

async function command() {
  await page.goto(`${deviceUrl}/commands`);
  await page.getByRole('button', { name: 'Command', exact: true }).click();
  await page.getByRole('dialog').getByLabel('Name').fill('ping');
  await page.getByRole('button', { name: 'Send', exact: true }).click();
  await page.getByText('succeeded').first().waitFor({ timeout: 20_000 });
}

async function twin() {
  await page.goto(`${deviceUrl}/twin`);
  await page.getByRole('button', { name: 'Change' }).click();
  await page.getByLabel('Desired state').fill('{"note": "from the console"}');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('version 1').first().waitFor();
}

async function timeline() {
  await page.goto(`${deviceUrl}/timeline`);
  await page.getByText('Today').waitFor();
  must((await page.locator('.entry').count()) > 1, 'the timeline is empty');
  await everyLook('timeline');
}

async function quarantine() {
  await page.goto(deviceUrl);
  await page.getByText('online', { exact: true }).first().waitFor();
  await page.getByRole('button', { name: 'Quarantine' }).click();
  await page.getByLabel('Why').fill('a test');
  const began = Date.now();
  await page.getByRole('dialog').getByRole('button', { name: 'Quarantine' }).click();
  await page.locator('.device-head .badge', { hasText: 'offline' }).waitFor({ timeout: 10_000 });
  const seconds = (Date.now() - began) / 1000;
  await page.getByText('a test').first().waitFor();
  await page.getByRole('button', { name: 'Release' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Release' }).click();
  await page.locator('.device-head .badge', { hasText: /^(active|enrolled)$/ }).waitFor();
  return `offline on the page after ${seconds.toFixed(1)} s`;
}

async function audit() {
  await page.goto(`${url}/audit`);
  await page.getByText('quarantine device').first().waitFor();
  await everyLook('audit');
}

/** The test beside us kills the server and starts it again on the same ports. */
async function serverComesBack() {
  await page.goto(`${url}/devices`);
  await page.getByText(/^live/).waitFor();
  const rows = await page.locator('tbody tr:not(.space)').count();
  writeFileSync(join(env('HOLDFAST_BRIDGE'), 'restart-please'), '');
  await page.getByText(/^reconnecting, as of/).waitFor();
  must((await page.locator('tbody tr:not(.space)').count()) === rows, 'the list went with the server');
  await axe('a stale list');
  await page.getByText(/^live/).waitFor({ timeout: 40_000 });
  must((await page.getByRole('heading', { name: 'Sign in' }).count()) === 0, 'the session did not outlive the server');
  // It is alive again, not only marked so: the agent comes back and its newest reading moves the list.
  await page.locator('tbody tr', { hasText: kDevice }).getByText(/^online/).waitFor({ timeout: 60_000 });
}

/** Ended elsewhere, as by an administrator: the next thing that the page asks for tells it. */
async function sessionEnds() {
  await page.goto(`${url}/sites`);
  await page.getByRole('heading', { name: 'Sites' }).waitFor();
  const status = await page.evaluate(
    async () => (await fetch('/v1/session', { method: 'DELETE', headers: { 'X-Holdfast-CSRF': '1' } })).status,
  );
  must(status === 204, `ending the session answered ${status}`);
  await page.getByRole('link', { name: 'Audit' }).click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor({ timeout: 30_000 });
  must(page.url() === `${url}/audit`, 'the address was lost');
  await signIn(kPassword);
  await page.getByRole('heading', { name: 'Audit' }).waitFor();
}

async function clean() {
  must(faults.length === 0, faults.slice(0, 10).join('\n'));
}

const overall = setTimeout(() => {
  console.log(JSON.stringify({ step: 'in time', ok: false, detail: 'the driver took longer than 220 s' }));
  finish(1);
}, 220_000);

async function finish(code) {
  clearTimeout(overall);
  for (const child of children) child.kill('SIGTERM');
  await browser.close().catch(() => undefined);
  rmSync(work, { recursive: true, force: true });
  process.exit(code);
}

await step('set up by the link', setUp);
await step('the link works once', setUpIsOver);
await step('sign out and in', signOutAndIn);
await step('add a site', addSite);
await step('first reading', firstReading);
await step('live charts', liveCharts);
await step('device list', list);
await step('one stream for all tabs', oneStream);
await step('command', command);
await step('twin', twin);
await step('timeline', timeline);
await step('the server goes and comes back', serverComesBack);
await step('quarantine', quarantine);
await step('audit', audit);
await step('a session ends elsewhere', sessionEnds);
await step('no error, no violation, no other host', clean);
await finish(failed > 0 ? 1 : 0);
