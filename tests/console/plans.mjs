// The plans that the console's tests carry through, each on tables of its own.
import {sql} from './browser.mjs';

let made = 0;

// Three phases: a column, a slow backfill, and a step that nothing takes back.
export function three_phases({rows = 4000, pause = '30ms', target = 'main'} = {}) {
  const table = `t${++made}_${process.pid}`;
  sql(`CREATE TABLE ${table} (id bigint PRIMARY KEY, a int, old text)`, target);
  sql(`INSERT INTO ${table} SELECT g, g, 'x' FROM generate_series(1, ${rows}) g; ANALYZE ${table}`, target);
  const text = `
runbook: 1
name: shop-${table.replaceAll('_', '-')}
title: Give ${table} a column
baselines: {all_rows: SELECT count(*) FROM ${table}}
phases:
  - name: expand
    kind: expand
    goal: The column is there.
    steps:
      - {name: add-column, sql: ALTER TABLE ${table} ADD COLUMN b int, rollback: ALTER TABLE ${table} DROP COLUMN b}
    validate:
      - {name: is-nullable, sql: "SELECT is_nullable FROM information_schema.columns WHERE table_name = '${table}' AND column_name = 'b'", expect: {value: "YES"}}
  - name: backfill
    kind: backfill
    steps:
      - name: fill
        backfill: {table: ${table}, set: {b: a + 1}, where: b IS NULL, batch: {max_rows: 20, pause: ${pause}}, throttle: off}
    validate:
      - {name: nothing-left, sql: SELECT count(*) FROM ${table} WHERE b IS NULL, expect: {value: 0}}
      - {name: same-count, sql: SELECT count(*) FROM ${table}, expect: {baseline: all_rows}}
  - name: contract
    kind: contract
    approval: {from: dba, count: 1}
    steps:
      - {name: drop-old, sql: ALTER TABLE ${table} DROP COLUMN old, irreversible: nobody reads it any more}
`;
  return {table, text, target};
}

// Text that wants out: markup, characters that turn lines around, a word without end, and 500 lines.
export function hostile(target = 'main') {
  const table = `h${++made}_${process.pid}`;
  sql(`CREATE TABLE ${table} (id bigint PRIMARY KEY)`, target);
  const lines = Array.from({length: 500}, (_, n) => `          -- line ${n} </script><script>window.broken = 1</script>`).join('\n');
  const text = `
runbook: 1
name: hostile-${table.replaceAll('_', '-')}
title: "<img src=x onerror=window.broken=1> </script><script>window.broken = 1</script> \\u202Eeman\\u202C ${'w'.repeat(400)}"
phases:
  - name: only
    kind: other
    goal: "<b>bold</b> ${'x'.repeat(300)}"
    steps:
      - name: by-hand
        manual: "Look at <script>window.broken = 1</script> \\u2066turned\\u2069 ${'y'.repeat(300)}"
        rollback_manual: nothing to do
      - name: long
        sql: |
${lines}
          COMMENT ON TABLE ${table} IS '<script>window.broken = 1</script>'
        rollback: COMMENT ON TABLE ${table} IS NULL
`;
  return {table, text, target};
}
