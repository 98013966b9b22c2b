#include "planner/lint.h"

#include <algorithm>

#include <doctest/doctest.h>

#include "planner/sql.h"

using namespace runbookd::planner;

namespace {

SqlAction action(std::string sql) {
  auto read = read_sql({.text = std::move(sql), .place = {"plan.yaml", 20, 7}, .indent = 6});
  REQUIRE_FALSE(has_error(read.findings));
  return {.statements = std::move(read.statements)};
}

Step step(std::string name, std::string sql) {
  return {.name = std::move(name), .forward = action(std::move(sql)), .irreversible = "a test"};
}

// One phase with a step for each script.
Plan plan(std::vector<std::string> const& scripts) {
  Phase phase{.name = "expand", .kind = PhaseKind::expand};
  for (auto const& sql : scripts) {
    phase.steps.push_back(step("s" + std::to_string(phase.steps.size() + 1), sql));
  }
  return {.phases = {phase}};
}

std::vector<std::string> rules(Plan const& of) {
  std::vector<std::string> names;
  for (auto const& finding : lint(of)) {
    names.push_back(finding.rule);
  }
  return names;
}
std::vector<std::string> rules(std::string sql) { return rules(plan({std::move(sql)})); }
std::vector<std::string> const nothing;

Severity severity(std::string sql) {
  auto const findings = lint(plan({std::move(sql)}));
  REQUIRE(findings.size() == 1);
  return findings[0].severity;
}
using Rules = std::vector<std::string>;

}  // namespace

TEST_CASE("a finding says where, in which step, why, and what to write instead") {
  auto const findings = lint(plan({"SELECT 1;\nCREATE INDEX i ON users (a)"}));
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].place == Place{"plan.yaml", 21, 7});
  CHECK(findings[0].step == "expand/s1");
  CHECK(findings[0].message.find("users") != std::string::npos);
  CHECK(findings[0].fix.find("CONCURRENTLY") != std::string::npos);
  CHECK(findings[0].severity == Severity::error);
}

TEST_SUITE("indexes") {
  TEST_CASE("an index on an existing table is built concurrently") {
    CHECK(rules("CREATE INDEX i ON t (a)") == Rules{"lock/create-index-not-concurrent"});
    CHECK(rules("CREATE INDEX CONCURRENTLY i ON t (a)") == nothing);
  }
  TEST_CASE("an index on a table that the step itself makes harms nobody") {
    CHECK(rules("CREATE TABLE t (a int); CREATE INDEX i ON t (a)") == nothing);
    CHECK(rules("CREATE TABLE s.t (a int); CREATE INDEX i ON t (a)") == nothing);
  }
  TEST_CASE("a table made by an earlier step may already be in use") {
    CHECK(rules(plan({"CREATE TABLE t (a int)", "CREATE INDEX i ON t (a)"})) ==
          Rules{"lock/create-index-not-concurrent"});
  }
  TEST_CASE("an index of only the partitioned parent builds nothing") {
    CHECK(rules("CREATE INDEX i ON ONLY t (a)") == nothing);
  }
  TEST_CASE("dropping an index is only a warning") {
    CHECK(rules("DROP INDEX i") == Rules{"lock/drop-index-not-concurrent"});
    CHECK(severity("DROP INDEX i") == Severity::warning);
    CHECK(rules("DROP INDEX CONCURRENTLY i") == nothing);
  }
  TEST_CASE("an index is rebuilt concurrently") {
    CHECK(rules("REINDEX TABLE t") == Rules{"lock/reindex-not-concurrent"});
    CHECK(rules("REINDEX INDEX CONCURRENTLY i") == nothing);
    CHECK(rules("REINDEX TABLE CONCURRENTLY t") == Rules{"lock/reindex-partitioned-waits"});
    CHECK(severity("REINDEX TABLE CONCURRENTLY t") == Severity::note);
  }
}

