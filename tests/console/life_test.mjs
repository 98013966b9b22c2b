// A whole life of a run, by people who have nothing but the console.
import assert from 'node:assert/strict';
import {after, afterEach, test} from 'node:test';
import {create, finish, free, get, open, sql, until, until_shown, until_state} from './browser.mjs';
import {three_phases} from './plans.mjs';

after(finish);
afterEach(free);

const press = (page, name) => page.locator('.verbs').getByRole('button', {name, exact: true}).click();
const agree = (page, name) => page.getByRole('dialog').getByRole('button', {name, exact: true}).click();

test('a run is started, advanced, watched, paused by key, resumed and rolled back, and its timeline tells it', async () => {
  const plan = three_phases();
  const run = await create(plan);

  const overview = await open('/');
  await overview.getByRole('link', {name: /^shop-t/}).click();
  await overview.locator('.run-top').waitFor();
  const page = overview;
  await page.getByLabel('Acting as').fill('Anaïs');

  await press(page, 'Start');
  await page.getByRole('dialog').getByLabel(/Reason/).fill('the quiet hour');
  await agree(page, 'Start');
  await until_shown(page, 'waiting');
  await page.locator('.gate.here').waitFor();
  assert.match(await page.locator('.message').innerText(), /advance/);

  await press(page, 'Advance');
  await agree(page, 'Advance');
  await until_shown(page, 'running');

  const looked_at = async () => Number(await page.locator('.fill progress').getAttribute('value'));
  await page.locator('.fill progress[value]').waitFor();
  const first = await looked_at();
  const moved = await until(async () => await looked_at() > first && looked_at(), 'the bar to move');
  assert.ok(moved < 100, 'it was seen under way');
  await page.locator('.chart polyline').waitFor();

  await page.locator('body').press('p');
  await until_shown(page, 'paused');
  assert.equal(await page.getByRole('dialog').count(), 0, 'pausing asks nothing');
  const rest = (await get(`/api/v1/runs/${run}`)).revision;

  await press(page, 'Resume');
  await agree(page, 'Resume');
  await until_shown(page, 'waiting');
  assert.ok((await get(`/api/v1/runs/${run}`)).revision > rest);
  assert.equal(sql(`SELECT count(*) FROM ${plan.table} WHERE b = a + 1`), '4000');
  await page.locator('tr', {hasText: 'same-count'}).getByText('passed').waitFor();

  await page.getByRole('link', {name: 'Roll back …'}).click();
  await page.getByLabel('How far back').selectOption('all');
  await page.locator('.preview li', {hasText: 'expand/add-column'}).waitFor();
  assert.match(await page.locator('.preview').innerText(), /DROP COLUMN b/);
  await page.getByLabel(/^Reason/).fill('p99 is up');
  assert.equal(await page.locator('.command code').innerText(), `runbookctl rollback ${run} --all --reason 'p99 is up' --actor 'Anaïs'`);
  await page.getByRole('button', {name: 'Roll back', exact: true}).click();
  await until_shown(page, 'rolled back');
  assert.equal(sql(`SELECT count(*) FROM information_schema.columns WHERE table_name = '${plan.table}' AND column_name = 'b'`), '0');

  const timeline = page.locator('.timeline');
  await timeline.getByText('p99 is up').first().waitFor();
  assert.match(await timeline.innerText(), /Anaïs/);
  const events = await get(`/api/v1/runs/${run}/events?limit=500`);
  assert.equal(await timeline.locator('> li').count(), events.events.length);
  const actors = new Set(events.events.map((event) => event.actor));
  assert.ok(actors.has('Anaïs'), 'the name arrives as it was typed');
  await page.done();
});

test('a run is approved by somebody else than its creator', async () => {
  const run = await create(three_phases({rows: 20}));
  const page = await open(`/runs/${run}`);
  await page.getByLabel('Acting as').fill('ben');
  for (const phase of ['backfill', 'contract']) {
    const begin = phase === 'backfill' ? 'Start' : 'Advance';
    await press(page, begin);
    await agree(page, begin);
    await page.locator('.gate.here').waitFor();
    await page.locator('.phase', {hasText: phase}).getByText('gated').waitFor();
  }
  await page.locator('.no-return').waitFor();
  await press(page, 'Approve');
  await agree(page, 'Approve');
  await page.locator('.gate', {hasText: '1 of 1 approval from dba (ben)'}).waitFor();
  await press(page, 'Advance');
  await agree(page, 'Advance');
  await until_shown(page, 'succeeded');
  await page.locator('.no-return', {hasText: 'passed'}).waitFor();
  await page.done();
});

test('everything is reached by keyboard alone', async () => {
  const run = await create(three_phases());
  const page = await open(`/runs/${run}`);
  const tab_to = async (wanted) => {
    for (let i = 0; i < 60; ++i) {
      await page.keyboard.press('Tab');
      if (await page.evaluate((text) => document.activeElement?.textContent.trim() === text, wanted)) {
        return;
      }
    }
    assert.fail(`Tab does not come to "${wanted}"`);
  };
  await tab_to('Start');
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({state: 'detached'});
  assert.equal(await page.evaluate(() => document.activeElement.textContent.trim()), 'Start', 'the focus comes back');
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  await tab_to('Start');
  await page.keyboard.press('Enter');
  await until_shown(page, 'waiting');
  await tab_to('Advance');
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  await tab_to('Advance');
  await page.keyboard.press('Enter');
  await page.locator('.fill').waitFor();
  await page.keyboard.press('p');
  await until_shown(page, 'paused');
  await until_state(run, 'paused');
  await page.done();
});

test('a letter typed into a field pauses nothing', async () => {
  const run = await create(three_phases());
  const page = await open(`/runs/${run}`);
  await page.getByLabel('Acting as').pressSequentially('pepe');
  await press(page, 'Start');
  await page.getByRole('dialog').getByLabel(/Reason/).pressSequentially('perhaps');
  assert.equal((await get(`/api/v1/runs/${run}`)).revision, 1);
  await page.done();
});
