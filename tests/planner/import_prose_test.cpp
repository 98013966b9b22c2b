// What a document says in words: it means something for the run, or it is told that it does not.
#include <algorithm>

#include <doctest/doctest.h>

#include "planner/import.h"
#include "planner/plan.h"
#include "planner/plan_reader.h"
#include "tests/planner/source_files.h"

using namespace runbookd::planner;

namespace {

std::string const alter = "```sql\nALTER TABLE t ADD COLUMN b int;\n```\n\n";
std::string const drop = "```sql\nALTER TABLE t DROP COLUMN c;\n```\n\n";

Plan plan_of(std::string const& text) {
  auto const imported = import_markdown(text, "plan.md");
  auto const read = read_plan(imported.yaml, "plan.yaml");
  INFO(listed(imported.findings) << imported.yaml << listed(read.findings));
  REQUIRE(read.plan);
  return *read.plan;
}
// The second phase of a plan, with this heading and these words above its SQL.
Phase contract(std::string const& heading, std::string const& words = "") {
  auto const plan = plan_of("# X\n\n## Phase 1: Expand\n\n" + alter + "## Phase 2: Enforce\n\n" +
                            "```sql\nALTER TABLE t ALTER b SET NOT NULL;\n```\n\n## " + heading +
                            "\n\n" + words + "\n\n" + drop);
  REQUIRE(plan.phases.size() == 3);
  return plan.phases[2];
}
// What the steps of one phase are, with these words between two statements.
std::vector<std::string> kinds(std::string const& words, std::string const& behind = "") {
  auto const plan =
      plan_of("# X\n\n## Phase 1: Expand\n\n" + alter + words + "\n\n" + drop + behind);
  std::vector<std::string> all;
  for (auto const& step : plan.phases.at(0).steps) {
    all.emplace_back(kind_of(step.forward));
  }
  return all;
}
bool told(std::string const& words) {
  auto const text = "# X\n\n## Phase 1: Expand\n\n" + alter + words + "\n";
  auto const findings = import_markdown(text, "plan.md").findings;
  return std::ranges::any_of(findings, [](Finding const& f) {
    return f.rule == "import/not-in-plan" && f.severity == Severity::warning && f.place.line >= 9;
  });
}
using Kinds = std::vector<std::string>;
constexpr Duration hour{3'600'000};

}  // namespace

TEST_CASE("a heading's time and signature are the phase's") {
  auto const phase = contract("Phase 3: Contract (after 72 hours, DBA sign-off required)");
  CHECK(phase.name == "contract");
  CHECK(phase.not_before == NotBefore{"enforce", 72 * hour});
  CHECK(phase.approval == Approval{"dba", 1});
  CHECK(contract("Contract (approval from the platform-team)").approval ==
        Approval{"platform-team", 1});
}

TEST_CASE("sentences above the steps say when a phase may begin, and who signs") {
  auto const phase = contract("Phase 3: Contract",
                              "Wait at least 72 hours after Phase 1. Requires approval from DBA.");
  CHECK(phase.not_before == NotBefore{"expand", 72 * hour});
  CHECK(phase.approval == Approval{"dba", 1});
  auto const fields =
      contract("Phase 3: Contract", "**Approval:** DBA\n**Not before:** 2 days\n**Soak:** 3 hours");
  CHECK(fields.approval == Approval{"dba", 1});
  CHECK(fields.not_before == NotBefore{"enforce", 48 * hour});
  CHECK(fields.soak == 3 * hour);
  CHECK(contract("Phase 3: Contract", "Soak: 3 hours").soak == 3 * hour);
  CHECK(contract("Phase 3: Contract", "Approved by: the lead").approval == Approval{"lead", 1});
  CHECK_FALSE(contract("Phase 3: Contract", "No approval is needed.").approval);
}

