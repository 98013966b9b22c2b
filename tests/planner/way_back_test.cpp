#include "planner/way_back.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "planner/lint.h"
#include "planner/plan_reader.h"
#include "planner/sql.h"

using namespace runbookd::planner;

namespace {

std::vector<Statement> statements(std::string const& sql) {
  return sql.empty() ? std::vector<Statement>{} : read_sql(SqlText{.text = sql}).statements;
}

DerivedWayBack derived(std::string const& sql, std::string const& earlier = "") {
  return derive_way_back(statements(sql), read_statements(statements(earlier)));
}

// Without the mark.
std::string back(std::string const& sql, std::string const& earlier = "") {
  auto const found = derived(sql, earlier);
  CAPTURE(sql);
  CHECK(found.refused.empty());
  return found.sql.empty() ? "" : found.sql.substr(derived_mark.size() + 1);
}

struct Pair {
  char const* sql;
  char const* other;
};

constexpr Pair inverses[] = {
    {"ALTER TABLE s.t ADD COLUMN \"C\" int", "ALTER TABLE s.t DROP COLUMN \"C\""},
    {"ALTER TABLE ONLY t ADD COLUMN c int", "ALTER TABLE ONLY t DROP COLUMN c"},
    {"ALTER TABLE t ADD COLUMN a int, ADD COLUMN b int",
     "ALTER TABLE t DROP COLUMN b;\nALTER TABLE t DROP COLUMN a"},
    {"ALTER TABLE t ALTER a SET NOT NULL", "ALTER TABLE t ALTER COLUMN a DROP NOT NULL"},
    {"ALTER TABLE t ADD CONSTRAINT k CHECK (a > 0) NOT VALID", "ALTER TABLE t DROP CONSTRAINT k"},
    {"ALTER TABLE t ADD CONSTRAINT k CHECK (a > 0) NOT VALID; ALTER TABLE t ADD COLUMN b int",
     "ALTER TABLE t DROP COLUMN b;\nALTER TABLE t DROP CONSTRAINT k"},
    {"CREATE UNIQUE INDEX CONCURRENTLY i ON s.t (a)", "DROP INDEX CONCURRENTLY s.i"},
    {"CREATE FUNCTION f(a int, OUT b text, VARIADIC c text[]) LANGUAGE sql AS 'x'",
     "DROP FUNCTION f(pg_catalog.int4, text[])"},
    {"CREATE TRIGGER g BEFORE INSERT ON t EXECUTE FUNCTION f()", "DROP TRIGGER g ON t"},
    {"CREATE MATERIALIZED VIEW m AS SELECT 1", "DROP MATERIALIZED VIEW m"},
    {"ALTER TABLE s.t RENAME TO u", "ALTER TABLE s.u RENAME TO t"},
    {"ALTER VIEW v RENAME COLUMN a TO b", "ALTER VIEW v RENAME COLUMN b TO a"},
    {"ALTER TABLE t RENAME CONSTRAINT a TO b", "ALTER TABLE t RENAME CONSTRAINT b TO a"},
    {"ALTER TRIGGER a ON t RENAME TO b", "ALTER TRIGGER b ON t RENAME TO a"},
    {"ALTER TABLE s.t SET SCHEMA u", "ALTER TABLE u.t SET SCHEMA s"},
    {"ALTER FUNCTION s.f(int) RENAME TO g", "ALTER FUNCTION s.g(pg_catalog.int4) RENAME TO f"},
    {"ALTER TYPE e RENAME VALUE 'it''s' TO 'b'", "ALTER TYPE e RENAME VALUE 'b' TO 'it''s'"},
    {"SET LOCAL search_path = s; CREATE TABLE t (a int)",
     "SET LOCAL search_path = s;\nDROP TABLE t"},
    {"SET LOCAL work_mem = '1GB'; CREATE TABLE t (a int)", "DROP TABLE t"},
};

// … and the word of the reason that decides.
constexpr Pair refusals[] = {
    {"ALTER TABLE t DROP COLUMN a", "the values of t.a are gone"},
    {"DROP TABLE t", "the rows of t are gone"},
    {"DROP SEQUENCE q", "the position of q is gone"},
    {"UPDATE t SET a = 1", "former values"},
    {"DELETE FROM t", "rows are gone"},
    {"TRUNCATE t", "rows are gone"},
    {"DROP VIEW v CASCADE", "CASCADE"},
    {"ALTER TABLE t ALTER a TYPE int USING length(a)", "after USING"},
    {"ALTER SEQUENCE q RESTART", "the position of q is gone"},
    {"ALTER TABLE t RENAME TO u; ALTER TABLE t ALTER a SET DEFAULT 5", "renames"},
    {"CREATE TABLE t (a int CONSTRAINT k CHECK (a > 0)); DROP INDEX i; CREATE VIEW v AS SELECT 1, "
     "2; "
     "ALTER TABLE t ADD CONSTRAINT l CHECK (a > 1), ADD COLUMN b int; ALTER TABLE t DROP "
     "CONSTRAINT l",
     "together with other things"},
    {"CREATE INDEX ON t (a)", "the server chooses the index's name"},
    {"ALTER TABLE t ADD CHECK (a > 0)", "the server chooses the constraint's name"},
    {"ALTER TABLE t ADD CONSTRAINT k PRIMARY KEY (a)", "NOT NULL"},
    {"ALTER TABLE t ADD CONSTRAINT k UNIQUE USING INDEX i", "takes the index i over"},
    {"ALTER TYPE e ADD VALUE 'x'", "a label of an enum"},
    {"DO 'BEGIN END'", "by running it"},
    {"SELECT setval('s', 1)", "by running it"},
    {"CREATE TABLE t (a int); SET LOCAL search_path = s", "which objects"},
};

// … and what is asked: the object, and its part.
constexpr Pair asked[] = {
    {"ALTER TABLE t ADD COLUMN IF NOT EXISTS a int", "t a"},
    {"CREATE TABLE IF NOT EXISTS s.t (a int)", "s.t"},
    {"DROP VIEW IF EXISTS v", "v"},
    {"DROP TABLE IF EXISTS v", "v"},
    {"CREATE OR REPLACE VIEW \"V\" AS SELECT 1", "\"V\""},
    {"CREATE OR REPLACE FUNCTION s.f(a int, OUT b text) LANGUAGE sql AS 'x'",
     "s.f(pg_catalog.int4)"},
    {"ALTER TABLE t ALTER a SET DEFAULT 5", "t a"},
    {"ALTER TABLE t ALTER a TYPE bigint", "t a"},
    {"ALTER TABLE t ALTER a SET STATISTICS 5", "t a"},
    {"ALTER TABLE t DROP CONSTRAINT \"K k\"", "t K k"},
    {"ALTER TABLE t VALIDATE CONSTRAINT k", "t k"},
    {"DROP INDEX CONCURRENTLY s.i", "s.i"},
    {"DROP TRIGGER g ON s.t", "s.t g"},
    {"DROP POLICY p ON t", "t p"},
    {"DROP FUNCTION f(int)", "f(pg_catalog.int4)"},
    {"ALTER TABLE t SET (fillfactor = 70)", "t"},
    {"ALTER TABLE t OWNER TO bob", "t bob"},
    {"ALTER TABLE t DISABLE TRIGGER g", "t g"},
    {"GRANT ALL ON t TO bob", "t"},
    {"REVOKE USAGE ON SCHEMA s FROM bob", "s"},
    {"ALTER TABLE t SET SCHEMA s", "t"},
    {"ALTER SEQUENCE q CACHE 5", "q"},
    {"COMMENT ON TABLE t IS 'x'", "t"},
    {"COMMENT ON COLUMN s.t.a IS 'x'", "s.t a"},
    {"COMMENT ON CONSTRAINT k ON s.t IS 'x'", "s.t k"},
};

constexpr Pair nothings[] = {
    {"CREATE TEMP TABLE t (a int)", "goes with its session"},
    {"SELECT 1", "changes nothing"},
    {"VACUUM t", "changes no schema"},
};

}  // namespace

