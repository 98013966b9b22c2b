#include "planner/import.h"

#include <algorithm>

#include <doctest/doctest.h>

#include "planner/lint.h"
#include "tests/planner/source_files.h"

using namespace runbookd::planner;

namespace {

ImportedPlan imported_file(Explanation const& schema = {}) {
  return import_markdown(content(source_dir() / "tests/documents/users-org-id.md"), "plan.md",
                         schema);
}
Explanation users_schema() {
  Catalog nothing;
  nothing.complete = true;
  return explain({.text = content(source_dir() / "config/plans/users-org-id.setup.sql")}, nothing,
                 18);
}

Plan plan_of(ImportedPlan const& imported) {
  auto const read = read_plan(imported.yaml, "plan.yaml");
  INFO(listed(imported.findings) << imported.yaml << listed(read.findings));
  REQUIRE(read.plan);
  return *read.plan;
}
Plan plan_of(std::string const& text) { return plan_of(import_markdown(text, "plan.md")); }

bool found(Findings const& findings, std::string const& rule, int line) {
  return std::ranges::any_of(
      findings, [&](Finding const& f) { return f.rule == rule && f.place.line == line; });
}
int line_of(std::string const& text, std::string const& wanted) {
  auto const at = text.find(wanted);
  REQUIRE(at != std::string::npos);
  return 1 + static_cast<int>(
                 std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
}

std::string in_phase(std::string const& body) {
  return "# Plan: p\n\n### Phase 1 — Expand\n\n" + body;
}
std::string sql_block(std::string const& sql) { return "```sql\n" + sql + "\n```\n"; }
// One check after a step, with a comment behind its query.
Check check_of(std::string const& query) {
  auto const plan = plan_of(in_phase(sql_block("ALTER TABLE t ADD COLUMN a int;") +
                                     "\n**Validation:**\n\n" + sql_block(query)));
  REQUIRE(plan.phases.at(0).validate.size() == 1);
  return plan.phases[0].validate[0];
}
std::string expected(std::string const& query) { return to_text(check_of(query).expect); }

std::string sql_of(Action const& action) {
  auto const* sql = std::get_if<SqlAction>(&action);
  return sql == nullptr ? std::string(kind_of(action)) : sql->source.text;
}

}  // namespace

TEST_CASE("each defect of a document's SQL is told at its line") {
  auto const text = content(source_dir() / "tests/documents/users-org-id.md");
  auto const findings = imported_file().findings;
  INFO(listed(findings));
  auto const at = [&](std::string const& words) { return line_of(text, words); };
  CHECK(found(findings, "import/not-in-transaction", at("CREATE INDEX CONCURRENTLY users")));
  CHECK(found(findings, "import/not-in-transaction", at("DROP INDEX CONCURRENTLY IF")));
  CHECK(found(findings, "import/one-transaction", at("DO $$")));
  CHECK(found(findings, "import/update-limit", at("LIMIT  batch_size")));
  CHECK(found(findings, "import/data-lost", at("ALTER TABLE users DROP COLUMN account_id")));
  CHECK(found(findings, "import/index-gone-already", at("DROP INDEX IF EXISTS")));
  CHECK(found(findings, "import/hedged-expectation", at("WHERE account_id IS NOT NULL")));
  CHECK(found(findings, "import/no-expectation", at("SELECT indexname")));
  CHECK(found(findings, "import/lock-claim", at("| Add nullable column |")));
  CHECK(found(findings, "import/lock-claim", at("| VALIDATE CONSTRAINT |")));
  CHECK_FALSE(found(findings, "import/lock-claim", at("| CREATE INDEX CONCURRENTLY |")));
  CHECK(found(findings, "import/placeholder", at("[JIRA-XXX]")));
  CHECK_FALSE(has_error(findings));
}

TEST_CASE("an imported plan has the document's phases, and lint finds no error in it") {
  auto const plan = plan_of(imported_file(users_schema()));
  std::vector<std::string> names;
  for (auto const& phase : plan.phases) {
    names.push_back(phase.name);
  }
  CHECK(names == std::vector<std::string>{"expand", "backfill", "enforce", "contract"});
  CHECK_FALSE(has_error(lint(plan)));
  CHECK(plan.title == "Give every user an organisation");
  CHECK(plan.metadata.reviewers == std::vector<std::string>{"ben", "chidi"});
  CHECK(plan.metadata.ticket == "");
  CHECK(plan.database.min_version == 13);
  CHECK(plan.compatibility.size() == 2);
  CHECK_FALSE(plan.compatibility.at(1).backward_compatible);
  CHECK(plan.baselines.size() == 2);
  CHECK(plan.final_checks.size() == 1);
}

TEST_CASE("a loop that updates in batches becomes a backfill with its size and its rest") {
  auto const plan = plan_of(imported_file());
  auto const& fill = std::get<BackfillAction>(plan.phases.at(1).steps.at(0).forward);
  CHECK(fill.table == "users");
  CHECK(fill.set.at(0) ==
        std::pair<std::string, std::string>{"org_id", "accounts.organisation_id"});
  CHECK(fill.from == "accounts");
  CHECK(fill.where == "users.account_id = accounts.id AND users.org_id IS NULL");
  CHECK(fill.batch.max_rows == 250);
  CHECK(fill.batch.pause == Duration{20});
}

TEST_CASE("batches by a subquery mean its condition") {
  auto const plan = plan_of(in_phase(sql_block(
      "UPDATE t SET a = 1 WHERE id IN (SELECT id FROM t WHERE a IS NULL LIMIT 500 FOR UPDATE SKIP "
      "LOCKED);")));
  auto const& fill = std::get<BackfillAction>(plan.phases.at(0).steps.at(0).forward);
  CHECK(fill.where == "a IS NULL");
}

TEST_CASE("the way back of a phase is dealt out to the steps that it undoes") {
  auto const plan = plan_of(imported_file());
  auto const& expand = plan.phases.at(0).steps;
  std::vector<std::string> back;
  for (auto const& step : expand) {
    back.push_back(sql_of(step.backward));
  }
  CHECK(back == std::vector<std::string>{"none", "ALTER TABLE users DROP COLUMN IF EXISTS org_id",
                                         "DROP INDEX CONCURRENTLY IF EXISTS users_org_id_idx",
                                         "manual"});
}

TEST_CASE("a way back that undoes nothing of its phase is told") {
  auto const imported =
      import_markdown(in_phase(sql_block("ALTER TABLE t ADD COLUMN a int;") +
                               "\n**Rollback:**\n\n" + sql_block("ALTER TABLE t DROP COLUMN b;")),
                      "plan.md");
  CHECK(found(imported.findings, "import/way-back-of-nothing", 12));
}

TEST_CASE("a dropped column is kept where the schema says what it was, else it is irreversible") {
  auto const blind = plan_of(imported_file());
  auto const& last = blind.phases.at(3).steps;
  CHECK(std::ranges::count_if(last, [](Step const& s) { return !s.reversible(); }) == 2);
  auto const seeing = plan_of(imported_file(users_schema()));
  auto const& kept = seeing.phases.at(3).steps;
  CHECK(std::ranges::all_of(kept, [](Step const& s) { return s.reversible(); }));
}

TEST_CASE(
    "the checklist becomes manual steps, soaks and windows; what the daemon does is left out") {
  auto const plan = plan_of(imported_file());
  auto const& expand = plan.phases.at(0);
  CHECK(kind_of(expand.steps.front().forward) == "manual");
  CHECK(std::get<ManualAction>(expand.steps.back().forward).text ==
        "Deploy app version with dual-write");
  CHECK(expand.soak == Duration{600'000});
  CHECK(plan.phases.at(1).not_before == NotBefore{"expand", Duration{86'400'000}});
  CHECK(plan.phases.at(3).not_before == NotBefore{"enforce", Duration{259'200'000}});
  CHECK(plan.checklist.at(0).when == "before");
}

TEST_CASE("comments tell what a query gives, in many words") {
  CHECK(expected("SELECT count(*) FROM t;\n-- Expected: 0") == "value 0");
  CHECK(expected("SELECT count(*) FROM t;\n-- Should be 0.") == "value 0");
  CHECK(expected("-- Must return 0 before we go on\nSELECT count(*) FROM t;") == "value 0");
  CHECK(expected("SELECT count(*) FROM t; -- expect: 12") == "value 12");
  CHECK(expected("SELECT a FROM t;\n-- Expected result: 'YES'") == "value YES");
  CHECK(expected("SELECT a FROM t;\n-- returns true") == "value t");
  CHECK(expected("SELECT a FROM t;\n-- => no rows") == "no rows");
  CHECK(expected("SELECT a FROM t;\n-- Expected: 1 row") == "at least one row");
  CHECK(expected("SELECT count(*) FROM t;\n-- Should be at least 5") == "value >= 5");
  CHECK(expected("SELECT count(*) FROM t;\n-- Expected: > 0") == "value > 0");
  CHECK(expected("BEGIN;\nINSERT INTO t VALUES (1);\n-- Expected: ERROR: duplicate key value "
                 "violates unique constraint\nROLLBACK;") == "error unique_violation");
  CHECK(expected("INSERT INTO t VALUES (1);\n-- should fail with check_violation") ==
        "error check_violation");
}

TEST_CASE("an expectation of one column compares that column only") {
  auto const check = check_of("SELECT a, b FROM t;\n-- Expected: b = 'x'");
  CHECK(to_text(check.expect) == "value x");
  CHECK(check.sql.text.starts_with("SELECT b FROM ("));
}

TEST_CASE("commands of psql are named and left out") {
  auto const imported = import_markdown(
      in_phase(sql_block("\\set ON_ERROR_STOP on\nALTER TABLE t ADD COLUMN a int;\n\\d t")),
      "plan.md");
  CHECK(found(imported.findings, "import/psql-command", 6));
  CHECK(found(imported.findings, "import/psql-command", 8));
  CHECK(plan_of(imported).phases.at(0).steps.size() == 1);
}

TEST_CASE(
    "SQL that does not parse is an error at its line, and stays in the plan, which cannot run") {
  auto const imported = import_markdown(
      in_phase(sql_block("ALTER TABLE t ADD COLUMN a int;\nALTER TABEL t;\n")), "plan.md");
  CHECK(found(imported.findings, "sql/syntax", 7));
  CHECK(has_error(imported.findings));
  CHECK(imported.yaml.find("ALTER TABEL t") != std::string::npos);
  CHECK_FALSE(read_plan(imported.yaml, "plan.yaml").plan);
}

TEST_CASE("documents with other headings are read, too") {
  auto const up_and_down =
      plan_of("# Add a column\n\n## Up\n\n" + sql_block("ALTER TABLE t ADD COLUMN a int;") +
              "\n## Down\n\n" + sql_block("ALTER TABLE t DROP COLUMN a;"));
  CHECK(sql_of(up_and_down.phases.at(0).steps.at(0).backward) == "ALTER TABLE t DROP COLUMN a");
  auto const steps =
      plan_of("# X\n\n## Step 1: Prepare\n\n" + sql_block("CREATE TABLE n (id int PRIMARY KEY);") +
              "\n## Step 2: Clean up\n\n" + sql_block("ALTER TABLE t DROP COLUMN b;"));
  CHECK(steps.phases.size() == 2);
  CHECK(steps.phases.at(0).name == "prepare");
  CHECK(steps.phases.at(1).kind == PhaseKind::contract);
}

TEST_CASE("SQL under a heading that the form does not have is a phase, and is never passed over") {
  auto const plan = plan_of(
      "# X\n\n## The new column\n\n" + sql_block("ALTER TABLE t ADD COLUMN a int;") +
      "\n## Steps\n\n### 1. Backfill\n\n" + sql_block("UPDATE t SET a = 1 WHERE a IS NULL;") +
      "\nVerify:\n" + sql_block("SELECT count(*) FROM t WHERE a IS NULL; -- → 0"));
  REQUIRE(plan.phases.size() == 2);
  CHECK(plan.phases[0].name == "the-new-column");
  CHECK(kind_of(plan.phases[1].steps.at(0).forward) == "backfill");
  CHECK(to_text(plan.phases[1].validate.at(0).expect) == "value 0");
}

TEST_CASE("phases may be headings of the first level") {
  auto const plan = plan_of("# Add a column\n\n# Phase 1: Expand\n\n" +
                            sql_block("ALTER TABLE t ADD COLUMN a int;"));
  CHECK(plan.title == "Add a column");
  CHECK(plan.phases.at(0).name == "expand");
}

TEST_CASE("a text without phases is refused with what is missing") {
  for (auto const* text :
       {"", "# Title\n\nSome words.\n", "```sql\n", "| a |\n|---|\n", "\n\n---\n"}) {
    auto const imported = import_markdown(text, "plan.md");
    CHECK(imported.yaml.empty());
    CHECK(has_error(imported.findings));
  }
}

TEST_CASE("a document for another database is refused") {
  auto const imported = import_markdown(
      "# P\n\n**Database engine:** MySQL 8.0\n\n## Phase 1: Expand\n\n" + sql_block("SELECT 1;"),
      "plan.md");
  CHECK(has_error(imported.findings));
}

namespace {

BackfillAction fill_of(std::string const& sql) {
  auto const plan = plan_of(in_phase(sql_block(sql)));
  auto const* fill = std::get_if<BackfillAction>(&plan.phases.at(0).steps.at(0).forward);
  REQUIRE(fill != nullptr);
  return *fill;
}
std::string loop(std::string const& declared, std::string const& inner) {
  return "DO $$\nDECLARE n int := 1; " + declared + "\nBEGIN\n  WHILE n > 0 LOOP\n    " + inner +
         "\n    GET DIAGNOSTICS n = ROW_COUNT;\n    COMMIT;\n  END LOOP;\nEND $$;";
}
Findings findings_of(std::string const& sql) {
  return import_markdown(in_phase(sql_block(sql)), "plan.md").findings;
}
bool has_error_of(Findings const& findings, std::string const& rule) {
  return std::ranges::any_of(
      findings, [&](Finding const& f) { return f.rule == rule && f.severity == Severity::error; });
}

}  // namespace

TEST_CASE("a loop's choice of its next rows is no condition of the backfill") {
  CHECK(fill_of(loop("",
                     "UPDATE e SET a = x.a FROM x WHERE e.x = x.id AND e.id IN (SELECT id FROM "
                     "e WHERE a IS NULL AND b > 1 LIMIT 500);"))
            .where == "e.x = x.id AND e.a IS NULL AND e.b > 1");
  CHECK(fill_of(loop("",
                     "UPDATE e SET a = b WHERE c AND (id IN (SELECT k.id FROM e k WHERE k.a IS "
                     "NULL OR lower(k.b) = 'x' ORDER BY k.id LIMIT 500 FOR UPDATE));"))
            .where == "c AND (e.a IS NULL OR lower(e.b) = 'x')");
  CHECK(fill_of("UPDATE e SET a = b WHERE ctid = ANY (ARRAY(SELECT ctid FROM e WHERE a IS NULL "
                "FETCH FIRST 500 ROWS ONLY));")
            .where == "a IS NULL");
}

TEST_CASE("the way of a loop's variables through the table falls away, and is told") {
  auto const walk = loop("lo bigint := 0; step int := 1000;",
                         "UPDATE e SET a = b WHERE a IS NULL AND id > lo AND id <= lo + step;\n"
                         "    lo := lo + step;");
  CHECK(fill_of(walk).where == "a IS NULL");
  CHECK(found(findings_of(walk), "import/loop-range", 6));
  auto const all = loop("lo bigint := 0;",
                        "UPDATE e SET a = b WHERE id BETWEEN lo AND lo + 9;\n    lo := lo + 10;");
  CHECK(fill_of(all).where == "e.a IS DISTINCT FROM b");
  CHECK_FALSE(has_error(findings_of(
      "DO $$\nDECLARE n int := 1; lo bigint := 0;\nBEGIN\n  WHILE n > 0 LOOP\n    UPDATE e SET a = "
      "b WHERE a IS NULL AND id >= lo;\n  lo := lo + 1; END LOOP;\nEND $$;")));
}

TEST_CASE("a loop whose variables mean more than its way is refused") {
  for (std::string const inner :
       {"UPDATE e SET a = n WHERE a IS NULL;", "UPDATE e SET a = b WHERE a IS NULL AND id = n;",
        "UPDATE e SET a = b WHERE a IS NULL AND made < cutoff;",
        "UPDATE e SET a = b WHERE id IN (SELECT id FROM e LIMIT 500);",
        "UPDATE e SET a = b WHERE id IN (SELECT e.id FROM e JOIN f ON f.e = e.id WHERE e.a IS NULL "
        "LIMIT 500);"}) {
    CAPTURE(inner);
    CHECK(has_error_of(findings_of(loop("cutoff date := now();", inner)), "import/loop-condition"));
  }
}

TEST_CASE("of loops that stay steps, and of one round of a loop, it is said what they do") {
  CHECK(found(findings_of(loop("", "DELETE FROM e WHERE id IN (SELECT id FROM e LIMIT 9);")),
              "import/loop-kept", 6));
  CHECK(has_error_of(findings_of("DELETE FROM e WHERE id IN (SELECT id FROM e WHERE old LIMIT 9);"),
                     "import/one-round"));
  CHECK(
      has_error_of(findings_of("WITH b AS (SELECT id FROM e WHERE a IS NULL LIMIT 9) UPDATE e SET "
                               "a = 1 FROM b WHERE e.id = b.id;"),
                   "import/one-round"));
  auto const body = [](std::string const& commit) {
    return "CREATE PROCEDURE f() LANGUAGE plpgsql AS $$\nBEGIN\n  LOOP\n    UPDATE e SET a = 1;\n" +
           commit + "  END LOOP;\nEND $$;\nCALL f();";
  };
  CHECK(has_error_of(findings_of(body("    COMMIT;\n")), "import/loop-kept"));
  CHECK(found(findings_of(body("")), "import/loop-kept", 12));
  CHECK_FALSE(has_error(findings_of(body(""))));
}
