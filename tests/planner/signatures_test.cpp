// Who may sign at a gate, until when that counts, and how two people go past it.
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "planner/run_rules.h"
#include "tests/planner/view_life.h"

namespace runbookd::tests {
namespace {

using namespace planner;
using namespace std::chrono_literals;

// Phase contract (a contract phase that cannot be taken back) waits for two approvals.
Life at_contract(std::optional<Duration> expires = {}) {
  auto plan = whole_plan();
  plan.phases[2].approval = Approval{.from = "dba", .count = 2, .expires = expires};
  Life life(plan);
  life.start();
  life.now += 72h;
  life.ask(Advance{.to_phase = "backfill"});
  life.go_on();
  life.ask(Confirm{});
  life.go_on();
  life.time_passes(10s);
  life.go_on();
  life.time_passes(1min);
  life.go_on();
  REQUIRE(life.state.mode == RunMode::waiting);
  REQUIRE(life.state.phase == 2);
  life.now += 200h;
  return life;
}

// The run failed: what expand has shown did not hold any more before backfill.
Life failed_before_backfill() {
  Life life(whole_plan());
  life.start();
  life.now += 72h;
  life.ask(Advance{.to_phase = "backfill"});
  life.announce();
  auto const wanted = std::get<RunChecks>(intent(life.plan, life.state, life.now));
  life.tell(ChecksRun{.stage = wanted.stage,
                      .phase = wanted.phase,
                      .which = wanted.which,
                      .results = {{.name = "x", .verdict = Verdict::failed}}});
  REQUIRE(life.state.mode == RunMode::failed);
  return life;
}

Error refused(Life const& life, Ask const& ask, std::string const& actor,
              std::string const& reason = "", HouseRules const& house = {}) {
  auto const decided =
      decide(life.plan, life.state, {.ask = ask, .actor = actor, .reason = reason, .house = house},
             life.now);
  REQUIRE(!decided);
  return decided.error();
}

Approve const sign{"contract", {}};

}  // namespace

TEST_CASE("neither who created the run nor who brought the plan signs, however the name is spelt") {
  auto life = at_contract();
  life.state.uploader = "Ulla";
  CHECK(refused(life, sign, "ANA").code == ErrorCode::self_approval);
  CHECK(refused(life, sign, "unix:ulla").code == ErrorCode::self_approval);
  CHECK(refused(life, sign, "ulla").detail.find("brought this plan") != std::string::npos);
}

TEST_CASE("two approvals are of two people") {
  auto life = at_contract();
  life.ask(sign, "ben");
  auto const again = decide(life.plan, life.state, {.ask = sign, .actor = "BEN"}, life.now);
  REQUIRE(again);
  CHECK(again->empty());
  CHECK(refused(life, Advance{.to_phase = "contract"}, "ana").code == ErrorCode::gate_closed);
  life.ask(sign, "cleo");
  life.ask(Advance{.to_phase = "contract"});
}

TEST_CASE("an approval that says until when does not count afterwards, and can be given again") {
  auto life = at_contract(24h);
  life.ask(sign, "ben");
  life.ask(sign, "cleo");
  CHECK(gate_needs(life.plan, life.state, life.now).empty());
  life.now += 24h;
  CHECK(gate_needs(life.plan, life.state, life.now).front().kind == "approval");
  CHECK(refused(life, Advance{.to_phase = "contract"}, "ana").code == ErrorCode::gate_closed);
  life.ask(sign, "Ben");
  CHECK(valid_approvers(life.state, life.now) == std::vector<std::string>{"Ben"});
}

TEST_CASE("one's own approval can be taken back while the gate stands, and nobody else's") {
  auto life = at_contract();
  life.ask(sign, "ben");
  CHECK(refused(life, Withdraw{"contract"}, "cleo").code == ErrorCode::illegal_transition);
  life.ask(Withdraw{"contract"}, "Ben");
  CHECK(life.state.approvers.empty());
  CHECK(life.phase(2)["approvals"]["by"].empty());
}

TEST_CASE("an approval is for the opening of the gate that was seen") {
  auto life = at_contract();
  auto const seen = life.state.gate;
  life.ask(Approve{"contract", seen}, "ben");
  life.ask(Evaluate{});
  life.go_on();
  REQUIRE(life.state.mode == RunMode::waiting);
  CHECK(life.state.approvers.empty());
  CHECK(refused(life, Approve{"contract", seen}, "ben").code == ErrorCode::approval_stale);
  life.ask(Approve{"contract", life.state.gate}, "ben");
}

TEST_CASE("a failover ends approvals: they were for what the other server held") {
  auto life = at_contract();
  life.ask(sign, "ben");
  life.take({{.at = life.now, .body = TargetMoved{}}});
  CHECK(life.state.approvers.empty());
}

TEST_CASE("a gate is overridden by two people, and for an hour") {
  auto life = at_contract();
  CHECK(refused(life, Override{"contract", "contract"}, "ana").code == ErrorCode::reason_required);
  CHECK(refused(life, Override{"contract", ""}, "ana", "now").code == ErrorCode::confirm_mismatch);
  life.ask(Override{"contract", "contract"}, "ana", "the dbas are on a plane");
  CHECK(refused(life, Countersign{"contract"}, "Ana").code == ErrorCode::self_approval);
  CHECK(refused(life, Override{"contract", "contract"}, "cleo", "me too").code ==
        ErrorCode::illegal_transition);
  CHECK(refused(life, Advance{.to_phase = "contract"}, "ana").code == ErrorCode::gate_closed);
  CHECK(life.snapshot()["override_asked"]["asked_by"] == "ana");
  life.ask(Countersign{"contract"}, "ben", "saw it");
  CHECK(life.snapshot()["override_asked"].is_null());
  CHECK(life.snapshot()["overrides"][0]["confirmed_by"] == "ben");
  CHECK(life.snapshot()["overrides"][0]["reason"] == "the dbas are on a plane");
  auto later = life;
  later.now += 1h;
  CHECK(refused(later, Advance{.to_phase = "contract"}, "ana").code == ErrorCode::gate_closed);
  life.ask(Advance{.to_phase = "contract"});
  CHECK(life.state.mode == RunMode::running);
}

TEST_CASE("an override that nobody confirmed within the hour is none") {
  auto life = at_contract();
  life.ask(Override{"contract", "contract"}, "root", "now");
  life.now += 1h;
  CHECK(refused(life, Countersign{"contract"}, "ben").detail.find("good until") !=
        std::string::npos);
  life.ask(Override{"contract", "contract"}, "root", "again");
}

TEST_CASE("what is asked for dies with the moment it was asked at") {
  auto life = at_contract();
  life.ask(Override{"contract", "contract"}, "root", "now");
  life.ask(Pause{});
  CHECK(!life.state.override_asked);
  auto withdrawn = at_contract();
  withdrawn.ask(Override{"contract", "contract"}, "root", "now");
  withdrawn.ask(Withdraw{"contract"}, "root");
  CHECK(refused(withdrawn, Countersign{"contract"}, "ben").code == ErrorCode::illegal_transition);
}

TEST_CASE("who created the run or brought the plan is no second person") {
  auto life = at_contract();
  life.state.uploader = "ulla";
  life.ask(Override{"contract", "contract"}, "root", "now");
  CHECK(refused(life, Countersign{"contract"}, "ana").code == ErrorCode::self_approval);
  CHECK(refused(life, Countersign{"contract"}, "ulla").code == ErrorCode::self_approval);
}

TEST_CASE("checks that two people went past stay overridden, also when they are judged again") {
  auto life = failed_before_backfill();
  life.ask(Override{"backfill", ""}, "root", "known, harmless");
  life.ask(Countersign{"backfill"}, "ben");
  CHECK(life.state.mode == RunMode::running);
  CHECK(life.state.stage == Stage::steps);
  auto const check = life.phase(0)["checks"][1];
  CHECK(check["result"] == "overridden");
  CHECK(check["overridden"]["instead_of"] == "failed");
  CHECK(check["overridden"]["asked_by"] == "root");
  CHECK(check["overridden"]["confirmed_by"] == "ben");
  CHECK(life.snapshot()["overrides"][0]["checks"].size() == 1);
}

TEST_CASE("a check that fails beside an overridden one closes the gate") {
  auto life = failed_before_backfill();
  auto state = life.state;
  state.overridden = state.failed_checks;
  state.mode = RunMode::running;
  ChecksRun run{.stage = CheckStage::requirements, .phase = 1, .which = {0}};
  run.results = {{.name = "x", .verdict = Verdict::failed}};
  CHECK(std::get<ChecksJudged>(judge(life.plan, state, run, life.now).front().body).passed);
  state.overridden = {{.stage = CheckStage::watch, .phase = 0, .index = 0}};
  CHECK(!std::get<ChecksJudged>(judge(life.plan, state, run, life.now).front().body).passed);
}

TEST_CASE("a rejection is a person's word, which nobody overrides") {
  auto life = at_contract();
  life.ask(Reject{"contract"}, "ben", "not on a Friday");
  CHECK(refused(life, Override{"contract", "contract"}, "root", "but").detail.find("rejected") !=
        std::string::npos);
}

TEST_CASE("a gate that stands open is not overridden") {
  auto life = at_contract();
  life.ask(sign, "ben");
  life.ask(sign, "cleo");
  CHECK(refused(life, Override{"contract", "contract"}, "root", "why not").code ==
        ErrorCode::illegal_transition);
}

// --- what the house says

TEST_CASE("under a hold nothing leads forward, and everything that stops or goes back is taken") {
  HouseRules const house{.hold = Hold{.reason = "p99 is up", .by = "olga", .since = Moment{}}};
  auto life = at_contract();
  life.ask(sign, "ben");
  life.ask(sign, "cleo");
  for (auto const& ask : {Ask{Advance{.to_phase = "contract"}}, Ask{Evaluate{}}}) {
    auto const error = refused(life, ask, "ana", "", house);
    CHECK(error.code == ErrorCode::held);
    CHECK(error.detail.find("olga: p99 is up") != std::string::npos);
    CHECK(error.next == "runbookctl hold lift");
  }
  for (auto const& ask :
       {Ask{Pause{}}, Ask{Cancel{life.plan.name}}, Ask{Withdraw{"contract"}}, Ask{RollBack{}}}) {
    CHECK(decide(life.plan, life.state, {.ask = ask, .actor = "ben", .house = house}, life.now));
  }
}

TEST_CASE("a rollback goes on under a hold, forward work does not") {
  HouseRules const house{.hold = Hold{.reason = "p99 is up", .by = "olga", .since = Moment{}}};
  auto life = at_contract();
  life.ask(RollBack{.extent = RollBack::Extent::all});
  life.ask(Pause{});
  life.tell(Quiesced{});
  REQUIRE(life.state.mode == RunMode::paused);
  auto const resume = Command{.ask = Resume{}, .actor = "ana", .house = house};
  CHECK(decide(life.plan, life.state, resume, life.now));
  life.state.direction = Direction::forward;
  auto const forward = decide(life.plan, life.state, resume, life.now);
  REQUIRE(!forward);
  CHECK(forward.error().code == ErrorCode::held);
}

TEST_CASE("outside its window a run begins and enters nothing, but by an override") {
  HouseRules const house{.window = ShutWindow{.why = "shut until Tuesday", .opens = Moment{}}};
  auto life = at_contract();
  life.ask(sign, "ben");
  life.ask(sign, "cleo");
  auto const error = refused(life, Advance{.to_phase = "contract"}, "ana", "", house);
  CHECK(error.code == ErrorCode::outside_window);
  CHECK(error.detail == "shut until Tuesday");
  Command const ask{.ask = Override{"contract", "contract"},
                    .actor = "root",
                    .reason = "it burns",
                    .house = house};
  auto asked = decide(life.plan, life.state, ask, life.now);
  REQUIRE(asked);
  life.take(*asked);
  life.ask(Countersign{"contract"}, "ben");
  CHECK(decide(life.plan, life.state,
               {.ask = Advance{.to_phase = "contract"}, .actor = "ana", .house = house}, life.now));
}

// --- remarks

TEST_CASE("a remark changes nothing but the record, and who saw the run before still saw it") {
  auto life = at_contract();
  auto const before = life.state;
  auto const seen = life.history.revision;
  life.take({{.at = life.now, .actor = "olga", .body = RunNoted{"looked at it, fine"}}});
  CHECK(life.state == before);
  CHECK(life.history.revision == seen + 1);
  CHECK(life.history.acted == seen);
  CHECK(life.history.last_actor != "olga");
  CHECK(life.snapshot()["notes"][0]["text"] == "looked at it, fine");
  CHECK(life.snapshot()["notes"][0]["actor"] == "olga");
  life.ask(Pause{});
  CHECK(life.history.acted == life.history.revision);
}

}  // namespace runbookd::tests