TEST_CASE("a statement that says both ways is inverted from its text") {
  for (auto const& one : inverses) {
    CHECK(back(one.sql) == one.other);
  }
}

TEST_CASE(
    "what cannot be inverted is refused with its reason, and no half of a rollback is given") {
  for (auto const& one : refusals) {
    CAPTURE(std::string(one.sql));
    auto const found = derived(one.sql);
    REQUIRE(found.refused.size() == 1);
    CHECK(found.refused.front().why.find(one.other) != std::string::npos);
  }
}

TEST_CASE("what only a catalog tells is asked when the step begins") {
  for (auto const& one : asked) {
    CAPTURE(std::string(one.sql));
    auto const found = derived(one.sql);
    CHECK(found.refused.empty());
    CHECK(found.needs_catalog);
    auto const questions = catalog_questions(statements(one.sql)).questions;
    REQUIRE(questions.size() == 1);
    auto const& part = questions[0].part;
    CHECK(questions[0].object + (part.empty() ? "" : " " + part) == one.other);
  }
}

TEST_CASE("what the catalog said stands in the place of the statement, in reverse") {
  auto const step = statements(
      "SET search_path = s; ALTER TABLE t ALTER a SET DEFAULT 5; CREATE INDEX i ON t (a); "
      "DROP VIEW IF EXISTS v; ALTER TABLE t DROP CONSTRAINT k");
  auto const asked = catalog_questions(step);
  CHECK(asked.settings == "SET search_path = s");
  REQUIRE(asked.questions.size() == 3);
  auto const told = derive_way_back(
      step, {{.found = true, .sql = {"D"}}, {}, {.found = true, .sql = {"K", "COMMENT"}}});
  CHECK(told.refused.empty());
  CHECK_FALSE(told.needs_catalog);
  CHECK(told.sql == std::string(derived_from_catalog_mark) +
                        "\nSET search_path = s;\nK;\nCOMMENT;\nDROP INDEX i;\nD");
  auto const missing = derive_way_back(step, {{}, {}, {.found = true, .refused = "odd"}});
  REQUIRE(missing.refused.size() == 2);
  CHECK(missing.refused[0].why == "a of t is not there just before the step");
  CHECK(missing.refused[1].why == "odd");
}

