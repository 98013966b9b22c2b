#include "planner/render.h"

#include <filesystem>

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "planner/import.h"
#include "tests/planner/generated_plan.h"
#include "tests/planner/source_files.h"

using namespace runbookd::planner;

namespace {

struct Again {
  std::string document, yaml, canonical, findings;
};
Again through_markdown(Plan const& plan) {
  Again again{.document = render_markdown(plan)};
  auto const imported = import_markdown(again.document, "plan.md");
  again.yaml = imported.yaml;
  auto const read = read_plan(imported.yaml, "plan.yaml");
  again.findings = listed(imported.findings) + listed(read.findings);
  again.canonical = read.plan ? canonical_json(*read.plan) : "";
  return again;
}

}  // namespace

TEST_CASE("a rendered plan is imported as the same plan: every example") {
  for (auto const& entry : std::filesystem::directory_iterator(source_dir() / "config/plans")) {
    if (entry.path().extension() != ".yaml") {
      continue;
    }
    CAPTURE(entry.path().filename().string());
    auto const plan = *read_plan_file(entry.path()).plan;
    auto const again = through_markdown(plan);
    INFO(again.findings);
    CHECK(again.findings.empty());
    CHECK(again.canonical == canonical_json(plan));
  }
}

TEST_CASE("a rendered plan is imported as the same plan, however odd its texts") {
  CHECK(rc::check([] {
    Plan plan = generated_plan();
    auto const read = read_plan(canonical_json(plan), "p");
    RC_ASSERT(read.plan.has_value());
    auto const again = through_markdown(*read.plan);
    RC_LOG() << again.findings << again.document << again.yaml;
    RC_ASSERT(again.canonical == canonical_json(*read.plan));
  }));
}

TEST_CASE("what an imported document became is rendered and imported as the same plan") {
  auto const imported =
      import_markdown(content(source_dir() / "tests/documents/users-org-id.md"), "plan.md");
  auto const plan = *read_plan(imported.yaml, "p").plan;
  CHECK(through_markdown(plan).canonical == canonical_json(plan));
}

TEST_CASE("a rendered plan names the lock of each statement and who does what") {
  auto const plan = *read_plan_file(source_dir() / "config/plans/users-org-id.yaml").plan;
  auto const text = render_markdown(plan);
  CHECK(
      text.find("| expand/add-column | ACCESS EXCLUSIVE on public.users | readers and writers |") !=
      std::string::npos);
  CHECK(text.find("runbookd carries out `expand/add-column`") != std::string::npos);
  CHECK(text.find("a person does and confirms `expand/deploy-dual-write`") != std::string::npos);
  CHECK(text.find("- [ ] **ben:** A reviewer from the database team has read this plan.") !=
        std::string::npos);
}