TEST_SUITE("constraints") {
  TEST_CASE("a CHECK and a foreign key are added NOT VALID") {
    CHECK(rules("ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0)") ==
          Rules{"lock/add-constraint-without-not-valid"});
    CHECK(rules("ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES u") ==
          Rules{"lock/add-constraint-without-not-valid"});
    CHECK(rules("ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID") == nothing);
    CHECK(rules("ALTER TABLE t ADD CONSTRAINT c FOREIGN KEY (a) REFERENCES u NOT VALID") ==
          nothing);
  }
  TEST_CASE("a new column that is NULL everywhere may refer to another table at once") {
    CHECK(rules("ALTER TABLE t ADD COLUMN a int REFERENCES u (id)") == nothing);
    CHECK(rules("ALTER TABLE t ADD COLUMN a int DEFAULT 1 REFERENCES u (id)") ==
          Rules{"lock/add-constraint-without-not-valid"});
  }
  TEST_CASE("a new column with a CHECK is read from end to end") {
    CHECK(rules("ALTER TABLE t ADD COLUMN a int DEFAULT 1 CHECK (a > 0)") ==
          Rules{"lock/add-constraint-without-not-valid"});
  }
  TEST_CASE("a unique constraint takes an index that is there") {
    CHECK(rules("ALTER TABLE t ADD UNIQUE (a)") == Rules{"lock/add-constraint-builds-index"});
    CHECK(rules("ALTER TABLE t ADD PRIMARY KEY (a)") == Rules{"lock/add-constraint-builds-index"});
    CHECK(rules("ALTER TABLE t ADD COLUMN a int UNIQUE") ==
          Rules{"lock/add-constraint-builds-index"});
    CHECK(rules("ALTER TABLE t ADD CONSTRAINT u UNIQUE USING INDEX i") == nothing);
  }
  TEST_CASE("validating is a step of its own") {
    auto const added = "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID";
    auto const validated = "ALTER TABLE t VALIDATE CONSTRAINT c";
    CHECK(rules(plan({added, validated})) == nothing);
    CHECK(rules(std::string(added) + ";" + validated) == Rules{"lock/validate-in-same-step"});
    CHECK(rules("ALTER TABLE t VALIDATE CONSTRAINT c, ALTER a SET DEFAULT 1") ==
          Rules{"lock/validate-in-same-step"});
  }
}

TEST_SUITE("SET NOT NULL") {
  auto const rule = Rules{"lock/set-not-null-without-check"};
  auto const add = "ALTER TABLE t ADD CONSTRAINT c CHECK (a IS NOT NULL) NOT VALID";
  auto const validate = "ALTER TABLE t VALIDATE CONSTRAINT c";
  auto const set = "ALTER TABLE t ALTER COLUMN a SET NOT NULL";

  TEST_CASE("it reads the whole table where nothing proves it") {
    CHECK(rules(set) == rule);
    CHECK(severity(set) == Severity::error);
  }
  TEST_CASE("a validated CHECK proves it") { CHECK(rules(plan({add, validate, set})) == nothing); }
  TEST_CASE("a CHECK that is not validated proves nothing") {
    CHECK(rules(plan({add, set})) == rule);
  }
  TEST_CASE("a CHECK that is gone again proves nothing") {
    CHECK(rules(plan({add, validate, "ALTER TABLE t DROP CONSTRAINT c", set})) == rule);
  }
  TEST_CASE("a CHECK of another column or table proves nothing") {
    CHECK(rules(plan({"ALTER TABLE t ADD CONSTRAINT c CHECK (b IS NOT NULL) NOT VALID", validate,
                      set})) == rule);
    CHECK(rules(plan({add, validate, "ALTER TABLE u ALTER COLUMN a SET NOT NULL"})) == rule);
    CHECK(rules(plan({"ALTER TABLE t ADD CONSTRAINT c CHECK (a IS NOT NULL OR b) NOT VALID",
                      validate, set})) == rule);
  }
  TEST_CASE("a CHECK of several columns proves each of them") {
    CHECK(rules(plan({"ALTER TABLE t ADD CONSTRAINT c CHECK (b > 0 AND a IS NOT NULL) NOT VALID",
                      validate, set})) == nothing);
  }
  TEST_CASE("a constraint from before the plan may be the proof") {
    CHECK(rules(plan({validate, set})) == nothing);
  }
}

