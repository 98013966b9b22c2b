// A browser, the daemon's API and the database, for the console's tests.
import assert from 'node:assert/strict';
import {spawn, execFileSync} from 'node:child_process';
import {setTimeout as pause} from 'node:timers/promises';

export const url = process.env.CONSOLE_URL;
const {chromium} = await import(`${process.env.CONSOLE_PACKAGES}/playwright-core/index.mjs`);
export const axe_path = `${process.env.CONSOLE_PACKAGES}/axe-core/axe.min.js`;

// --- the API, as any client has it

async function ask(path, options) {
  const reply = await fetch(url + path, options);
  const body = await reply.json();
  assert.ok(reply.ok, `${path}: ${JSON.stringify(body)}`);
  return body;
}
export const get = (path) => ask(path);
export const post = (path, body, type = 'application/json') =>
  ask(path, {method: 'POST', headers: {'Content-Type': type}, body: typeof body === 'string' ? body : JSON.stringify(body)});

export async function create({text, target}) {
  const {digest} = await post('/api/v1/plans', text, 'application/yaml');
  return (await post('/api/v1/runs', {plan: digest, target})).run;
}
export const verb = (run, name, body = {}) => post(`/api/v1/runs/${run}/${name}`, body);

export async function until(condition, what) {
  const end = Date.now() + 90000;
  for (;;) {
    const found = await condition();
    if (found) {
      return found;
    }
    assert.ok(Date.now() < end, `waited in vain for: ${what}`);
    await pause(50);
  }
}
export const until_state = (run, ...states) => until(async () => {
  const now = await get(`/api/v1/runs/${run}`);
  return states.includes(now.state) && now;
}, `run ${run} to be ${states}`);

// --- the database

const psql = (target, ...more) => ['-d', process.env[`CONSOLE_DSN_${target}`], '-XAtq', '-v', 'ON_ERROR_STOP=1', ...more];
export const sql = (text, target = 'main') => execFileSync('psql', psql(target, '-c', text), {encoding: 'utf8'}).trim();

// A session that holds what it was told to, until it is let go.
export async function hold(text) {
  const child = spawn('psql', psql('main'), {env: {...process.env, PGAPPNAME: 'report'}});
  const said = new Promise((tell) => child.stdout.once('data', tell));
  child.stdin.write(`BEGIN; ${text}; SELECT 'held';\n`);
  await said;
  return () => new Promise((gone) => {
    child.once('exit', gone);
    child.stdin.end('ROLLBACK;\n');
  });
}

// --- the browser

export const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
});

// Whatever comes next finds all targets free.
export async function free() {
  for (const run of (await get('/api/v1/runs?state=unfinished')).runs) {
    await verb(run.run, 'cancel', {confirm: run.plan.name});
    await until_state(run.run, 'cancelled', 'rolled_back', 'succeeded');
  }
}
export async function finish() {
  await browser.close();
  await free();
}

// A page that fails its test when a policy is broken, a script throws, or anything is fetched from elsewhere.
export async function open(path, options = {}) {
  const context = await browser.newContext({viewport: {width: 1280, height: 900}, locale: 'en-GB', timezoneId: 'Europe/Berlin', ...options});
  const page = await context.newPage();
  page.setDefaultTimeout(20000);
  const wrong = [];
  await page.addInitScript(() => {
    window.policy_broken = [];
    document.addEventListener('securitypolicyviolation', (event) => window.policy_broken.push(`${event.violatedDirective} ${event.blockedURI}`));
  });
  page.on('pageerror', (error) => wrong.push(String(error)));
  page.on('console', (line) => /Content Security Policy|TrustedHTML|TrustedScript/.test(line.text()) && wrong.push(line.text()));
  page.on('request', (request) => !request.url().startsWith(url) && wrong.push(`asked elsewhere: ${request.url()}`));
  await page.goto(url + path);
  await page.locator('main h1').waitFor();
  page.done = async () => {
    assert.deepEqual([...wrong, ...await page.evaluate(() => window.policy_broken)], []);
    await context.close();
  };
  return page;
}

export const state_of = (page) => page.locator('.headline .state').innerText();
export const until_shown = (page, word) => page.locator('.headline .state', {hasText: word}).waitFor({timeout: 60000});