TEST_CASE("what belongs to a thing that the step makes goes with it and is not asked") {
  auto const step = statements(
      "CREATE TABLE t (a int); COMMENT ON TABLE t IS 'x'; GRANT SELECT ON t TO bob; "
      "ALTER TABLE u ADD COLUMN b int; COMMENT ON COLUMN u.b IS 'y'; ALTER TABLE u ALTER b SET "
      "DEFAULT 1");
  CHECK(catalog_questions(step).questions.empty());
  CHECK(derive_way_back(step, ReadStatements{}).sql ==
        std::string(derived_mark) + "\nALTER TABLE u DROP COLUMN b;\nDROP TABLE t");
}

TEST_CASE("a start is only refused for what no earlier step can change") {
  auto const drop = statements("ALTER TABLE t DROP CONSTRAINT k");
  auto const absent = derive_way_back(drop, {Definition{}});
  REQUIRE(absent.refused.size() == 1);
  CHECK(hopeless(absent, {}).size() == 1);
  CHECK(hopeless(absent, statements("CREATE INDEX i ON u (a)")).size() == 1);
  CHECK(hopeless(absent, statements("ALTER TABLE t ADD CONSTRAINT k CHECK (a > 0), ADD b int"))
            .empty());
  CHECK(hopeless(absent, statements("ALTER TABLE u RENAME TO t")).empty());
  CHECK(hopeless(absent, statements("DO 'BEGIN END'")).empty());
}

TEST_CASE("where nothing is left to undo, that is said") {
  for (auto const& one : nothings) {
    CAPTURE(std::string(one.sql));
    auto const found = derived(one.sql);
    CHECK(found.refused.empty());
    CHECK(found.sql.empty());
    CHECK(found.nothing.find(one.other) != std::string::npos);
  }
}

TEST_CASE("what the plan itself had made before is made again as it was then") {
  std::string const added = "ALTER TABLE t ADD CONSTRAINT k CHECK (a > 0) NOT VALID";
  auto const drop = "ALTER TABLE t DROP CONSTRAINT k";
  CHECK(back(drop, added) == added);
  CHECK(back(drop, added + "; ALTER TABLE t VALIDATE CONSTRAINT k") ==
        "ALTER TABLE t ADD CONSTRAINT k CHECK (a > 0)");
  CHECK(back("ALTER TABLE t VALIDATE CONSTRAINT k", added) ==
        "ALTER TABLE t DROP CONSTRAINT k, ADD CONSTRAINT k CHECK (a > 0) NOT VALID");
  CHECK(back("DROP INDEX CONCURRENTLY i", "CREATE INDEX CONCURRENTLY i ON t (a)") ==
        "CREATE INDEX CONCURRENTLY i ON t (a)");
  CHECK(back("DROP INDEX i", "CREATE INDEX CONCURRENTLY i ON t (a)") == "CREATE INDEX i ON t (a)");
  CHECK(back("DROP VIEW v", "CREATE VIEW v AS SELECT 1") == "CREATE VIEW v AS SELECT 1");
  CHECK(back("ALTER TABLE t ALTER a SET DEFAULT 2", "ALTER TABLE t ALTER a SET DEFAULT 1") ==
        "ALTER TABLE t ALTER a SET DEFAULT 1");
}

