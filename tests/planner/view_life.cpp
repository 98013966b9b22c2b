#include "tests/planner/view_life.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

namespace runbookd::tests {

using namespace planner;
using namespace std::chrono_literals;

namespace {

Check check(std::string const& name) {
  Check result;
  result.name = name;
  result.sql.text = "SELECT count(*) FROM t WHERE a IS NULL";
  result.expect = ValueIs{"0"};
  result.every = 1s;
  return result;
}

Action sql(std::string const& text, bool transactional = true) {
  SqlText const source{.text = text, .place = {}};
  return SqlAction{
      .source = source,
      .statements = {{.sql = source, .kind = "ALTER TABLE", .transactional = transactional}}};
}

Step step(std::string const& name, Action forward, Action backward) {
  Step result;
  result.name = name;
  result.forward = std::move(forward);
  result.backward = std::move(backward);
  return result;
}

Action fill() {
  BackfillAction action;
  action.table = "t";
  action.set = {{"a", "b + 1"}};
  action.where = "a IS NULL";
  return action;
}

Phase expand() {
  Phase phase{.name = "expand", .kind = PhaseKind::expand, .goal = "room for both"};
  phase.requirements = {check("ready")};
  phase.steps = {sql_step("add", "ALTER TABLE t ADD COLUMN a int", "ALTER TABLE t DROP COLUMN a"),
                 step("index", sql("CREATE INDEX CONCURRENTLY i ON t (a)", false),
                      sql("DROP INDEX CONCURRENTLY i", false))};
  phase.validate = {check("valid")};
  return phase;
}

Phase backfill() {
  Phase phase{.name = "backfill", .kind = PhaseKind::backfill};
  phase.steps = {step("fill", fill(), NoAction{"nobody reads them"}),
                 step("deploy", ManualAction{"deploy version 2"}, ManualAction{"deploy version 1"}),
                 step("rest", WaitAction{10s}, NoAction{"time"})};
  phase.soak = 1min;
  phase.watch = {check("slow"), check("errors")};
  return phase;
}

Phase contract() {
  Phase phase{.name = "contract", .kind = PhaseKind::contract};
  phase.approval = Approval{.from = "dba", .count = 2};
  phase.not_before = NotBefore{.after = "expand", .wait = 1h};
  phase.steps = {sql_step("drop", "ALTER TABLE t DROP COLUMN b", "")};
  phase.steps[0].irreversible = "the data of b is gone";
  phase.steps[0].skippable = true;
  return phase;
}

}  // namespace

Step sql_step(std::string const& name, std::string const& forward, std::string const& backward) {
  return step(name, sql(forward), sql(backward));
}

Plan whole_plan() {
  Plan plan;
  plan.name = "add-currency";
  plan.title = "Add a currency";
  plan.baselines = {{.name = "total", .sql = {.text = "SELECT count(*) FROM t"}}};
  plan.phases = {expand(), backfill(), contract()};
  plan.final_checks = {check("final")};
  return plan;
}

Life::Life(Plan of) : plan(std::move(of)), state(initial_state(plan)) {
  take({{.at = now,
         .actor = "ana",
         .body = RunCreated{.plan = {"sha256:abc"},
                            .plan_name = plan.name,
                            .target = "main",
                            .note = "at night"}}});
}

void Life::take(Events const& events) {
  for (auto const& event : events) {
    auto after = evolve(plan, state, event);
    remember(plan, history, state, after, event);
    state = std::move(after);
  }
}

void Life::ask(Ask const& ask, std::string const& actor, std::string const& reason) {
  auto const decided = decide(plan, state, {.ask = ask, .actor = actor, .reason = reason}, now);
  if (!decided) {
    FAIL("refused: " << decided.error().detail);
  }
  take(*decided);
}

void Life::tell(Outcome const& outcome) { take(judge(plan, state, outcome, now)); }

void Life::announce() { take(planner::announce(state, intent(plan, state, now), now)); }

std::string Life::fingerprint() const {
  std::string text = "schema";
  for (auto const ref : applied) {
    text += " " + plan.label(ref);
  }
  return text;
}

std::optional<WayBackRead> way_back_told(TakeFingerprint const& wanted) {
  return wanted.way_back_of
             ? std::optional(WayBackRead{.ref = *wanted.way_back_of, .sql = "SELECT 7"})
             : std::nullopt;
}

bool Life::do_next() {
  auto const wanted = intent(plan, state, now);
  announce();
  if (std::holds_alternative<RecordBaselines>(wanted)) {
    tell(BaselinesRead{.values = {{"total", "7"}, {"none", std::nullopt}}});
  } else if (auto const* checks = std::get_if<RunChecks>(&wanted)) {
    ChecksRun run{.stage = checks->stage, .phase = checks->phase, .which = checks->which};
    run.results.resize(checks->which.size(), {.name = "fine",
                                              .verdict = Verdict::passed,
                                              .expected = "value 0",
                                              .actual = "value 0",
                                              .took = 4ms});
    tell(run);
  } else if (auto const* look = std::get_if<TakeFingerprint>(&wanted)) {
    tell(FingerprintRead{.digest = fingerprint(), .way_back = way_back_told(*look)});
  } else if (std::holds_alternative<RunStep>(wanted)) {
    end_try({.rows = 3, .took = 40ms, .lock_wait = 5ms});
  } else if (std::holds_alternative<Quiesce>(wanted)) {
    tell(Quiesced{});
  } else {
    return false;
  }
  return true;
}

void Life::start() {
  ask(Start{});
  go_on();
}

void Life::go_on() {
  while (do_next()) {
  }
}

void Life::go_until(std::string const& step) {
  auto const ref = plan.find_step(step).value();
  for (;;) {
    auto const wanted = intent(plan, state, now);
    if (auto const* run = std::get_if<RunStep>(&wanted); run != nullptr && run->ref == ref) {
      announce();
      return;
    }
    REQUIRE(do_next());
  }
}

void Life::end_try(AttemptEnded ended) {
  ended.ref = state.current.value();
  ended.direction = state.direction;
  ended.attempt = state.at(ended.ref).attempts;
  if (ended.end == AttemptEnd::done) {
    ended.direction == Direction::forward ? void(applied.insert(ended.ref))
                                          : void(applied.erase(ended.ref));
    ended.fingerprint = ended.fingerprint.empty() ? fingerprint() : ended.fingerprint;
  }
  tell(ended);
}

void Life::fail_try(std::string const& sqlstate, std::string const& message) {
  end_try(
      {.end = AttemptEnd::failed, .failure = SqlFailure{.sqlstate = sqlstate, .message = message}});
}

void Life::time_passes(Duration duration) {
  now += duration;
  tell(TimeReached{});
}

RunFacts Life::facts() const {
  return {.id = {"run_0a1b2c3d4e5f"},
          .plan = &plan,
          .state = &state,
          .history = &history,
          .live = live};
}

nlohmann::json Life::snapshot() const { return nlohmann::json::parse(run_json(facts(), now)); }
nlohmann::json Life::phase(int index) const { return snapshot()["phases"][index]; }
nlohmann::json Life::step(int of, int index) const { return phase(of)["steps"][index]; }
std::string Life::message() const { return state_message(facts(), now); }

}  // namespace runbookd::tests
