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
    CHECK(rules("REINDEX TABLE CONCURRENTLY t") == nothing);
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
    CHECK(rules("ALTER TABLE t VALIDATE CONSTRAINT c, ALTER a SET NOT NULL") ==
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
    for (auto const* column :
         {"uuid DEFAULT gen_random_uuid()", "float8 DEFAULT random()",
          "int DEFAULT (floor(random() * 10))::int", "bigserial",
          "int GENERATED ALWAYS AS IDENTITY", "int GENERATED ALWAYS AS (b * 2) STORED"}) {
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
    for (auto const* sql :
         {"VACUUM FULL t", "CLUSTER t USING i", "ALTER TABLE t SET UNLOGGED",
          "ALTER TABLE t SET TABLESPACE x", "ALTER TABLE t SET ACCESS METHOD heap"}) {
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
    CHECK(rules("ALTER TABLE t DETACH PARTITION p CONCURRENTLY") == nothing);
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
