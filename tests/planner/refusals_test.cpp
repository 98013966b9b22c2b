// A refusal says where the run stands, and which command fits there.
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "planner/machine.h"
#include "planner/plan_reader.h"
#include "tests/planner/view_life.h"

namespace runbookd::tests {
namespace {

using namespace planner;

Error refused(Life const& life, Ask const& ask, std::string const& actor = "ben") {
  auto const decided =
      decide(life.plan, life.state, {.ask = ask, .actor = actor, .reason = "so"}, life.now);
  REQUIRE_FALSE(decided.has_value());
  return decided.error();
}

Life at_second_gate() {
  Life life(whole_plan());
  life.start();
  return life;
}

Life at_manual_step() {
  auto life = at_second_gate();
  life.ask(Advance{.to_phase = "backfill"});
  life.go_on();
  return life;
}

Life failed_add() {
  Life life(whole_plan());
  life.ask(Start{});
  life.go_until("add");
  life.fail_try("42701", "exists");
  return life;
}

TEST_CASE("a refusal never names the state that the run is in as one that is missing") {
  auto const gate = refused(at_second_gate(), Confirm{});
  CHECK(gate.detail ==
        "the run is waiting at the gate before phase backfill; confirm needs a run that is waiting "
        "for a manual step");
  CHECK(gate.next == "status");
  auto const manual = refused(at_manual_step(), Approve{"backfill"});
  CHECK(manual.detail ==
        "the run is waiting at step backfill/deploy; approve needs a run that is waiting or paused "
        "at a gate");
  CHECK(manual.next == "status");
}

TEST_CASE("a step whose end is not known cannot be skipped, and that is the reason given") {
  Life life(whole_plan());
  life.ask(Start{});
  life.go_until("add");
  life.ask(Pause{});
  life.end_try({.end = AttemptEnd::lost, .failure = SqlFailure{.message = "reset"}});
  life.tell(DoubtUnanswered{.failure = {.message = "refused"}});
  life.go_on();
  REQUIRE(life.state.mode == RunMode::paused);
  auto const skip = refused(life, Skip{});
  CHECK(skip.detail ==
        "the run is paused, and how step expand/add ended is not known yet; skip needs a run that "
        "is at a step whose end is known");
  CHECK(skip.next == "resume");
}

TEST_CASE("whoever says a second time what was taken is shown the run, and offered no other verb") {
  auto life = at_manual_step();
  life.ask(Confirm{});
  REQUIRE(life.state.mode == RunMode::running);
  CHECK(refused(life, Confirm{}).next == "watch");
  CHECK(refused(life, Advance{.to_phase = "backfill"}).next == "watch");
  CHECK(refused(life, RollBack{}).next == "pause");
  life.go_on();
  life.time_passes(std::chrono::seconds(10));
  life.go_on();
  REQUIRE(life.state.stage == Stage::soak);
  CHECK(refused(life, Approve{"contract"}).next == "watch");
  CHECK(refused(life, Advance{.to_phase = "contract"}).next == "watch");
}

TEST_CASE("whoever enters a phase a second time is not led into the next one") {
  auto const life = at_second_gate();
  CHECK(refused(life, Start{}).next == "status");
  CHECK(refused(life, Advance{.to_phase = "expand"}).next == "status");
  CHECK(refused(life, Advance{.to_phase = "backfil"}).next == "advance --to backfill");
  CHECK(refused(life, Resume{}).next == "advance --to backfill");
}

TEST_CASE("a way back that there is none of is not answered with a way forward") {
  CHECK(refused(Life(whole_plan()), RollBack{}).next == "status");
  Life life(whole_plan());
  life.ask(Start{});
  life.go_until("add");
  life.ask(Pause{.mode = StopMode::now});
  CHECK(refused(life, RollBack{}).next == "watch");
  life.end_try({.end = AttemptEnd::interrupted});
  life.tell(Quiesced{});
  REQUIRE(life.state.mode == RunMode::paused);
  CHECK(refused(life, RollBack{}).next == "status");
  CHECK(refused(life, Approve{"backfill"}).next == "status");
  CHECK(refused(life, Advance{.to_phase = "expand"}).next == "resume");
}

TEST_CASE(
    "what a person says of a manual step is not put into the mouth of one who asks for else") {
  auto life = at_manual_step();
  CHECK(refused(life, Advance{.to_phase = "contract"}).next == "confirm backfill/deploy");
  CHECK(refused(life, Skip{}).next == "status");
  life.ask(Pause{});
  life.tell(Quiesced{});
  REQUIRE(life.state.mode == RunMode::paused);
  CHECK(refused(life, Confirm{}).next == "resume");
}

TEST_CASE("where there is no step to skip, the place is named") {
  auto const skip = refused(at_second_gate(), Skip{});
  CHECK(skip.detail ==
        "the run is waiting at the gate before phase backfill, not at a step that could be "
        "skipped");
  CHECK(skip.next == "status");
}

TEST_CASE("a step that may not be skipped is to be tried again") {
  CHECK(refused(failed_add(), Skip{}).next == "retry expand/add");
}

TEST_CASE("a verb for another step is given with the step at hand") {
  auto const life = failed_add();
  CHECK(refused(life, Retry{"index"}).next == "retry expand/add");
  CHECK(refused(life, Retry{"nothing"}).next == "retry expand/add");
  CHECK(refused(life, Skip{"index"}).next == "skip expand/add --reason TEXT");
}

// Another daemon's, as a copy of the store met it in the middle of a step.
ClaimHolder const db7{.id = "c1", .host = "db7", .pid = 812, .since = "2026-11-23T10:00:00Z"};

Life held() {
  Life life(whole_plan());
  life.ask(Start{});
  life.go_until("add");
  life.end_try({.end = AttemptEnd::fenced,
                .failure = SqlFailure{.sqlstate = "RBF01", .message = "fenced"},
                .held_by = db7});
  REQUIRE(life.state.mode == RunMode::paused);
  return life;
}
Result<Events> taking_over(Life const& life, Ask const& ask, std::string const& reason) {
  return decide(life.plan, life.state,
                {.ask = ask, .actor = "ben", .reason = reason, .take_over = true}, life.now);
}

TEST_CASE("a run whose target another daemon holds goes on only when a person says so, and why") {
  auto const life = held();
  auto const resume = refused(life, Resume{});
  CHECK(resume.code == ErrorCode::target_busy);
  CHECK(resume.detail.find("the daemon on db7, pid 812, since 2026-11-23T10:00:00Z") !=
        std::string::npos);
  CHECK(resume.next == "resume --take-over --reason TEXT");
  CHECK(refused(life, Retry{}).code == ErrorCode::target_busy);
  CHECK(refused(life, Skip{}).code != ErrorCode::target_busy);
  CHECK(taking_over(life, Resume{}, "").error().code == ErrorCode::reason_required);
  auto const taken = taking_over(life, Resume{}, "db7 is switched off");
  REQUIRE(taken);
  CHECK(std::get<TargetTaken>(taken->at(0).body).from == db7);
  CHECK(taken->at(0).reason == "db7 is switched off");
  auto const after = evolve(life.plan, life.state, *taken);
  CHECK(after.mode == RunMode::running);
  CHECK(after.taken_from == "c1");
  CHECK_FALSE(after.held_by);
}

// A store from a backup, whose run went on without it.
Life behind() {
  Life life(whole_plan());
  life.ask(Start{});
  life.go_until("add");
  life.end_try({.end = AttemptEnd::fenced,
                .failure = SqlFailure{.sqlstate = std::string(store_behind_code),
                                      .message = "the target knows more of this run"}});
  return life;
}

TEST_CASE("a run that this store is too old for is only given up, and nothing else is offered") {
  auto life = behind();
  REQUIRE(life.state.mode == RunMode::paused);
  auto const said = life.message();
  CHECK(said.find("runbookctl cancel run_") != std::string::npos);
  CHECK(said.find("--confirm " + life.plan.name) != std::string::npos);
  CHECK(said.find("runbookctl resume") == std::string::npos);
  CHECK(life.snapshot().at("waiting_on").at(0).at("kind") == "cancel");
  CHECK(refused(life, Advance{.to_phase = "expand"}).next == "cancel --confirm " + life.plan.name);
  // again and again would come to numbers that no marker knows
  for (Ask const& ask : {Ask{Resume{}}, Ask{Retry{}}}) {
    CHECK(refused(life, ask).next == "cancel --confirm " + life.plan.name);
  }
  CHECK(life.snapshot().at("actions").at("resume").at("allowed") == false);
  life.ask(Cancel{life.plan.name});
}

TEST_CASE("one that could not be started for that reason is given up as well") {
  Life life(whole_plan());
  life.ask(Start{});
  life.tell(BaselinesRead{.failure = SqlFailure{.sqlstate = std::string(store_behind_code)},
                          .failed_name = "target fence"});
  REQUIRE(life.state.mode == RunMode::pending);
  CHECK(life.message().find("runbookctl cancel run_") != std::string::npos);
  CHECK(life.message().find("runbookctl start") == std::string::npos);
  CHECK(refused(life, Start{}).next == "cancel --confirm " + life.plan.name);
}

TEST_CASE("what is said of a target that is held names the holder and the command") {
  auto const life = held();
  CHECK(life.message().find("--take-over --reason TEXT") != std::string::npos);
  CHECK(life.snapshot().at("target_held_by").at("pid") == 812);
  CHECK(life.snapshot().at("target_held_by").at("session_pid").is_null());
  CHECK(life.snapshot().at("actions").at("resume").at("allowed") == true);
}

TEST_CASE("a run at rest is paused when another daemon is found to hold its target") {
  auto life = at_second_gate();
  life.tell(ClaimSeen{});
  CHECK(life.state.mode == RunMode::waiting);
  life.tell(ClaimSeen{db7});
  CHECK(life.state.mode == RunMode::paused);
  CHECK(life.message().find("pid 812") != std::string::npos);
  life.tell(ClaimSeen{});
  CHECK_FALSE(life.state.held_by);
  life.ask(Resume{});
  CHECK(life.state.mode == RunMode::waiting);
}

TEST_CASE("where nobody else holds it, taking over is going on") {
  Life life(whole_plan());
  life.ask(Start{});
  life.go_until("add");
  life.ask(Pause{});
  life.end_try({.end = AttemptEnd::interrupted});
  life.tell(Quiesced{});
  auto const events = taking_over(life, Resume{}, "so");
  REQUIRE(events);
  CHECK(std::holds_alternative<RunResumed>(events->at(0).body));
}

TEST_CASE("only a backfill can be throttled, and who lets no signal count says why") {
  auto const stop = Throttle{.to = Throttle::To::stop};
  CHECK(refused(failed_add(), stop).detail ==
        "step expand/add is no backfill; only a backfill can be throttled");
  CHECK(refused(at_second_gate(), stop).detail ==
        "the run is waiting at the gate before phase backfill; throttle needs a run that is at a "
        "backfill: running, paused or failed");
  auto life = at_second_gate();
  life.ask(Advance{.to_phase = "backfill"});
  life.go_until("fill");
  auto const exempt =
      decide(life.plan, life.state, {.ask = Throttle{.to = Throttle::To::exempt}, .actor = "ben"},
             life.now);
  REQUIRE_FALSE(exempt.has_value());
  CHECK(exempt.error().code == ErrorCode::reason_required);
}

TEST_CASE("the same word said twice, and one taken back that was never said, change nothing") {
  auto life = at_second_gate();
  life.ask(Advance{.to_phase = "backfill"});
  life.go_until("fill");
  auto const events_of = [&](Throttle const& ask) {
    return decide(life.plan, life.state, {.ask = ask, .actor = "ben"}, life.now).value().size();
  };
  CHECK(events_of({.to = Throttle::To::off}) == 0);
  life.ask(Throttle{.to = Throttle::To::stop});
  CHECK(events_of({.to = Throttle::To::stop}) == 0);
  CHECK(events_of({.to = Throttle::To::ratio, .percent = 30}) == 1);
  CHECK(events_of({.to = Throttle::To::off}) == 1);
}

TEST_CASE("whoever may not sign is told the command for somebody else") {
  auto life = at_second_gate();
  life.plan.phases[1].approval = Approval{.from = "dba", .count = 1};
  auto const self = refused(life, Approve{"backfill"}, "ana");
  CHECK(self.code == ErrorCode::self_approval);
  CHECK(self.next == "approve --phase backfill   # by somebody else than ana");
  for (auto const* of_the_machine : {"unix:ana", "unix:ANA"}) {
    CHECK(refused(life, Approve{"backfill"}, of_the_machine).code == ErrorCode::self_approval);
  }
}

TEST_CASE("where nobody has to sign there is nothing to reject either") {
  auto const life = at_second_gate();
  auto const reject = refused(life, Reject{"backfill"});
  CHECK(reject.detail == "phase backfill asks for no approval");
  CHECK(reject.next == "status");
}

TEST_CASE("a gate that needs a signature names the command that signs") {
  auto life = at_second_gate();
  life.plan.phases[1].approval = Approval{.from = "dba", .count = 1};
  CHECK(refused(life, Advance{.to_phase = "backfill"}).next == "approve --phase backfill");
}

TEST_CASE("a step that is named without its phase is hinted at in full") {
  auto const life = at_second_gate();
  auto const to = refused(life, RollBack{.extent = RollBack::Extent::to_phase, .to = "index"});
  CHECK(to.detail == "the plan has no phase \"index\"; a step is named phase/step: expand/index");
  CHECK(to.next == "rollback --to expand/index");
}

TEST_CASE("a step that is named in the wrong phase is found in the right one") {
  auto const to = refused(at_second_gate(),
                          RollBack{.extent = RollBack::Extent::to_step, .to = "backfill/index"});
  CHECK(to.next == "rollback --to expand/index");
}

TEST_CASE("an error that only the target shows closes the start, and is acknowledged by name") {
  Finding const missing{.rule = "sql/no-such-table", .message = "no users", .step = "expand/add"};
  Finding const large{.rule = "lock/rewrites-table",
                      .severity = Severity::warning,
                      .message = "it has 2 GB",
                      .step = "expand/add"};
  Life life(whole_plan());
  life.ask(Start{});
  life.tell(BaselinesRead{.values = {{"total", "7"}}, .findings = {missing, large}});
  REQUIRE(life.state.mode == RunMode::pending);
  CHECK(life.message().find("makes the plan unsafe: 1 error that only its schema") !=
        std::string::npos);
  auto const details = life.snapshot().at("details");
  REQUIRE(details.size() == 2);
  CHECK(details[0].get<std::string>().find("no users [sql/no-such-table]") != std::string::npos);
  CHECK(details[1].get<std::string>().find("--acknowledge 'sql/no-such-table=REASON'") !=
        std::string::npos);

  Start start;
  start.acknowledged.push_back({.rule = "lock/typo", .reason = "x"});
  CHECK(refused(life, start).code == ErrorCode::not_found);
  start.acknowledged = {{.rule = "sql/no-such-table@expand/add", .reason = "a tool makes it"}};
  life.ask(start);
  life.tell(BaselinesRead{.values = {{"total", "7"}}, .findings = {missing, large}});
  CHECK(life.state.mode != RunMode::pending);
  CHECK(life.snapshot().at("target_findings").size() == 2);
  CHECK(life.state.found.empty());
}

TEST_CASE("what is acknowledged is a finding that the plan has") {
  Life life(whole_plan());
  auto const accepting = [](std::string const& rule) {
    Start start;
    start.acknowledged.push_back({.rule = rule, .reason = "small"});
    return start;
  };
  auto const stray = refused(life, accepting("lock/typo"));
  CHECK(stray.code == ErrorCode::not_found);
  CHECK(stray.detail.starts_with("the plan has no finding \"lock/typo\" to acknowledge; it has "));
  auto const read = read_plan(R"(runbook: 1
name: p
phases:
  - name: expand
    steps:
      - {name: add, sql: CREATE INDEX a ON users (b), rollback: DROP INDEX CONCURRENTLY a}
)",
                              "p.yaml", [](auto const&) { return std::nullopt; });
  REQUIRE(read.plan);
  life.plan = *read.plan;
  life.state = initial_state(life.plan);
  auto const open = refused(life, Start{});
  REQUIRE(open.code == ErrorCode::unacknowledged_findings);
  auto const& rule = open.findings.at(0).rule;
  CHECK(refused(life, accepting("lock/typo")).detail.find(rule + "@expand/add") !=
        std::string::npos);
  life.ask(accepting(rule));
  CHECK(life.state.mode == RunMode::running);
}

TEST_CASE("what is neither phase nor step is told the phases") {
  auto const to =
      refused(at_second_gate(), RollBack{.extent = RollBack::Extent::to_phase, .to = "nowhere"});
  CHECK(to.detail ==
        "the plan has no phase \"nowhere\"; a step is named phase/step, phases are: expand, "
        "backfill, contract");
}

}  // namespace
}  // namespace runbookd::tests