TEST_CASE("sentences between statements are steps in their place") {
  CHECK(kinds("Then deploy version 2.3 of the service.") == Kinds{"sql", "manual", "sql"});
  CHECK(kinds("Deploy version 2.3. Wait 24 hours.") == Kinds{"sql", "manual", "wait", "sql"});
  CHECK(kinds("- Stop the importer\n- It fills the table") == Kinds{"sql", "manual", "sql"});
  CHECK(kinds("```bash\nkubectl rollout restart app\n```") == Kinds{"sql", "manual", "sql"});
  CHECK(kinds("This takes some time, and nobody notices.") == Kinds{"sql", "sql"});
  CHECK(kinds("", "Restart the workers.\n") == Kinds{"sql", "sql", "manual"});
}

TEST_CASE("a phase that only people carry out is not lost") {
  auto const plan = plan_of("# X\n\n## Phase 1: Expand\n\n" + alter +
                            "## Deploy the new version\n\n## Phase 2: Switch over\n\n"
                            "## Phase 3: Contract\n\n" +
                            drop);
  REQUIRE(plan.phases.size() == 4);
  CHECK(kind_of(plan.phases[1].steps.at(0).forward) == "manual");
  CHECK(kind_of(plan.phases[2].steps.at(0).forward) == "manual");
}

TEST_CASE("what asks for something and has no place in the plan is told at its line") {
  CHECK(told("Make sure that the replicas keep up."));
  CHECK(told("Wait until the error rate is low."));
  CHECK(told("## Notes\n\nWait 24 hours."));
  CHECK(told("## Notes\n\n- Get sign-off from the DBA"));
  CHECK(told("### Rollback\n\nDeploy version 2.3.\n\nWait 24 hours."));
  CHECK(told("**Soak:** as long as it takes"));
  CHECK(told("## Rollback\n\n- Deploy the previous version"));
  CHECK_FALSE(told("The table is small."));
}

TEST_CASE("boxes below a heading of what comes first are the plan's own list") {
  for (std::string const heading : {"Prerequisites", "Pre-flight", "Before we begin"}) {
    CAPTURE(heading);
    auto const plan = plan_of("# X\n\n## " + heading + "\n\n- [ ] Backup taken\n\n" +
                              "## Phase 1: Expand\n\n" + alter);
    REQUIRE(plan.checklist.size() == 1);
    CHECK(plan.checklist[0].item == "Backup taken");
    CHECK(plan.checklist[0].when == "before");
  }
}

TEST_CASE("what changes nothing that stays has nothing to undo") {
  auto const plan = plan_of(
      "# X\n\n## Phase 1: Expand\n\n```sql\nVACUUM t;\nANALYZE t;\nSET work_mem = '1GB';\n```\n\n"
      "## Phase 2: Switch\n\n```sql\nUPDATE t SET a = 1;\n```\n\nRollback: nothing to do.\n");
  for (auto const& phase : plan.phases) {
    for (auto const& step : phase.steps) {
      CAPTURE(step.name);
      CHECK(step.reversible());
    }
  }
}

TEST_CASE("an expectation of several values is told, and no check is made of a part of it") {
  for (std::string const words : {">= 5 and < 10", "1, 'x'", "between 5 and 10", "5 - 10",
                                  "at least 5 and at most 10", "> 5, < 10"}) {
    CAPTURE(words);
    auto const imported =
        import_markdown("# X\n\n## Phase 1: Expand\n\n" + alter +
                            "```sql\nSELECT count(*) FROM t; -- Expected: " + words + "\n```\n",
                        "plan.md");
    CHECK(std::ranges::any_of(imported.findings, [&](Finding const& f) {
      return f.rule == "import/no-expectation" && f.message.find(words) != std::string::npos;
    }));
    CHECK(imported.yaml.find("expect") == std::string::npos);
  }
}

TEST_CASE("a label need not end in a colon") {
  for (std::string const label : {"**Rollback**", "Rollback", "How to undo it", "**Going back**"}) {
    CAPTURE(label);
    auto const plan = plan_of("# X\n\n## Phase 1: Expand\n\n" + alter + label +
                              "\n\n```sql\nALTER TABLE t DROP COLUMN b;\n```\n");
    CHECK(plan.phases.at(0).steps.size() == 1);
  }
}
