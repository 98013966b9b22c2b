// With tokens: who is not known logs in, and sees and does what his roles allow. Runs last, since the first token ends
// local mode for good.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {after, test} from 'node:test';
import {axe_path, browser, create, open, until_shown, until_state, verb} from './browser.mjs';
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

test('an auditor searches the audit, lets it be verified and takes it along, by keyboard and on a narrow screen', async () => {
  const auditor = make_token('cleo', 'auditor');
  for (const [width, theme] of [[360, 'dark'], [1280, 'light']]) {
    const page = await open('/audit?action=pause', {viewport: {width, height: 800}, colorScheme: theme, bypassCSP: true});
    await page.getByLabel('Token').fill(auditor);
    await page.getByRole('button', {name: 'Log in', exact: true}).click();
    await page.getByRole('heading', {name: 'Audit', exact: true}).waitFor();
    const entry = page.locator('.run-row', {hasText: 'pause'}).first();
    assert.match(await entry.innerText(), /by ana: allowed/);
    await entry.locator('summary').click();
    assert.match(await entry.innerText(), /hash\s+[0-9a-f]{64}/);
    await page.getByRole('button', {name: 'Verify the chain'}).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('status').getByText('Sound').waitFor();
    if (process.env.CONSOLE_SHOTS) {
      await page.screenshot({path: `${process.env.CONSOLE_SHOTS}/audit-${theme}-${width}.png`, fullPage: true});
    }
    await page.addScriptTag({path: axe_path});
    const {violations} = await page.evaluate(() => window.axe.run(document, {resultTypes: ['violations']}));
    assert.deepEqual(violations.filter((each) => ['serious', 'critical'].includes(each.impact)).map((each) => each.id), []);
    assert.ok(await page.evaluate(() => document.scrollingElement.scrollWidth <= document.documentElement.clientWidth));
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', {name: 'Export all of it'}).click()]);
    assert.equal(download.suggestedFilename(), 'runbookd-audit.ndjson');
    await page.getByRole('button', {name: 'Log out', exact: true}).click();
    await page.getByLabel('Token').waitFor();
    await page.done();
  }
});
