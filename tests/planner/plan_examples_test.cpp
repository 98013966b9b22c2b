// The plans that are published as examples.
#include <set>

#include <doctest/doctest.h>

#include "planner/document.h"
#include "planner/plan_reading.h"
#include "tests/planner/source_files.h"

using namespace runbookd::planner;
namespace fs = std::filesystem;

namespace {

std::vector<fs::path> examples() {
  std::vector<fs::path> all;
  for (auto const& entry : fs::directory_iterator(source_dir() / "config/plans")) {
    if (entry.path().extension() == ".yaml") {
      all.push_back(entry.path());
    }
  }
  return all;
}

fs::path example(std::string const& name) { return source_dir() / "config/plans" / name; }

Plan plan_of(std::string const& name) {
  auto read = read_plan_file(example(name));
  INFO(listed(read.findings));
  REQUIRE(read.plan);
  return *read.plan;
}

std::string without_variables(std::string const& text) {
  auto const begin = text.find("\nvariables:");
  auto const end = text.find("\n\n", begin);
  REQUIRE(begin != std::string::npos);
  return text.substr(0, begin) + text.substr(end);
}

}  // namespace

TEST_CASE("every example is read without a finding") {
  CHECK(examples().size() >= 5);
  for (auto const& path : examples()) {
    auto const read = read_plan_file(path);
    INFO(listed(read.findings));
    CAPTURE(path.filename().string());
    CHECK(read.findings.empty());
    CHECK(read.plan);
  }
}

TEST_CASE("every example is read back from its canonical form as the same plan") {
  for (auto const& path : examples()) {
    CAPTURE(path.filename().string());
    auto const canonical = canonical_json(*read_plan_file(path).plan);
    auto const again = read_plan(canonical, "canonical.json");
    INFO(listed(again.findings));
    REQUIRE(again.plan);
    CHECK(canonical_json(*again.plan) == canonical);
    CHECK(digest_of(canonical_json(*again.plan)) == digest_of(canonical));
  }
}

TEST_CASE("every example has the schema that it starts from beside it") {
  for (auto const& path : examples()) {
    auto const name = path.stem().string();
    CAPTURE(name);
    CHECK(fs::exists(example(name.substr(0, name.find('.')) + ".setup.sql")));
  }
}

TEST_CASE("the demo differs from the example in variables only") {
  auto const real = content(example("users-org-id.yaml"));
  auto const demo = content(example("users-org-id.demo.yaml"));
  CHECK(real != demo);
  CHECK(without_variables(real) == without_variables(demo));
}

TEST_CASE("the main example has the four phases in order, each with a gate behind it") {
  auto const plan = plan_of("users-org-id.yaml");
  REQUIRE(plan.phases.size() == 4);
  CHECK(plan.phases[0].kind == PhaseKind::expand);
  CHECK(plan.phases[1].kind == PhaseKind::backfill);
  CHECK(plan.phases[2].kind == PhaseKind::enforce);
  CHECK(plan.phases[3].kind == PhaseKind::contract);
  for (Phase const& phase : plan.phases) {
    CHECK_FALSE(phase.validate.empty());
  }
  CHECK(plan.phases[3].not_before == NotBefore{"enforce", std::chrono::hours{72}});
  CHECK(plan.phases[3].approval == Approval{"dba", 1});
}

TEST_CASE("every step of the main example has a way back") {
  for (Phase const& phase : plan_of("users-org-id.yaml").phases) {
    for (Step const& step : phase.steps) {
      CAPTURE(step.name);
      CHECK(step.reversible());
    }
  }
}

TEST_CASE("the demo waits for seconds only") {
  for (Phase const& phase : plan_of("users-org-id.demo.yaml").phases) {
    CHECK(phase.soak <= std::chrono::seconds{3});
    CHECK((!phase.not_before || phase.not_before->wait == Duration{0}));
  }
}

TEST_CASE("performance notes of the main example name steps that exist") {
  auto const plan = plan_of("users-org-id.yaml");
  for (PerformanceNote const& note : plan.performance) {
    CAPTURE(note.step);
    CHECK(plan.find_step(note.step));
  }
}