TEST_SUITE("columns") {
  auto const rewrites = Rules{"lock/volatile-default-rewrites"};
  TEST_CASE("a default that is one value for all rows costs nothing") {
    for (auto const* column :
         {"int DEFAULT 0", "timestamptz NOT NULL DEFAULT now()", "date DEFAULT CURRENT_DATE",
          "jsonb DEFAULT '{}'::jsonb", "int DEFAULT (1 + 2) * 3", "text COLLATE \"C\""}) {
      CAPTURE(std::string(column));
      CHECK(rules(std::string("ALTER TABLE t ADD COLUMN a ") + column) == nothing);
    }
  }
  TEST_CASE("a default of its own for each row rewrites the table") {
    for (auto const* column : {"uuid DEFAULT gen_random_uuid()", "float8 DEFAULT random()",
                               "int DEFAULT (floor(random() * 10))::int"}) {
      CAPTURE(std::string(column));
      CHECK(rules(std::string("ALTER TABLE t ADD COLUMN a ") + column) == rewrites);
    }
  }
  TEST_CASE("a function that we do not know is a warning") {
    CHECK(severity("ALTER TABLE t ADD COLUMN a int DEFAULT my_number()") == Severity::warning);
    CHECK(severity("ALTER TABLE t ADD COLUMN a int DEFAULT random()") == Severity::error);
  }
  TEST_CASE("a default for new rows only is free") {
    CHECK(rules("ALTER TABLE t ALTER COLUMN a SET DEFAULT gen_random_uuid()") == nothing);
  }
  TEST_CASE("NOT NULL without a value fails on the first row") {
    CHECK(rules("ALTER TABLE t ADD COLUMN a int NOT NULL") ==
          Rules{"data/add-not-null-without-default"});
  }
  TEST_CASE("a change of type rewrites, or may") {
    CHECK(rules("ALTER TABLE t ALTER a TYPE bigint") == Rules{"lock/type-change-rewrites"});
    CHECK(severity("ALTER TABLE t ALTER a TYPE bigint") == Severity::error);
    CHECK(severity("ALTER TABLE t ALTER a TYPE text") == Severity::warning);
    CHECK(severity("ALTER TABLE t ALTER a TYPE text USING trim(a)") == Severity::error);
  }
  TEST_CASE("everything is allowed with a table that the step makes") {
    CHECK(rules("CREATE TABLE t (a int); ALTER TABLE t ALTER a TYPE bigint; ALTER TABLE t ADD b "
                "uuid DEFAULT "
                "gen_random_uuid(); ALTER TABLE t ALTER a SET NOT NULL; UPDATE t SET a = 1") ==
          nothing);
  }
}

