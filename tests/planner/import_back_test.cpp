// Ways back in a document: however its author calls them, none of them becomes a step.
#include <algorithm>

#include <doctest/doctest.h>

#include "planner/import.h"
#include "planner/plan.h"
#include "tests/planner/source_files.h"

using namespace runbookd::planner;

namespace {

std::string sql_block(std::string const& sql) { return "```sql\n" + sql + "\n```\n\n"; }
ImportedPlan imported(std::string const& text) { return import_markdown(text, "plan.md"); }

std::vector<std::string> statements(ImportedPlan const& of) {
  auto const read = read_plan(of.yaml, "plan.yaml");
  INFO(of.yaml << listed(read.findings));
  REQUIRE(read.plan);
  std::vector<std::string> all;
  for (auto const& phase : read.plan->phases) {
    for (auto const& step : phase.steps) {
      auto const* sql = std::get_if<SqlAction>(&step.forward);
      auto const* back = std::get_if<SqlAction>(&step.backward);
      all.push_back((sql == nullptr ? "-" : sql->source.text) + " <- " +
                    (back == nullptr ? "-" : back->source.text));
    }
  }
  return all;
}
bool found(ImportedPlan const& in, Severity severity, std::string const& rule,
           std::string const& words = "") {
  return std::ranges::any_of(in.findings, [&](Finding const& f) {
    return f.severity == severity && f.rule == rule && f.message.find(words) != std::string::npos;
  });
}

std::string const expand =
    "# X\n\n## Phase 1: Expand\n\n" + sql_block("ALTER TABLE t ADD COLUMN b int;");
std::string const enforce =
    "## Phase 2: Enforce\n\n" + sql_block("ALTER TABLE t ALTER COLUMN c SET NOT NULL;");
std::vector<std::string> const both_taken_back{
    "ALTER TABLE t ADD COLUMN b int <- ALTER TABLE t DROP COLUMN IF EXISTS b",
    "ALTER TABLE t ALTER COLUMN c SET NOT NULL <- ALTER TABLE ONLY t ALTER c DROP NOT NULL"};
std::string const drop_b = sql_block("ALTER TABLE t DROP COLUMN IF EXISTS b;");
std::string const null_c = sql_block("ALTER TABLE ONLY t ALTER c DROP NOT NULL;");

}  // namespace

TEST_CASE("SQL below any heading that speaks of a way back is no step") {
  for (std::string const heading : {"Rollback",
                                    "Rollback plan",
                                    "Rollback Procedure",
                                    "Rollback Procedures",
                                    "Rollback Steps",
                                    "5. Rollback",
                                    "Rolling back",
                                    "How to roll back",
                                    "Roll-back",
                                    "Reverting",
                                    "Revert plan",
                                    "Back-out plan",
                                    "Backout",
                                    "Backing out",
                                    "Fallback",
                                    "Fall-back procedure",
                                    "Undo",
                                    "Undoing the change",
                                    "Recovery",
                                    "Recovery steps",
                                    "Disaster recovery",
                                    "Contingency",
                                    "Contingency plan",
                                    "How to go back",
                                    "Going back",
                                    "The way back",
                                    "Down migration",
                                    "Down",
                                    "Migrating down",
                                    "Downgrade",
                                    "If it fails",
                                    "If anything goes wrong",
                                    "Only if something goes wrong",
                                    "In case of trouble",
                                    "When the deploy breaks",
                                    "Emergency procedure",
                                    "Abort procedure",
                                    "Abort",
                                    "Reversal",
                                    "Reverse the change",
                                    "Restore the old state",
                                    "R\xC3\xBC"
                                    "ckweg",
                                    "R\xC3\x9C"
                                    "CKBAU",
                                    "Zur\xC3\xBC"
                                    "ck zum alten Stand",
                                    "Notfallplan",
                                    "Phase 3: Rollback",
                                    "Database rollback",
                                    "Plan B"}) {
    CAPTURE(heading);
    CHECK(statements(imported(expand + enforce + "## " + heading + "\n\n" + drop_b + null_c)) ==
          both_taken_back);
    CHECK(statements(imported(expand + "### " + heading + "\n\n" + drop_b + enforce + "### " +
                              heading + "\n\n" + null_c)) == both_taken_back);
    CHECK(statements(imported(expand + heading + ":\n\n" + drop_b + enforce + "**" + heading +
                              ":**\n\n" + null_c)) == both_taken_back);
    CHECK(statements(imported(expand + enforce + "# " + heading + "\n\n" + drop_b + null_c)) ==
          both_taken_back);
  }
}

