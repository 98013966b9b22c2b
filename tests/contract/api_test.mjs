// Every operation and every problem that the API has, asked of real daemons.
import assert from 'node:assert/strict';
import {execFileSync, spawn} from 'node:child_process';
import {rmSync} from 'node:fs';
import http from 'node:http';
import {after, test} from 'node:test';
import {setTimeout as pause} from 'node:timers/promises';
import {all_codes, all_operations, call, document, done, exchange, expect_valid_document, judge_problem, mistakes, refused, seen, stage} from './judge.mjs';

// What nobody can provoke from outside.
const never_seen = {
  'outside-window': 'no setting names windows yet',
  'request-in-progress': 'no answer of a verb comes later than the verb: it needs two requests at one instant',
  internal: 'a defect of the daemon, or an event in its store that a newer version wrote',
};

const psql = (target, ...more) => ['-d', stage.dsn[target], '-XAtq', '-v', 'ON_ERROR_STOP=1', ...more];
const sql = (text, target = 'main') => execFileSync('psql', psql(target, '-c', text), {encoding: 'utf8'}).trim();
async function until(condition, what) {
  const end = Date.now() + 60000;
  for (;;) {
    const found = await condition();
    if (found) {
      return found;
    }
    assert.ok(Date.now() < end, `waited in vain for: ${what}`);
    await pause(30);
  }
}
// A session that holds what it was told to, until it is let go.
async function hold(text) {
  const child = spawn('psql', psql('main'), {env: {...process.env, PGAPPNAME: 'report'}});
  const said = new Promise((tell) => child.stdout.once('data', tell));
  child.stdin.write(`BEGIN; ${text}; SELECT 'held';\n`);
  await said;
  return () => new Promise((gone) => {
    child.once('exit', gone);
    child.stdin.end('ROLLBACK;\n');
  });
}

const admin = execFileSync(stage.runbookd, ['--config', stage.main.settings, 'token', 'create', '--principal', 'root', '--role', 'admin'], {encoding: 'utf8'}).split('\n')[0];
const token = async (principal, ...roles) => (await done('create_token', {by: admin, body: {principal, roles, name: 'of a test', lasts: '1h'}})).body;
const ana = (await token('ana', 'operator', 'approver')).secret;
const cara = (await token('cara', 'approver')).secret;
const vic = (await token('vic', 'viewer')).secret;
const oncall = (await token('otto', 'oncall')).secret;

async function upload(text, by = ana) {
  return (await done('upload_plan', {by, type: 'application/yaml', body: text})).body.digest;
}
async function create(text, target = 'main', by = ana) {
  return (await done('create_run', {by, body: {plan: await upload(text), target, note: 'by a test'}})).body.run;
}
// All pages of a list, each found by the Link of the one before.
async function follow(id, options) {
  const pages = [];
  for (let query = options.query; query;) {
    const page = await done(id, {...options, query});
    pages.push(page.body);
    const [, next] = /^<[^?]*\?([^>]*)>; rel="next"$/.exec(page.headers.link ?? '') ?? [];
    query = next && Object.fromEntries(new URLSearchParams(next));
  }
  return pages;
}
const at = (run) => ({by: ana, path: {run}});
const verb = (name, run, body = {}, by = ana) => done(name, {by, path: {run}, body});
const until_state = (run, ...states) => until(async () => {
  const now = (await done('show_run', at(run))).body;
  return states.includes(now.state) && now;
}, `${run} to be ${states}`);