TEST_SUITE("tables and rows") {
  TEST_CASE("a whole table is not written anew under traffic") {
    for (auto const* sql : {"VACUUM FULL t", "CLUSTER t USING i", "ALTER TABLE t SET TABLESPACE x",
                            "ALTER TABLE t SET ACCESS METHOD columnar"}) {
      CAPTURE(std::string(sql));
      CHECK(rules(sql) == Rules{"lock/rewrites-table"});
    }
    CHECK(rules("VACUUM (FULL false) t") == nothing);
    CHECK(rules("ALTER SEQUENCE s SET UNLOGGED") == nothing);
  }
  TEST_CASE("rows of a whole table are changed by a backfill") {
    CHECK(rules("UPDATE t SET a = 1") == Rules{"data/update-without-backfill"});
    CHECK(rules("DELETE FROM t") == Rules{"data/update-without-backfill"});
    CHECK(rules("UPDATE t SET a = 1 WHERE id = 7") == nothing);
    CHECK(rules("CREATE TEMP TABLE t AS SELECT 1 AS a; UPDATE t SET a = 2") == nothing);
  }
  TEST_CASE("a loop in a DO block is one transaction") {
    auto const loop =
        "DO $$ BEGIN LOOP UPDATE t SET a = 1 WHERE b; EXIT WHEN NOT FOUND; END LOOP; END $$";
    CHECK(rules(loop) == Rules{"data/update-without-backfill"});
    CHECK(severity(loop) == Severity::warning);
    CHECK(rules("DO $$ BEGIN LOOP EXIT; END LOOP; UPDATE t SET a = 1 WHERE b; END $$") == nothing);
  }
  TEST_CASE("partitions come and go without stopping everybody") {
    CHECK(severity("ALTER TABLE t DETACH PARTITION p") == Severity::warning);
    CHECK(rules("ALTER TABLE t DETACH PARTITION p CONCURRENTLY") ==
          Rules{"rollback/detach-leaves-check"});
    CHECK(severity("ALTER TABLE t DETACH PARTITION p CONCURRENTLY") == Severity::note);
    CHECK(rules("ALTER TABLE t ATTACH PARTITION p DEFAULT") ==
          Rules{"lock/attach-reads-partition"});
  }
}

TEST_SUITE("rollbacks and phases") {
  TEST_CASE("a rollback is judged too, but never stops the start") {
    auto of = plan({"SELECT 1"});
    of.phases[0].steps[0].irreversible.clear();
    of.phases[0].steps[0].backward = action("CREATE INDEX i ON t (a)");
    auto const findings = lint(of);
    REQUIRE(findings.size() == 1);
    CHECK(findings[0].severity == Severity::warning);
    CHECK(findings[0].message.starts_with("in the rollback: "));
  }
  TEST_CASE("what a rollback would undo still holds for the steps that follow") {
    auto of = plan({"ALTER TABLE t ADD CONSTRAINT c CHECK (a IS NOT NULL) NOT VALID",
                    "ALTER TABLE t VALIDATE CONSTRAINT c", "ALTER TABLE t ALTER a SET NOT NULL"});
    of.phases[0].steps[0].irreversible.clear();
    of.phases[0].steps[0].backward = action("ALTER TABLE t DROP CONSTRAINT c");
    CHECK(rules(of) == nothing);
  }
  TEST_CASE("a contract phase waits for somebody or something") {
    Plan of{
        .phases = {{.name = "drop", .kind = PhaseKind::contract, .place = {"plan.yaml", 3, 5}}}};
    REQUIRE(rules(of) == Rules{"plan/contract-without-wait"});
    CHECK(lint(of)[0].place.line == 3);
    of.phases[0].approval = Approval{};
    CHECK(rules(of) == nothing);
    of.phases[0].approval.reset();
    of.phases[0].not_before = NotBefore{};
    CHECK(rules(of) == nothing);
  }
}