TEST_CASE("below a heading of ways back, phases and steps are those that it takes back") {
  for (std::string const heading : {"Rollback Procedures", "Fallback", "If it fails"}) {
    for (std::string const word : {"Rollback Phase", "Phase", "Step", "Rollback of phase"}) {
      INFO(heading << ": " << word);
      CHECK(statements(imported(expand + enforce + "## " + heading + "\n\n### " + word + " 2\n\n" +
                                null_c + "### " + word + " 1\n\n" + drop_b)) == both_taken_back);
      // numbered in the order in which they are done
      CHECK(statements(imported(expand + enforce + "## " + heading + "\n\n### " + word + " 1\n\n" +
                                null_c + "### " + word + " 2: drop it\n\n" + drop_b)) ==
            both_taken_back);
    }
  }
}

TEST_CASE("headings that only mention going back are phases") {
  for (std::string const heading :
       {"Phase 2: Add a fallback column", "Phase 2: Restore the foreign keys",
        "Phase 2: Recover disk space", "Phase 2 — Enforce, with a rollback trigger",
        "Add the rollback_to column", "Create the `undo` log"}) {
    CAPTURE(heading);
    auto const made =
        imported(expand + "## " + heading + "\n\n" + sql_block("CREATE TABLE u (id int);"));
    CHECK(statements(made).size() == 2);
    CHECK_FALSE(has_error(made.findings));
  }
}

TEST_CASE("a step that undoes an earlier one below a heading that nobody knows is an error") {
  for (std::string const heading :
       {"## Kehrt um", "### Zum Schluss", "## Phase 1", "## Phase 3: Kehrt um", "Kehrt um:"}) {
    CAPTURE(heading);
    auto const made = imported(expand + enforce + heading + "\n\n" + drop_b);
    CHECK(found(made, Severity::error, "import/undoes-a-step", "line 6"));
  }
  auto const fill = imported(expand + enforce + "## Kehrt um\n\n" +
                             sql_block("UPDATE t SET b = NULL WHERE b IS NOT NULL;") + null_c);
  CHECK(found(fill, Severity::error, "import/undoes-a-step", "UPDATE below \"Kehrt um\""));
  CHECK(found(fill, Severity::error, "import/undoes-a-step", "ALTER TABLE below"));
  CHECK(found(imported("# X\n\n## Phase 1: Expand\n\n" +
                       sql_block("ALTER TABLE t ADD COLUMN b int;\nALTER TABLE t DROP COLUMN b;")),
              Severity::error, "import/undoes-a-step"));
}

TEST_CASE("what a plan makes for its own time may go in a phase of its own") {
  auto const trigger = "# X\n\n## Phase 1: Expand\n\n" +
                       sql_block("CREATE INDEX CONCURRENTLY tmp ON t (a) WHERE b IS NULL;");
  auto const drop = sql_block("DROP INDEX CONCURRENTLY tmp;");
  for (std::string const heading :
       {"## Phase 2: No more", "## Contract", "## Clean up", "## Drop the temporary index"}) {
    CAPTURE(heading);
    CHECK_FALSE(has_error(imported(trigger + heading + "\n\n" + drop).findings));
  }
  CHECK(has_error(imported(trigger + "## Kehrt um\n\n" + drop).findings));
  auto const proof = imported(
      "# X\n\n## Phase 1: Enforce\n\n" +
      sql_block("ALTER TABLE t ADD CONSTRAINT n CHECK (c IS NOT NULL) NOT VALID;") +
      sql_block("ALTER TABLE t VALIDATE CONSTRAINT n;\nALTER TABLE t ALTER c SET NOT NULL;") +
      "Then:\n\n" + sql_block("ALTER TABLE t DROP CONSTRAINT n;"));
  CHECK_FALSE(has_error(proof.findings));
}