sql('CREATE TABLE t (id bigint PRIMARY KEY, a int, old text); INSERT INTO t SELECT g, g FROM generate_series(1, 8000) g; ANALYZE t');
const life_of = (table) => `
runbook: 1
name: life-of-${table}
title: A life
baselines: {all_rows: SELECT count(*) FROM ${table}}
phases:
  - name: expand
    kind: expand
    goal: The column is there.
    requires: [{name: there, sql: SELECT 1, expect: {value: 1}}]
    steps:
      - {name: add, sql: ALTER TABLE ${table} ADD COLUMN b int, rollback: ALTER TABLE ${table} DROP COLUMN b}
      - {name: deploy, manual: Deploy it., rollback_manual: Deploy the old one.}
    validate: [{name: no-rows-lost, sql: SELECT count(*) FROM ${table}, expect: {baseline: all_rows}}]
    soak: 100ms
    watch: [{name: still-there, every: 1s, sql: SELECT 1, expect: {value: 1}}]
  - name: backfill
    kind: backfill
    steps:
      - name: fill
        backfill: {table: ${table}, set: {b: a + 1}, where: b IS NULL, batch: {max_rows: 50, pause: 30ms}, throttle: off}
      - {name: wait, wait: 100ms}
  - name: contract
    kind: contract
    not_before: {after: backfill, wait: 10ms}
    approval: {from: dba, count: 1}
    steps: [{name: drop-old, sql: ALTER TABLE ${table} DROP COLUMN old, irreversible: nobody reads it}]
final_checks: [{name: whole, sql: SELECT count(*) FROM ${table}, expect: {baseline: all_rows}}]
`;
const life = life_of('t');
const one_step = (name, sql_text, more = '') => `
runbook: 1
name: ${name}
title: One
phases: [{name: one, kind: other, steps: [{name: s, sql: "${sql_text}", rollback: SELECT 1${more}}]}]
`;

test('the document is OpenAPI 3.1, and its examples are what it says', expect_valid_document);

