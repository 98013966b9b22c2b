// What the console does when something is in the way: a lock, a stream that is cut, a daemon that does not answer, a run
// that has moved on, a refusal.
import assert from 'node:assert/strict';
import {after, afterEach, test} from 'node:test';
import {create, finish, free, get, hold, open, until, until_shown, until_state, verb} from './browser.mjs';
import {three_phases} from './plans.mjs';

after(finish);
afterEach(free);

const kinds = async (run) => (await get(`/api/v1/runs/${run}/events?limit=500`)).events.map((event) => event.kind);
const button = (page, name) => page.locator('.verbs').getByRole('button', {name, exact: true});

test('whoever holds the lock is named, with what ends it, and the wait is paused', async () => {
  const plan = three_phases({rows: 20});
  const run = await create(plan);
  const let_go = await hold(`LOCK TABLE ${plan.table} IN ACCESS SHARE MODE`);
  await verb(run, 'start');
  const page = await open(`/runs/${run}`);
  await page.locator('.tree', {hasText: 'report'}).getByText(/pg_terminate_backend/).waitFor();
  await page.getByText('Ask the target who blocks whom').click();
  await page.locator('details[open]').getByText(/^In our way$/).waitFor();
  await page.keyboard.press('p');
  await until_shown(page, 'paused');
  await let_go();
  await page.done();
});

test('without its stream the page says since when, asks instead, and comes back to life', async () => {
  const run = await create(three_phases({rows: 20}));
  const page = await open('/history');
  await page.route('**/events', (route) => route.abort());
  await page.goto(page.url().replace('/history', `/runs/${run}`));
  await page.locator('.link', {hasText: /not live since \d\d:\d\d/}).waitFor();
  await verb(run, 'start');
  await until_shown(page, 'waiting');
  await page.unroute('**/events');
  await page.locator('.link', {hasText: /^live$/}).waitFor();
  await page.locator('.timeline', {hasText: 'run.started'}).waitFor();
  await page.done();
});

test('what goes away for a while is told, focus and place are kept, and only Pause is offered', async () => {
  const run = await create(three_phases({rows: 20}));
  await verb(run, 'start');
  await until_state(run, 'waiting');
  const page = await open(`/runs/${run}`);
  await page.locator('.link', {hasText: /^live$/}).waitFor();
  await page.getByRole('button', {name: 'add-column'}).focus();
  await page.route('**/api/**', (route) => route.abort());
  await verb(run, 'evaluate');
  await page.getByRole('alert').getByText(/did not answer/).waitFor();
  assert.ok(await button(page, 'Advance').isDisabled());
  assert.ok(await page.getByRole('button', {name: 'Pause', exact: true}).isEnabled());
  await page.unroute('**/api/**');
  await page.getByRole('alert').waitFor({state: 'detached'});
  assert.ok(await button(page, 'Advance').isEnabled());
  assert.equal(await page.evaluate(() => document.activeElement.textContent.trim().split(' ').at(-1)), 'add-column');
  await page.done();
});

test('a verb is not sent to a run that has moved on unseen, and a double click sends it once', async () => {
  const run = await create(three_phases({rows: 20}));
  await verb(run, 'start');
  await until_state(run, 'waiting');
  const page = await open(`/runs/${run}`);
  await button(page, 'Advance').click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel(/Reason/).fill('as agreed');
  await verb(run, 'evaluate');
  await until_state(run, 'waiting');
  await dialog.getByText(/has moved on since/).waitFor();
  assert.ok(await dialog.getByRole('button', {name: 'Advance', exact: true}).isDisabled());
  assert.equal(await dialog.getByLabel(/Reason/).inputValue(), 'as agreed');
  await until(async () => {
    await page.waitForTimeout(300);
    await dialog.getByRole('button', {name: 'I have seen it'}).click({timeout: 1000}).catch(() => {});
    return dialog.getByRole('button', {name: 'Advance', exact: true}).isEnabled();
  }, 'the dialog to be up to date');
  await dialog.getByRole('button', {name: 'Advance', exact: true}).dblclick();
  await dialog.waitFor({state: 'detached'});
  await until(async () => (await kinds(run)).filter((kind) => kind === 'gate.reached').length > 1, 'the next gate');
  assert.equal((await kinds(run)).filter((kind) => kind === 'phase.entered').length, 2);
  await page.done();
});

test('a refusal says what, why and what next, and loses nothing that was typed', async () => {
  const run = await create(three_phases({rows: 20}));
  await verb(run, 'start');
  await until_state(run, 'waiting');
  const page = await open(`/runs/${run}`);
  await button(page, 'Cancel').click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel(/^Name of the plan/).fill('another');
  await dialog.getByLabel(/Reason/).fill('not needed any more');
  await dialog.getByRole('button', {name: 'Cancel', exact: true}).click();
  await dialog.getByRole('alert').getByText(/is not the plan's name/).waitFor();
  assert.match(await dialog.getByRole('alert').innerText(), /Next: .*cancel/);
  assert.equal(await dialog.getByLabel(/Reason/).inputValue(), 'not needed any more');
  const {name} = (await get(`/api/v1/runs/${run}`)).plan;
  await dialog.getByLabel(/^Name of the plan/).fill(name);
  await dialog.getByRole('button', {name: 'Cancel', exact: true}).click();
  await until_shown(page, 'cancelled');
  await page.locator('.timeline', {hasText: 'not needed any more'}).waitFor();
  await page.done();
});
