#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "tests/planner/generated_plan.h"
#include "tests/planner/source_files.h"

using namespace runbookd::planner;

namespace {

std::string canonical_of(std::string const& text) {
  auto const read = read_plan(text, "p");
  INFO(listed(read.findings));
  REQUIRE(read.plan);
  return canonical_json(*read.plan);
}

std::string const head = "runbook: 1\nname: p\n";
std::string const body =
    "phases: [{name: a, steps: [{name: s, sql: SELECT 1, rollback: SELECT 2}]}]\n";

}  // namespace

TEST_CASE("a generated plan is read back from its canonical form as the same plan") {
  CHECK(rc::check([] {
    Plan const plan = generated_plan();
    std::string const canonical = canonical_json(plan);
    auto const again = read_plan(canonical, "c");
    RC_LOG() << listed(again.findings) << canonical;
    RC_ASSERT(again.plan.has_value());
    RC_ASSERT(canonical_json(*again.plan) == canonical);
    for (std::size_t p = 0; p < plan.phases.size(); ++p) {
      RC_ASSERT(again.plan->phases.at(p).approval == plan.phases[p].approval);
      RC_ASSERT(again.plan->phases.at(p).not_before == plan.phases[p].not_before);
      for (std::size_t i = 0; i < plan.phases[p].validate.size(); ++i) {
        RC_ASSERT(again.plan->phases[p].validate.at(i).expect == plan.phases[p].validate[i].expect);
      }
    }
  }));
}

TEST_CASE("what is read from a canonical form is read from it again, action by action") {
  CHECK(rc::check([] {
    auto const once = read_plan(canonical_json(generated_plan()), "c");
    RC_ASSERT(once.plan.has_value());
    auto const twice = read_plan(canonical_json(*once.plan), "c");
    RC_ASSERT(twice.plan.has_value());
    for (std::size_t p = 0; p < once.plan->phases.size(); ++p) {
      auto const& steps = once.plan->phases[p].steps;
      for (std::size_t s = 0; s < steps.size(); ++s) {
        RC_ASSERT(twice.plan->phases.at(p).steps.at(s).forward == steps[s].forward);
        RC_ASSERT(twice.plan->phases.at(p).steps.at(s).backward == steps[s].backward);
      }
    }
  }));
}

TEST_CASE("order of keys, style and comments make no other digest") {
  std::string const json =
      R"({"phases": [{"steps": [{"rollback": {"sql": "SELECT 2"}, "sql": "SELECT 1", "name": "s"}], "name": "a"}], "name": "p", "runbook": 1})";
  CHECK(canonical_of(head + body) == canonical_of(json));
  CHECK(canonical_of(head + "# why\n" + body) == canonical_of(body + head));
}

TEST_CASE("spelled out defaults make no other digest") {
  std::string const spelled =
      "runbook: 1\nname: p\ntitle: ''\non_failure: pause\ndefaults: {statement_timeout: 30s, lock: "
      "{stall_budget: 200ms}}\n"
      "phases: [{name: a, kind: other, soak: 0, steps: [{name: s, sql: SELECT 1, rollback: SELECT "
      "2, skippable: false}]}]\n";
  CHECK(canonical_of(head + body) == canonical_of(spelled));
}

TEST_CASE("limits of a throttle are part of the canonical form where they are not the usual ones") {
  auto const fill = [](std::string const& throttle) {
    return canonical_of(head +
                        "phases: [{name: a, steps: [{name: s, backfill: {table: t, set: {a: '1'}, "
                        "where: a IS NULL" +
                        throttle + "}, rollback: {nothing: harmless}}]}]\n");
  };
  CHECK(fill("") == fill(", throttle: {replica_lag: 5s, lock_waiters: 1, active_sessions: 80%}"));
  CHECK(fill("").find("throttle") == std::string::npos);
  CHECK(fill("") != fill(", throttle: off"));
  CHECK(fill(", throttle: {wal_rate: 50MB}") == fill(", throttle: {wal_rate: 51200kB}"));
  CHECK(fill(", throttle: {autovacuum: any}") != fill(", throttle: {autovacuum: off}"));
}

TEST_CASE("one worker makes no other digest, two do, and the canonical form reads back as it was") {
  auto const with = [](std::string const& batch) {
    return canonical_of(head +
                        "phases: [{name: a, steps: [{name: s, irreversible: why, backfill: {table: "
                        "t, set: {a: b}, where: a IS NULL, batch: " +
                        batch + "}}]}]\n");
  };
  CHECK(with("{workers: 1}") == with("{}"));
  CHECK(with("{}").find("workers") == std::string::npos);
  CHECK(with("{workers: 2}") != with("{}"));
  CHECK(canonical_of(with("{workers: 2}")) == with("{workers: 2}"));
}

TEST_CASE("variables are gone from the canonical form") {
  std::string const text = head +
                           "variables: {n: '1'}\nphases: [{name: a, steps: [{name: s, sql: 'SELECT "
                           "${n}', rollback: SELECT 2}]}]\n";
  CHECK(canonical_of(text) == canonical_of(head + body));
}

TEST_CASE("files are gone from the canonical form") {
  auto const read = read_plan(
      head + "phases: [{name: a, steps: [{name: s, sql_file: up.sql, rollback: SELECT 2}]}]\n", "p",
      [](std::string const&) { return std::optional<std::string>("SELECT 1\n"); });
  REQUIRE(read.plan);
  CHECK(canonical_json(*read.plan) == canonical_of(head + body));
}

TEST_CASE("every other SQL makes another digest") {
  CHECK(canonical_of(head + body) !=
        canonical_of(
            head + "phases: [{name: a, steps: [{name: s, sql: SELECT 3, rollback: SELECT 2}]}]\n"));
}

TEST_CASE("the timeout of the way back survives a concurrent statement before it") {
  std::string const text = head +
                           "phases: [{name: a, steps: [{name: s, sql: CREATE INDEX CONCURRENTLY i "
                           "ON t (a), rollback: DROP INDEX i, "
                           "statement_timeout: 7s}]}]\n";
  auto const again = read_plan(canonical_of(text), "c");
  REQUIRE(again.plan);
  CHECK(std::get<SqlAction>(again.plan->phases[0].steps[0].backward).statement_timeout ==
        Duration{7000});
  CHECK(canonical_json(*again.plan) == canonical_of(text));
}

TEST_CASE("a digest names its algorithm and is stable") {
  // another value here means that plans stored by earlier versions are no longer found by what they
  // say
  CHECK(digest_of("{}").text ==
        "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
}