TEST_CASE(
    "what the plan made is not trusted once it has been renamed or made beside other things") {
  std::string const added = "ALTER TABLE t ADD CONSTRAINT k CHECK (a > 0)";
  auto const drop = "ALTER TABLE t DROP CONSTRAINT k";
  CHECK(derived(drop, added + "; ALTER TABLE t RENAME COLUMN a TO b").needs_catalog);
  CHECK(derived(drop, added + ", ADD COLUMN c int").needs_catalog);
  CHECK(derived("ALTER TABLE t DROP CONSTRAINT IF EXISTS k", added).needs_catalog);
}

TEST_CASE(
    "a script goes back in reverse: the derived rollback of the rollback is the script's order") {
  auto const there = std::string(
      "CREATE TABLE a (x int);\nCREATE TABLE b (x int);\nALTER TABLE a ADD COLUMN y int;\nCREATE "
      "INDEX i ON a (y)");
  CHECK(back(there) == "DROP INDEX i;\nALTER TABLE a DROP COLUMN y;\nDROP TABLE b;\nDROP TABLE a");
}

TEST_CASE("a plan holds the derived SQL, marked, and is the same plan when it is read again") {
  std::string const text =
      "runbook: 1\nname: p\nphases:\n- name: one\n  steps:\n"
      "  - {name: s, sql: ALTER TABLE t ADD COLUMN a int, rollback: auto, lock: {stall_budget: "
      "1s}}\n"
      "  - {name: v, sql: ALTER TABLE t VALIDATE CONSTRAINT k, rollback: auto}\n"
      "  - {name: f, backfill: {table: t, set: {a: '1'}, where: a IS NULL}, rollback: auto}\n";
  auto const read = read_plan(text, "plan.yaml");
  REQUIRE(read.plan);
  auto const& steps = read.plan->phases.at(0).steps;
  auto const& sql = std::get<SqlAction>(steps.at(0).backward);
  CHECK(is_derived(sql));
  CHECK(sql.lock.stall_budget == Duration{1000});
  REQUIRE(sql.statements.size() == 1);
  CHECK(sql.statements[0].kind == "ALTER TABLE");
  CHECK(std::holds_alternative<AutoAction>(steps.at(1).backward));
  CHECK(std::holds_alternative<NoAction>(steps.at(2).backward));
  auto const canonical = canonical_json(*read.plan);
  auto const again = read_plan(canonical, "again");
  REQUIRE(again.plan);
  CHECK(canonical_json(*again.plan) == canonical);
}

TEST_CASE("a step whose rollback cannot be derived keeps the plan from loading, at its place") {
  auto const read = read_plan(
      "runbook: 1\nname: p\nphases:\n- name: one\n  steps:\n"
      "  - name: s\n    sql: |\n      ALTER TABLE t ADD COLUMN b int;\n      DROP TABLE t\n"
      "    rollback: auto\n  - {name: m, manual: Deploy., rollback: auto}\n",
      "plan.yaml");
  CHECK_FALSE(read.plan);
  REQUIRE(read.findings.size() == 2);
  CHECK(to_text(read.findings[0])
            .find("plan.yaml:10:15: error: the rollback cannot be derived from `DROP TABLE t`: the "
                  "rows "
                  "of t are gone with it") != std::string::npos);
  CHECK(read.findings[0].step == "one/s");
  CHECK(read.findings[1].message == "`rollback: auto` is derived from SQL, and the step has none");
}

TEST_CASE("the derived SQL written into the file in the place of auto is the same plan") {
  std::string const text =
      "runbook: 1\nname: p\nphases:\n- name: one\n  steps:\n"
      "  - name: s\n    sql: |\n      ALTER TABLE t ADD COLUMN a text;\n      CREATE INDEX "
      "\"$${i}\" ON t (a)\n"
      "    rollback: auto\n"
      "  - {name: u, sql: ALTER TABLE t RENAME TO u, rollback: auto}\n";
  auto const read = read_plan(text, "plan.yaml");
  REQUIRE(read.plan);
  auto const mended = mend(text, "plan.yaml", spelled_out(*read.plan, text));
  CHECK(mended.edits == 2);
  CHECK(mended.text.find("auto\n") == std::string::npos);
  auto const again = read_plan(mended.text, "plan.yaml");
  REQUIRE(again.plan);
  CHECK(canonical_json(*again.plan) == canonical_json(*read.plan));
  CHECK(mend(mended.text, "plan.yaml", spelled_out(*again.plan, mended.text)).edits == 0);
}
