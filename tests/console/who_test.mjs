// With tokens: who is not known logs in, and sees and does what his roles allow. Runs last, since the first token ends
// local mode for good.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {after, test} from 'node:test';
import {browser, create, open, until_shown, until_state, verb} from './browser.mjs';
import {three_phases} from './plans.mjs';

after(() => browser.close());

const make_token = (principal, role) => execFileSync(process.env.CONSOLE_RUNBOOKD,
  ['--config', process.env.CONSOLE_SETTINGS, 'token', 'create', '--principal', principal, '--role', role],
  {encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore']}).trim();

async function log_in(page, token) {
  await page.getByLabel('Token').fill(token);
  await page.getByRole('button', {name: 'Log in', exact: true}).click();
  await page.locator('.run-top').waitFor();
}

test('local mode says so on every page; from the first token on one logs in, sees, pauses and logs out', async () => {
  const run = await create(three_phases({rows: 20}));
  await verb(run, 'start');
  await until_state(run, 'waiting');
  const before = await open(`/runs/${run}`);
  await before.locator('.local-mode', {hasText: 'nobody is asked for a token'}).waitFor();
  await before.done();

  const operator = make_token('ana', 'operator');
  const viewer = make_token('vic', 'viewer');
  const page = await open(`/runs/${run}`);
  assert.equal(await page.locator('h1').innerText(), 'Log in');
  assert.equal(await page.locator('.run-top').count(), 0);
  await page.getByLabel('Token').fill('rbd_00000000_' + '0'.repeat(64));
  await page.getByRole('button', {name: 'Log in', exact: true}).click();
  await page.getByRole('alert').getByText(/not one of this daemon/).waitFor();

  await log_in(page, operator);
  assert.ok(!page.url().includes('rbd_'), 'no token in an address');
  assert.equal(await page.evaluate(() => document.cookie), '', 'no script sees the cookie');
  assert.match(await page.locator('.who').innerText(), /ana\s+operator/);
  assert.equal(await page.locator('.local-mode').count(), 0);
  await page.locator('.link', {hasText: /^live$/}).waitFor();
  await page.getByRole('button', {name: 'Pause', exact: true}).click();
  await until_shown(page, 'paused');
  await page.getByText('Last said by ana').waitFor();

  await page.getByRole('button', {name: 'Log out', exact: true}).click();
  await page.getByLabel('Token').waitFor();
  await page.reload();
  await page.getByLabel('Token').waitFor();

  await log_in(page, viewer);
  assert.ok(await page.getByRole('button', {name: 'Pause', exact: true}).isDisabled());
  assert.match(await page.locator('.why-not').innerText(), /oncall, operator, admin.*vic has viewer/);
  assert.equal(await page.locator('.verbs .choices').innerText(), '');
  await page.done();
});
