// Every page in both themes and at two widths: nothing serious for axe, nothing wider than the screen, and small enough.
import assert from 'node:assert/strict';
import {mkdirSync} from 'node:fs';
import {after, test} from 'node:test';
import {axe_path, create, finish, get, open, until, until_state, url, verb} from './browser.mjs';
import {hostile, three_phases} from './plans.mjs';

after(finish);

const shots = process.env.CONSOLE_SHOTS;  // a folder that keeps the pictures
const widths = {wide: {width: 1280, height: 900}, narrow: {width: 360, height: 740}};

// One run in each state that looks different, and the pages that show them.
async function pages() {
  const failing = three_phases({rows: 20, target: 'south'});
  failing.text = failing.text.replace('expect: {value: "YES"}', 'expect: {value: "NO"}');
  const [waiting, filling, failed, strange] = await Promise.all(
    [three_phases({rows: 20}), three_phases({rows: 100000, pause: '200ms', target: 'north'}), failing, hostile('west')].map(create));
  for (const run of [waiting, filling, failed, strange]) {
    await verb(run, 'start');
    await until_state(run, 'waiting', 'failed');
  }
  await verb(waiting, 'advance', {to_phase: 'backfill'});
  await until_state(waiting, 'waiting');
  await verb(filling, 'advance', {to_phase: 'backfill'});
  await until(async () => (await get(`/api/v1/runs/${filling}`)).live.backfill?.rows_scanned > 0, 'the backfill to be at work');
  const plan = async (run) => (await get(`/api/v1/runs/${run}`)).plan.digest;
  return {
    overview: '/', history: '/history', audit: '/audit', plans: '/plans', plan: `/plans/${await plan(waiting)}`, strange_plan: `/plans/${await plan(strange)}`,
    waiting: `/runs/${waiting}`, filling: `/runs/${filling}`, failed: `/runs/${failed}`, strange: `/runs/${strange}`,
    rollback: `/runs/${waiting}/rollback`, nothing: '/runs/run_000000000000',
  };
}

const widest = (page) => page.evaluate(() => document.scrollingElement.scrollWidth - document.documentElement.clientWidth);

async function show_everything(page) {
  for (const closed of ['.opener[aria-expanded=false]', 'main details:not([open]) > summary']) {
    while (await page.locator(closed).count() > 0) {
      await page.locator(closed).first().click();
    }
  }
}

async function axe_finds(page) {
  await page.addScriptTag({path: axe_path});
  const {violations} = await page.evaluate(() => window.axe.run(document, {resultTypes: ['violations']}));
  return violations.filter((each) => ['serious', 'critical'].includes(each.impact))
    .map((each) => `${each.id}: ${each.nodes.slice(0, 3).map((node) => `${node.target} ${node.failureSummary}`).join(' | ')}`);
}

test('every page fits a narrow screen, satisfies axe in both themes, and shows hostile text as text', async (context) => {
  for (const [name, path] of Object.entries(await pages())) {
    for (const theme of ['light', 'dark']) {
      const size = theme === 'light' ? 'wide' : 'narrow';
      await context.test(`${name}, ${theme}, ${size}`, async () => {
        // axe is no file of the console's: the policy, which the other tests hold it to, is set aside for it
        const page = await open(path, {viewport: widths[size], colorScheme: theme, bypassCSP: true});
        if (shots) {
          mkdirSync(shots, {recursive: true});
          await page.waitForTimeout(1500);
          await page.screenshot({path: `${shots}/${name}-${theme}-${size}.png`, fullPage: true});
        }
        await show_everything(page);
        assert.ok(await widest(page) <= 0, 'nothing is wider than the screen');
        assert.deepEqual(await axe_finds(page), []);
        assert.equal(await page.evaluate(() => window.broken), undefined);
        assert.doesNotMatch(await page.locator('main').innerText(), /[\u202a-\u202e\u2066-\u2069]/);
        await page.done();
      });
    }
  }
});

test('a dialog satisfies axe and fits a narrow screen', async () => {
  const run = await create(three_phases({rows: 20}));
  const page = await open(`/runs/${run}`, {viewport: widths.narrow, bypassCSP: true});
  await page.locator('.verbs').getByRole('button', {name: 'Start', exact: true}).click();
  if (shots) {
    await page.screenshot({path: `${shots}/dialog-light-narrow.png`});
  }
  assert.deepEqual(await axe_finds(page), []);
  assert.ok(await widest(page) <= 0);
  await page.done();
});

test('hostile text stays text under the policy, too', async () => {
  const run = await create(hostile());
  const page = await open(`/runs/${run}`);
  await page.locator('.opener', {hasText: 'long'}).click();
  await page.locator('.sql', {hasText: 'line 499'}).waitFor();
  assert.equal(await page.evaluate(() => window.broken), undefined);
  assert.equal(await page.locator('main script, main img, main b').count(), 0);
  await page.done();
});

test('the console is at most 60 kB compressed, kept for good, and under a strict policy', async () => {
  const page = await fetch(`${url}/`);
  const text = await page.text();
  assert.match(page.headers.get('content-security-policy'), /^default-src 'none'; script-src 'self';.*require-trusted-types-for 'script'/);
  assert.doesNotMatch(text, /<style|style=|onclick|<script(?! type="(module" src|application\/json))/);
  const files = [...new Set([...text.matchAll(/"(\/console\/[0-9a-f]+\/[^"]+)"/g)].map((found) => found[1]))];
  assert.ok(files.length > 15);
  let total = 0;
  for (const file of files) {
    const reply = await fetch(url + file);
    assert.equal(reply.status, 200, file);
    assert.match(reply.headers.get('cache-control'), /immutable/);
    assert.equal(reply.headers.get('content-encoding'), 'gzip');
    total += Number(reply.headers.get('content-length'));
    const again = await fetch(url + file, {headers: {'If-None-Match': reply.headers.get('etag')}});
    assert.equal(again.status, 304);
  }
  assert.ok(total <= 60 * 1024, `${total} bytes`);
});
