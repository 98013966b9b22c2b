// One folder of tests/plans per case: a plan, the files beside it, and every finding that must come
// of it. The texts of rules about SQL belong to others, so only rule, severity and place of those
// are compared.
#include <algorithm>

#include <doctest/doctest.h>

#include "tests/planner/source_files.h"

using namespace runbookd::planner;
namespace fs = std::filesystem;

namespace {

std::string line_of(Finding finding) {
  if (!finding.rule.starts_with("plan/")) {
    finding.message = "…";
    finding.fix.clear();
  }
  return to_text(finding) + "\n" + (finding.step.empty() ? "" : "  step: " + finding.step + "\n");
}

std::string found_in(fs::path const& plan) {
  std::string text;
  for (Finding const& finding : read_plan_file(plan).findings) {
    text += line_of(finding);
  }
  return text;
}

std::vector<fs::path> cases() {
  std::vector<fs::path> all;
  for (auto const& entry : fs::directory_iterator(source_dir() / "tests/plans")) {
    if (fs::exists(entry.path() / "expected.txt")) {
      all.push_back(entry.path());
    }
  }
  std::sort(all.begin(), all.end());
  return all;
}

fs::path plan_in(fs::path const& folder) {
  auto const yaml = folder / "plan.yaml";
  return fs::exists(yaml) ? yaml : folder / "plan.json";
}

}  // namespace

TEST_CASE("every case of tests/plans has exactly the findings it expects") {
  CHECK(cases().size() >= 15);
  for (auto const& folder : cases()) {
    CAPTURE(folder.filename().string());
    CHECK(found_in(plan_in(folder)) == content(folder / "expected.txt"));
  }
}

TEST_CASE("a wrong plan is never read, a case without errors always") {
  for (auto const& folder : cases()) {
    CAPTURE(folder.filename().string());
    auto const read = read_plan_file(plan_in(folder));
    CHECK(read.plan.has_value() != has_error(read.findings));
  }
}

TEST_CASE("a plan cut off anywhere is refused or read, never a crash") {
  auto const text = content(source_dir() / "config/plans/users-org-id.yaml");
  for (std::size_t length = 0; length < text.size(); length += 397) {
    auto const read = read_plan(text.substr(0, length), "p");
    CHECK(read.plan.has_value() != has_error(read.findings));
  }
}

TEST_CASE("a plan with any one character changed is refused or read, never a crash") {
  auto const text = content(source_dir() / "config/plans/manual-and-approval.yaml");
  std::string const replacements = "{[:-|>&*'\"#\t\n";
  for (std::size_t at = 0; at < text.size(); at += 41) {
    std::string changed = text;
    changed[at] = replacements[at % replacements.size()];
    auto const read = read_plan(changed, "p");
    CHECK(read.plan.has_value() != has_error(read.findings));
  }
}