TEST_SUITE("the session of a step") {
  TEST_CASE("the schema that proves the steps is left alone") {
    for (auto const* sql :
         {"DROP SCHEMA runbookd CASCADE", "ALTER SCHEMA runbookd RENAME TO x",
          "UPDATE runbookd.marker SET attempt = 2", "DELETE FROM runbookd.intent WHERE phase = 1",
          "TRUNCATE runbookd.backfill", "DROP TABLE runbookd.marker",
          "ALTER TABLE runbookd.marker ADD COLUMN a int", "CREATE TABLE runbookd.mine (a int)",
          "INSERT INTO runbookd.marker SELECT 1",
          "DO $$ BEGIN DELETE FROM runbookd.marker; END $$"}) {
      CAPTURE(std::string(sql));
      auto const found = rules(sql);
      CHECK(std::ranges::find(found, "session/changes-runbookd-schema") != found.end());
    }
    CHECK(severity("ALTER TABLE runbookd.marker ADD COLUMN a int") == Severity::error);
    CHECK(rules("CREATE TABLE t AS SELECT * FROM runbookd.marker") == nothing);
    CHECK(rules("UPDATE app.runbookd SET a = 1 WHERE b") == nothing);
  }
  TEST_CASE("a backfill leaves it alone too") {
    auto of = plan({"SELECT now()"});
    of.phases[0].steps[0].forward = BackfillAction{
        .table = "runbookd.marker", .set = {{"label", "'x'"}}, .where = "label IS NULL"};
    CHECK(rules(of) == Rules{"session/changes-runbookd-schema"});
  }
  TEST_CASE("the limits of a step are the plan's") {
    for (auto const* sql :
         {"SET lock_timeout = 0", "SET LOCAL lock_timeout = '1h'", "RESET statement_timeout",
          "SET statement_timeout TO DEFAULT", "RESET ALL", "DISCARD ALL"}) {
      CAPTURE(std::string(sql));
      CHECK(rules(sql) == Rules{"session/replaces-limits"});
      CHECK(severity(sql) == Severity::error);
    }
    CHECK(rules("SET LOCAL work_mem = '1GB'") == nothing);
    CHECK(rules("DISCARD PLANS") == nothing);
  }
  TEST_CASE("what a step sets ends with the step, and its author is told") {
    for (auto const* sql :
         {"SET search_path = app", "SET ROLE owner", "SET SESSION AUTHORIZATION owner"}) {
      CAPTURE(std::string(sql));
      CHECK(rules(sql) == Rules{"session/setting-ends-with-step"});
      CHECK(severity(sql) == Severity::warning);
    }
    CHECK(rules("SET LOCAL search_path = app; SET LOCAL ROLE owner; RESET ROLE") == nothing);
  }
}