TEST_CASE("a way back that undoes nothing is an error where it may have been meant as a step") {
  auto const emergency =
      imported(expand + "## Emergency procedure\n\n" + sql_block("DELETE FROM u;"));
  CHECK(found(emergency, Severity::error, "import/way-back-of-nothing", "\"Emergency procedure\""));
  CHECK(statements(emergency).size() == 1);
  CHECK(has_error(imported(expand + "## Expand with a rollback\n\n" +
                           sql_block("ALTER TABLE t ADD COLUMN d int;"))
                      .findings));
  auto const sure = imported(expand + "## Rollback\n\n" + sql_block("UPDATE u SET a = 1;"));
  CHECK(found(sure, Severity::warning, "import/way-back-of-nothing"));
}

TEST_CASE("each name goes back to what it was, and several statements go back as several") {
  auto const names =
      imported("# X\n\n## Phase 1: Switch\n\n" +
               sql_block("ALTER TABLE t RENAME COLUMN a TO a_old;\n"
                         "ALTER TABLE t RENAME COLUMN b TO a;\n"
                         "ALTER TABLE t ADD COLUMN d int, ADD COLUMN e int;") +
               "## Back-out plan\n\n" +
               sql_block("ALTER TABLE t DROP e;\nALTER TABLE t DROP d;\n"
                         "ALTER TABLE t RENAME a TO b;\nALTER TABLE t RENAME a_old TO a;"));
  CHECK(statements(names) ==
        std::vector<std::string>{
            "ALTER TABLE t RENAME COLUMN a TO a_old <- ALTER TABLE t RENAME a_old TO a",
            "ALTER TABLE t RENAME COLUMN b TO a <- ALTER TABLE t RENAME a TO b",
            "ALTER TABLE t ADD COLUMN d int, ADD COLUMN e int <- ALTER TABLE t DROP e;\nALTER "
            "TABLE t "
            "DROP d"});
  CHECK_FALSE(found(names, Severity::warning, "import/way-back-of-nothing"));
}

TEST_CASE("a comment parts a block into the steps and their way back") {
  for (std::string const comment : {"-- Rollback", "-- Down", "-- +goose Down", "-- migrate:down",
                                    "/* Undo: */", "-- Rollback:"}) {
    CAPTURE(comment);
    auto const made = imported("# X\n\n## Phase 1: Expand\n\n" +
                               sql_block("-- Up\nALTER TABLE t ADD COLUMN b int;\n\n" + comment +
                                         "\nALTER TABLE t DROP COLUMN IF EXISTS b;"));
    CHECK(statements(made) ==
          std::vector<std::string>{
              "ALTER TABLE t ADD COLUMN b int <- ALTER TABLE t DROP COLUMN IF EXISTS b"});
  }
  auto const remark =
      imported("# X\n\n## Phase 1: Expand\n\n" +
               sql_block("-- Rollback: see below, it is the next block\nALTER TABLE t "
                         "ADD COLUMN b int;"));
  CHECK(statements(remark).size() == 1);
  CHECK(has_error(
      imported("# X\n\n## Phase 1: Expand\n\n" +
               sql_block("ALTER TABLE t ADD COLUMN b int;\n-- Rollback\nUPDATE u SET a = 1;"))
          .findings));
}