test('pages, files and what is open to everybody', async () => {
  const tag = (await done('show_openapi')).headers.etag;
  assert.equal((await call('show_openapi', {headers: {'If-None-Match': tag}})).status, 304);
  const schema = await done('show_plan_schema');
  assert.equal((await call('show_plan_schema', {headers: {'If-None-Match': schema.headers.etag}})).status, 304);
  await done('live');
  await done('ready');
  for (const code of all_codes) {
    await done('show_problem', {path: {slug: code}});
  }
  await done('show_alert', {path: {name: 'RunbookdDown'}});
  await refused('not-found', 'show_problem', {path: {slug: 'nothing'}});
  await done('audit_page', {by: vic});
  const page = await done('overview_page', {by: vic});
  for (const id of ['history_page', 'plans_page']) {
    await done(id, {by: vic});
  }
  assert.equal((await call('overview_page')).status, 401);
  const [, version] = page.body.match(/\/console\/([^/]+)\//);
  await done('console_file', {path: {version, file: 'main.js'}, headers: {'Accept-Encoding': 'gzip'}});
  await refused('not-acceptable', 'console_file', {path: {version, file: 'main.js'}, headers: {'Accept-Encoding': 'identity'}});
});

test('who is asking', async () => {
  await done('about', {by: vic});
  await done('metrics', {by: vic});
  await done('who_am_i', {by: vic});
  await refused('unauthenticated', 'about');
  await refused('malformed', 'create_token', {by: admin, body: {principal: 'x', roles: []}, wrong: true});
  await refused('capability-missing', 'list_tokens', {by: vic});
  const brief = await token('bea', 'viewer@main');
  await done('list_tokens', {by: admin});
  await done('revoke_token', {by: admin, path: {token: brief.token}});
  await refused('not-found', 'revoke_token', {by: admin, path: {token: '00000000'}});
  const session = await done('open_session', {body: {token: ana}});
  const cookie = {Cookie: session.headers['set-cookie'][0].split(';')[0]};
  const me = (await done('who_am_i', {headers: cookie})).body;
  await refused('csrf', 'validate_plan', {headers: cookie, type: 'application/yaml', body: 'runbook: 1'});
  await done('end_session', {headers: {...cookie, 'Runbook-CSRF': me.csrf, Origin: stage.main.url}});
  await refused('unauthenticated', 'who_am_i', {headers: cookie});
  await until(async () => (await call('about', {by: 'rbd_x_y'})).code === 'rate-limited', 'a wait after wrong tokens');
});

test('what is not read at all', async () => {
  const evil = await exchange(stage.main.url, {method: 'GET', path: '/livez', headers: {Host: 'evil.example'}});
  judge_problem(evil, JSON.parse(evil.text));
  assert.equal(evil.status, 403);
  const wrong_method = await exchange(stage.main.url, {method: 'PUT', path: '/api/v1/runs', headers: {Authorization: `Bearer ${vic}`}});
  judge_problem(wrong_method, JSON.parse(wrong_method.text));
  assert.equal(wrong_method.headers.allow, 'GET, HEAD, POST');
  await refused('unsupported-type', 'create_run', {by: ana, type: 'text/plain', body: '{}', wrong: true});
  await refused('too-large', 'upload_plan', {by: ana, type: 'application/yaml', body: ' '.repeat(9 << 20)});
  const head = await exchange(stage.main.url, {method: 'HEAD', path: '/livez'});
  assert.equal(head.status, 200);
  assert.equal(head.text, '');
});

test('plans', async () => {
  const first = await done('upload_plan', {by: ana, type: 'application/yaml', body: life});
  assert.equal(first.status, 201);
  assert.equal((await done('upload_plan', {by: ana, type: 'application/yaml', body: life})).status, 200);
  await done('validate_plan', {by: vic, type: 'application/vnd.runbook.bundle+json', body: {text: one_step('x', 'SELECT 1'), file_name: 'x.yaml'}});
  await done('validate_plan', {by: vic, type: 'application/yaml', body: one_step('x', 'DROP TABLE t')});
  await refused('plan-invalid', 'upload_plan', {by: ana, type: 'application/yaml', body: 'runbook: 1\nnam: x\n'});
  await refused('capability-missing', 'upload_plan', {by: vic, type: 'application/yaml', body: life});
  await upload(one_step('second', 'SELECT 2'));
  const pages = await follow('list_plans', {by: vic, query: {limit: 1}});
  assert.ok(pages.length >= 2);
  assert.equal(new Set(pages.flatMap((page) => page.plans.map((plan) => plan.digest))).size, pages.flatMap((page) => page.plans).length);
  await refused('malformed', 'list_plans', {by: vic, query: {cursor: 'sha256:0'}});
  const other = await upload(life_of('t').replace('ADD COLUMN b int,', 'ADD COLUMN b bigint,'));
  const changes = (await done('diff_plans', {by: vic, path: {digest: other}, query: {against: first.body.digest}})).body.changes;
  assert.equal(changes.length, 1);
  assert.equal((await done('diff_plans', {by: vic, path: {digest: other}, query: {against: other}})).body.changes.length, 0);
  await refused('malformed', 'diff_plans', {by: vic, path: {digest: other}, wrong: true});
  await refused('malformed', 'list_plans', {by: vic, query: {limit: 0}, wrong: true});
  await refused('malformed', 'list_plans', {by: vic, query: {colour: 'red'}, wrong: true});
  await done('show_plan', {by: vic, path: {digest: first.body.digest}});
  await refused('not-found', 'show_plan', {by: vic, path: {digest: 'sha256:000000000000'}});
  await done('plan_page', {by: vic, path: {digest: first.body.digest}});
});

let lived;
test('the life of a run, from its first verb to its last', async () => {
  const run = lived = await create(life);
  await refused('capability-missing', 'start_run', {by: vic, path: {run}, body: {}});
  await refused('stale-revision', 'start_run', {...at(run), headers: {'If-Match': '"99"'}, body: {}});
  await refused('malformed', 'start_run', {...at(run), body: {colour: 'red'}, wrong: true});
  const release = await hold('LOCK TABLE t IN ACCESS SHARE MODE');
  await verb('start_run', run, {reason: 'the quiet hour'});
  await until(async () => (await done('show_locks', at(run))).body.blockers.length > 0, 'somebody in the way');
  await done('show_locks', {by: vic, path: {run}});
  await release();
  await until(async () => (await done('show_run', at(run))).body.waiting_on.some((one) => one.kind === 'manual'), 'the manual step');
  await refused('target-busy', 'start_run', {...at(await create(one_step('other', 'SELECT 3'))), body: {}});
  await verb('confirm_step', run, {step: 'deploy'});
  await until(async () => (await done('show_run', at(run))).body.waiting_on.some((one) => one.kind === 'advance'), 'the gate');
  await verb('evaluate_checks', run);
  await until_state(run, 'waiting');
  await refused('illegal-transition', 'advance_run', {...at(run), body: {to_phase: 'contract'}});
  await done('show_preflight', at(run));
  await done('show_preflight', {...at(run), query: {phase: 'contract'}});
  await verb('advance_run', run, {to_phase: 'backfill'});
  await until(async () => (await done('show_run', at(run))).body.live.backfill?.rows_changed > 0, 'filled rows');
  await verb('throttle_run', run, {ratio: 0.9, for: '10m'}, oncall);
  await pause(1200);
  await done('show_run', at(run));
  await done('show_step', {by: ana, path: {run, phase: 'backfill', step: 'fill'}});
  await verb('pause_run', run, {mode: 'safe_point', escalate_after: '30s', reason: 'p99 is up'}, oncall);
  await until_state(run, 'paused');
  await verb('throttle_run', run, {off: true});
  await verb('resume_run', run);
  await until(async () => (await done('show_run', at(run))).body.waiting_on.some((one) => one.kind === 'approval'), 'the gate of contract');
  const gates = (await done('show_gates', at(run))).body.gates;
  assert.deepEqual(gates.map((gate) => [gate.phase, gate.result, gate.missing.length]), [['expand', 'passed', 0], ['backfill', 'passed', 0], ['contract', 'open', 1]]);
  assert.equal(gates[1].checks.length, 2, 'what the phase before has shown');
  await refused('gate-closed', 'advance_run', {...at(run), body: {to_phase: 'contract'}});
  await refused('self-approval', 'approve_phase', {...at(run), body: {phase: 'contract'}});
  const opening = (await done('show_run', at(run))).body.gate;
  await refused('approval-stale', 'approve_phase', {by: cara, path: {run}, body: {phase: 'contract', gate: opening + 1}});
  await verb('approve_phase', run, {phase: 'contract', gate: opening, reason: 'looked at it'}, cara);
  await verb('withdraw_word', run, {phase: 'contract', reason: 'too early'}, cara);
  await verb('approve_phase', run, {phase: 'contract', reason: 'looked at it'}, cara);
  await refused('confirm-mismatch', 'advance_run', {...at(run), body: {to_phase: 'contract', confirm: 'expand'}});
  await verb('advance_run', run, {to_phase: 'contract', confirm: 'contract'});
  await until_state(run, 'succeeded');
  await refused('irreversible', 'roll_back_run', {...at(run), body: {to: 'all'}});
  await refused('irreversible', 'preview_rollback', {...at(run), query: {to: 'all'}});
  for (const step of (await done('show_steps', at(run))).body.steps) {
    await done('show_step', {by: vic, path: {run, phase: step.phase, step: step.name}});
  }
  await refused('not-found', 'show_step', {by: vic, path: {run, phase: 'expand', step: 'none'}});
  const whole = (await done('show_run', at(run))).body;
  assert.deepEqual((await done('show_phases', at(run))).body, {run, phases: whole.phases, final_checks: whole.final_checks});
  const fill = {by: vic, path: {run, phase: 'backfill', step: 'fill'}};
  assert.deepEqual((await done('show_attempts', fill)).body.attempts, (await done('show_step', fill)).body.attempts);
  assert.deepEqual((await done('show_gates', at(run))).body.gates.map((gate) => gate.result), ['passed', 'passed', 'passed']);
  await refused('not-found', 'show_run', {by: vic, path: {run: 'run_000000000000'}});
  await done('run_page', {by: vic, path: {run}});
  await done('rollback_page', {by: vic, path: {run}});
});

test('a run that fails, is retried, skipped, rolled back and given up', async () => {
  const run = await create(one_step('fails', 'SELECT 1 / 0', ', skippable: true'), 'north');
  await verb('start_run', run);
  await until_state(run, 'failed');
  await verb('retry_step', run, {step: 's'});
  await until_state(run, 'failed');
  await done('show_step', {by: vic, path: {run, phase: 'one', step: 's'}});
  await refused('reason-required', 'skip_step', {...at(run), body: {step: 's'}});
  await verb('skip_step', run, {step: 's', reason: 'not needed here'});
  await until_state(run, 'succeeded');

  const back = await create(one_step('back', 'CREATE TABLE b (id int)').replace('SELECT 1}', 'DROP TABLE b}'), 'north');
  await verb('start_run', back);
  await until_state(back, 'succeeded');
  await done('preview_rollback', at(back));
  await verb('roll_back_run', back, {to: 'all', reason: 'a test'});
  await until_state(back, 'rolled_back');

  const rejected = await create(life_of('t2'), 'north');
  sql('CREATE TABLE t2 (id bigint PRIMARY KEY, a int, old text)', 'north');
  await verb('start_run', rejected);
  await until(async () => (await done('show_run', at(rejected))).body.waiting_on.some((one) => one.kind === 'manual'), 'the manual step');
  await verb('confirm_step', rejected, {step: 'deploy'});
  await until_state(rejected, 'waiting');
  await until(async () => (await done('show_run', at(rejected))).body.waiting_on.some((one) => one.kind === 'advance'), 'the gate');
  await verb('advance_run', rejected, {to_phase: 'backfill'});
  await until(async () => (await done('show_run', at(rejected))).body.waiting_on.some((one) => one.kind === 'approval'), 'the gate of contract');
  await verb('reject_phase', rejected, {phase: 'contract', reason: 'too early'}, cara);
  await until_state(rejected, 'failed');
  await refused('confirm-mismatch', 'cancel_run', {...at(rejected), body: {confirm: 'nothing'}});
  await verb('cancel_run', rejected, {confirm: 'life-of-t2'});
  await until_state(rejected, 'cancelled');
});

test('a step in doubt is resolved by a person', async () => {
  sql("CREATE SUBSCRIPTION s CONNECTION 'dbname=nowhere' PUBLICATION p WITH (connect = false)", 'main');
  const run = await create(`
runbook: 1
name: doubt
title: Doubt
phases: [{name: one, kind: other, steps: [{name: add, sql: ALTER SUBSCRIPTION s ADD PUBLICATION q, irreversible: no need}]}]
`);
  const release = await hold('LOCK TABLE pg_subscription IN SHARE MODE');
  await verb('start_run', run);
  const ours = "FROM pg_stat_activity WHERE query LIKE 'ALTER SUBSCRIPTION s%'";
  await until(() => sql(`SELECT count(*) ${ours} AND wait_event_type = 'Lock'`) !== '0', 'the statement to wait');
  sql(`SELECT pg_terminate_backend(pid) ${ours}`);
  await until_state(run, 'attention');
  await release();
  await refused('capability-missing', 'resolve_step', {...at(run), body: {step: 'add', as: 'succeeded', evidence: 'I looked'}});
  await verb('resolve_step', run, {step: 'add', as: 'failed', evidence: 'pg_subscription has no q'});
  await verb('cancel_run', run, {confirm: 'doubt', reason: 'a test'});
  await until_state(run, 'cancelled');
});

test('findings that nobody acknowledged', async () => {
  sql('CREATE TABLE u (id int)', 'south');
  const run = await create(`
runbook: 1
name: heavy
title: Heavy
phases: [{name: one, kind: other, steps: [{name: s, sql: CREATE INDEX u_idx ON u (id), rollback: DROP INDEX CONCURRENTLY u_idx}]}]
`, 'south');
  const answer = await refused('unacknowledged-findings', 'start_run', {...at(run), body: {}});
  const acknowledge = answer.body.errors.map(({rule}) => ({rule, reason: 'it is tiny'}));
  await verb('start_run', run, {acknowledge});
  await until_state(run, 'succeeded');
});

test('lists', async () => {
  const runs = (pages) => pages.flatMap((page) => page.runs.map((run) => run.run));
  const all = runs([(await done('list_runs', {by: vic})).body]);
  assert.ok(all.length > 4);
  assert.deepEqual(runs(await follow('list_runs', {by: vic, query: {limit: 2}})), all);
  const some = await follow('list_runs', {by: vic, query: {limit: 1, state: 'succeeded', target: 'main', plan: 'life-of-t', actor: 'ana', since: '2000-01-01T00:00:00Z'}});
  assert.deepEqual(runs(some), [lived]);
  assert.deepEqual(runs([(await done('list_runs', {by: vic, query: {actor: 'nobody'}})).body]), []);
  assert.deepEqual(runs([(await done('list_runs', {by: vic, query: {since: '2999-01-01T00:00:00Z'}})).body]), []);
  await refused('malformed', 'list_runs', {by: vic, query: {since: 'yesterday'}, wrong: true});
  await refused('malformed', 'list_runs', {by: vic, query: {cursor: 'run_0'}});
  await refused('malformed', 'list_runs', {by: vic, query: {state: 'nothing'}});
  const events = (await done('show_events', {by: vic, path: {run: lived}, query: {after: 0, limit: 500}})).body;
  const by_seven = await follow('show_events', {by: vic, path: {run: lived}, query: {limit: 7}});
  assert.deepEqual(by_seven.flatMap((page) => page.events), events.events);
  await done('show_events', {by: vic, path: {run: lived}, query: {after: events.next_after}});
  await refused('not-acceptable', 'show_events', {by: vic, path: {run: lived}, headers: {Accept: 'image/png'}});
});

test('a stream has the same events as the pages', async () => {
  const page = (await done('show_events', {by: vic, path: {run: lived}, query: {limit: 500}})).body;
  const stream = await done('show_events', {by: vic, path: {run: lived}, headers: {Accept: 'text/event-stream'}});
  const data = stream.body.split('\n').filter((line) => line.startsWith('data: ')).map((line) => JSON.parse(line.slice(6)));
  assert.deepEqual(data, page.events);
  for (const event of data) {
    assert.equal(mistakes({$ref: '#/components/schemas/Event'}, event), '');
  }
});

test('targets that do not answer', async () => {
  await done('show_catalog', {by: ana, path: {target: 'main'}});
  await refused('not-found', 'show_catalog', {by: ana, path: {target: 'nowhere'}});
  const auto = (text) => ({by: ana, type: 'application/yaml', body: one_step('auto', text).replace('rollback: SELECT 1', 'rollback: auto')});
  const told = (await done('show_ways_back', {path: {target: 'main'}, ...auto('DROP VIEW no_such; ALTER TABLE t ALTER a SET DEFAULT 1')})).body;
  assert.equal(told.steps.length, 1);
  await refused('plan-invalid', 'show_ways_back', {path: {target: 'main'}, ...auto('DROP TABLE t')});
  await refused('target-unreachable', 'show_ways_back', {path: {target: 'dead'}, ...auto('DROP VIEW v')});
  await refused('target-unreachable', 'show_catalog', {by: ana, path: {target: 'dead'}});
  await refused('target-refused', 'show_catalog', {by: ana, path: {target: 'refusing'}});
});

test('a copy of the store', async () => {
  await refused('malformed', 'start_backup', {by: ana, body: {file: '/tmp/x'}, wrong: true});
  await done('start_backup', {by: ana, body: {}});
  await until(async () => (await done('show_backup', {by: ana})).body.state === 'done', 'the copy');
});

test('more streams than the daemon keeps', async () => {
  const run = await create(one_step('idle', 'SELECT 4'), 'north');
  const {hostname, port, host} = new URL(stage.main.url);
  const open = [];
  let by;
  const stream = {path: {run}, headers: {Accept: 'text/event-stream'}};
  for (let i = 0; i < 256; ++i) {
    if (i % 8 === 0) {
      if (i > 0) {
        await refused('rate-limited', 'show_events', {...stream, by});
      }
      by = (await token(`watcher-${i}`, 'viewer')).secret;
    }
    open.push(await new Promise((tell, fail) => {
      const asked = http.request({hostname, port, path: `/api/v1/runs/${run}/events`, agent: false, setHost: false,
        headers: {Host: host, Accept: 'text/event-stream', Authorization: `Bearer ${by}`}}, tell);
      asked.on('error', fail);
      asked.end();
    }));
  }
  await refused('draining', 'show_events', {...stream, by: vic});
  for (const one of open) {
    one.destroy();
  }
});

test('who asked for what', async () => {
  const auditor = (await token('cleo', 'auditor')).secret;
  const key = {'Idempotency-Key': 'a-key-of-a-test'};
  const text = one_step('kept', 'SELECT 77');
  await done('upload_plan', {by: ana, type: 'application/yaml', body: text, headers: key});
  await refused('idempotency-key-reused', 'upload_plan', {by: ana, type: 'application/yaml', body: one_step('other', 'SELECT 78'), headers: key});
  const page = (await done('search_audit', {by: auditor, query: {limit: '2'}})).body;
  assert.equal(page.entries.length, 2);
  await done('search_audit', {by: auditor, query: {cursor: page.next_cursor, actor: 'ana', outcome: 'failed'}});
  await refused('capability-missing', 'search_audit', {by: ana});
  assert.match((await done('show_audit_key', {by: ana})).body.key, /^runbookd\/store_/);
  assert.equal((await done('verify_audit', {by: auditor})).body.ok, true);
  await done('export_audit', {by: auditor});
  const run = await create(one_step('proof', 'SELECT 79'));
  for (const format of ['json', 'md', 'html']) {
    await done('show_report', {by: auditor, path: {run}, query: {format}});
  }
});

test('a store that is full, and one that is gone', async () => {
  const url = stage.full.url;
  assert.equal((await done('who_am_i', {url})).body.by, 'local');
  const filler = (n) => one_step(`plan-${n}`, `SELECT '${'x'.repeat(20000)}${n}'`);
  for (let n = 0; ; ++n) {
    const answer = await call('upload_plan', {url, type: 'application/yaml', body: filler(n)});
    if (answer.code === 'store-unavailable') {
      break;
    }
    assert.ok(answer.status === 201 && n < 100, JSON.stringify(answer.body));
  }

  // what is there already takes no room, and its entry some
  for (let n = 0; ; ++n) {
    const answer = await call('upload_plan', {url, type: 'application/yaml', body: filler(0)});
    if (answer.code === 'audit-unavailable') {
      break;
    }
    assert.ok(answer.status === 200 && n < 1000, JSON.stringify(answer.body));
  }

  rmSync(stage.broken.store);
  assert.equal((await call('ready', {url: stage.broken.url})).status, 503);
  await refused('store-broken', 'upload_plan', {url: stage.broken.url, type: 'application/yaml', body: one_step('x', 'SELECT 1')});
});

test('what people say beside the verbs, and going past a check', async () => {
  const ruth = (await token('ruth', 'admin')).secret;
  const failing = one_step('failing', 'SELECT 1').replace(/steps: (.*)}\]\n/, 'steps: $1, validate: [{name: two, sql: SELECT 1, expect: {value: 2}}]}]\n');
  const run = await create(failing);
  await verb('start_run', run);
  await until_state(run, 'failed');
  await done('add_note', {...at(run), body: {text: 'the check is older than the table'}});
  await done('show_hold', {by: vic});
  await done('set_hold', {by: oncall, body: {reason: 'p99 is up', for: '1h'}});
  await refused('held', 'evaluate_checks', {...at(run), body: {}});
  await done('lift_hold', {by: ana});
  await verb('ask_override', run, {phase: 'one', reason: 'the check is wrong'}, ruth);
  await verb('withdraw_word', run, {phase: 'one', reason: 'not yet'}, ruth);
  await verb('ask_override', run, {phase: 'one', reason: 'the check is wrong'}, ruth);
  await verb('countersign_override', run, {phase: 'one', reason: 'so it is'}, cara);
  await until_state(run, 'succeeded');
});

after(() => {
  const left_out = all_operations.filter((id) => !seen.operations.has(id));
  assert.deepEqual(left_out, [], 'operations that never succeeded');
  const codes = all_codes.filter((code) => !seen.codes.has(code));
  assert.deepEqual(codes.sort(), Object.keys(never_seen).sort(), 'problems that were never seen');
});