TEST_SUITE("checks and backfills") {
  static Plan with_check(std::string sql, Expectation expect) {
    auto of = plan({});
    of.phases[0].validate.push_back({.name = "c",
                                     .sql = {.text = std::move(sql), .place = {"plan.yaml", 30, 9}},
                                     .expect = std::move(expect)});
    return of;
  }
  static Rules of_check(std::string sql, Expectation expect = ValueIs{.value = "0"}) {
    return rules(with_check(std::move(sql), std::move(expect)));
  }

  TEST_CASE("a check looks and does nothing") {
    for (auto const* sql :
         {"SELECT nextval('s')", "SELECT setval('s', 1) FROM t", "SELECT pg_advisory_lock(1)",
          "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity",
          "SELECT * FROM dblink('x', 'y') AS d (a int)",
          "SELECT pg_catalog.set_config('a.b', 'c', false)"}) {
      CAPTURE(std::string(sql));
      CHECK(of_check(sql) == Rules{"check/side-effect"});
    }
    auto const found = lint(with_check("SELECT a, setval('s', 1) FROM t", ValueIs{}));
    REQUIRE(found.size() == 1);
    CHECK(found[0].severity == Severity::error);
    CHECK(found[0].place == Place{"plan.yaml", 30, 19});
    CHECK(found[0].message.find("check \"c\" calls setval()") != std::string::npos);
  }
  TEST_CASE("a probe may use up a number of a sequence, but not set it") {
    FailsWith const fails{"not_null_violation", "23502"};
    CHECK(of_check("INSERT INTO t VALUES (nextval('s'), NULL)", fails) == nothing);
    CHECK(of_check("SELECT setval('s', 1) FROM t", fails) == Rules{"check/side-effect"});
  }
  TEST_CASE("a check that asks for a constant guards nothing") {
    for (auto const* sql : {"SELECT 0", "SELECT 1 - 1 AS zero", "VALUES (0)", "SELECT '0'::int"}) {
      CAPTURE(std::string(sql));
      CHECK(of_check(sql) == Rules{"check/constant"});
    }
    for (auto const* sql : {"SELECT count(*) FROM t", "SELECT now() > '2020-01-01'",
                            "SELECT EXISTS (SELECT 1 FROM t)", "SELECT 1 FROM t", "TABLE t",
                            "SHOW server_version", "SELECT current_user"}) {
      CAPTURE(std::string(sql));
      CHECK(of_check(sql) == nothing);
    }
  }
  TEST_CASE("a count that may be anything guards nothing") {
    std::string const count = "SELECT count(*) FROM t";
    CHECK(of_check(count, std::vector<Compares>{{Comparator::ge, "0"}}) == Rules{"check/constant"});
    CHECK(of_check(count, std::vector<Compares>{{Comparator::gt, "-1"}}) ==
          Rules{"check/constant"});
    CHECK(of_check(count, std::vector<Compares>{{Comparator::gt, "0"}}) == nothing);
    CHECK(of_check(count, std::vector<Compares>{{Comparator::ge, "0"}, {Comparator::lt, "9"}}) ==
          nothing);
    CHECK(of_check("SELECT count(*) FROM t GROUP BY a",
                   std::vector<Compares>{{Comparator::ge, "0"}}) == nothing);
  }
  TEST_CASE("baselines, requirements, watches and final checks are judged alike") {
    auto of = plan({});
    Check const check{.name = "c", .sql = {.text = "SELECT setval('s', 1)"}, .expect = IsEmpty{}};
    of.baselines = {{"b", {.text = "SELECT nextval('s')"}}};
    of.phases[0].requirements = {check};
    of.phases[0].watch = {check};
    of.final_checks = {check};
    CHECK(rules(of) == Rules(4, "check/side-effect"));
  }
  TEST_CASE("limits at which a backfill would never go, or never stop, are told") {
    Plan of = plan({"SELECT 1"});
    BackfillAction fill{.table = "t", .set = {{"a", "1"}}, .where = "a IS NULL"};
    auto const with = [&](auto change) {
      fill.throttle = {};
      change(fill.throttle);
      of.phases[0].steps[0].forward = fill;
      return rules(of);
    };
    CHECK(with([](auto&) {}) == nothing);
    CHECK(with([](auto& limits) { limits = unthrottled; }) == nothing);
    CHECK(with([](auto& limits) { limits.replica_lag = Duration{100}; }) ==
          Rules{"throttle/never-goes"});
    CHECK(with([](auto& limits) { limits.replica_lag = Duration{3'600'000}; }) ==
          Rules{"throttle/never-stops"});
    CHECK(with([](auto& limits) { limits.wal_rate = 8192; }) == Rules{"throttle/never-goes"});
  }

  TEST_CASE("a backfill's where tells what is done from what is not") {
    for (auto const* where : {"true", "1 = 1", "NOT false", "'a' <> 'b' AND 2 > 1", "b = b"}) {
      CAPTURE(std::string(where));
      auto of = plan({"SELECT now()"});
      of.phases[0].steps[0].forward = BackfillAction{
          .table = "t", .set = {{"a", "b"}}, .where = where, .place = {"plan.yaml", 7, 3}};
      REQUIRE(rules(of) == Rules{"data/backfill-where-constant"});
      CHECK(lint(of)[0].place.line == 7);
      CHECK(lint(of)[0].fix.find("a IS NULL") != std::string::npos);
    }
    for (auto const* where : {"a IS NULL", "u.b = t.b AND t.a IS NULL", "a IS DISTINCT FROM b"}) {
      CAPTURE(std::string(where));
      auto of = plan({"SELECT now()"});
      of.phases[0].steps[0].forward =
          BackfillAction{.table = "t", .set = {{"a", "b"}}, .from = "u", .where = where};
      CHECK(rules(of) == nothing);
    }
  }
}
