// Wherever a run can get to by any mix of wishes, answers and crashes, its snapshot holds together.
#include <algorithm>
#include <array>
#include <random>
#include <set>
#include <string>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "tests/planner/view_life.h"

namespace runbookd::tests {
namespace {

using namespace planner;
using namespace std::chrono_literals;
using nlohmann::json;

class Walk {
 public:
  explicit Walk(unsigned seed) : life(whole_plan()), chance_(seed) {}

  Life life;
  void step() {
    if (pick(4) == 0) {
      wish();
    } else if (pick(12) == 0) {
      life.tell(Restarted{});
    } else {
      answer();
    }
  }

 private:
  int pick(int count) { return static_cast<int>(chance_() % static_cast<unsigned>(count)); }
  void wish() {
    auto const gate = life.plan.phases[life.state.phase].name;
    std::vector<Ask> const asks{Start{},
                                Start{},
                                Advance{.to_phase = gate},
                                Advance{.to_phase = gate},
                                Approve{gate},
                                Reject{gate},
                                Evaluate{},
                                Confirm{},
                                Pause{},
                                Pause{.mode = StopMode::now},
                                Pause{.escalate_after = 5s},
                                Resume{},
                                Retry{},
                                Skip{},
                                Resolve{.succeeded = pick(2) == 0, .evidence = "seen"},
                                RollBack{},
                                RollBack{.extent = RollBack::Extent::to_phase, .to = gate}};
    Command const command{
        .ask = asks[static_cast<std::size_t>(pick(static_cast<int>(asks.size())))],
        .actor = pick(2) == 0 ? "ben" : "cleo",
        .reason = "because"};
    if (auto const decided = decide(life.plan, life.state, command, life.now)) {
      life.take(*decided);
    }
  }
  void answer() {
    auto const wanted = intent(life.plan, life.state, life.now);
    life.announce();
    std::visit([this](auto const& todo) { act(todo); }, wanted);
  }
  void act(DoNothing const&) { life.now += 10min; }  // people take their time
  void act(WaitUntil const& wait) { life.time_passes(std::max(0ms, wait.at - life.now)); }
  void act(RecordBaselines const&) { life.tell(BaselinesRead{.values = {{"total", "7"}}}); }
  void act(TakeFingerprint const& wanted) {
    life.tell(FingerprintRead{.digest = "f", .way_back = way_back_told(wanted)});
  }
  void act(RunChecks const& checks) {
    auto const verdict = pick(5) == 0 ? Verdict::failed : Verdict::passed;
    ChecksRun run{.stage = checks.stage, .phase = checks.phase, .which = checks.which};
    run.results.resize(checks.which.size(), {.name = "c", .verdict = verdict});
    life.tell(run);
  }
  void act(RunStep const&) { end_try(); }
  void act(ResolveDoubt const& doubt) {
    std::array const answers{Doubt::applied, Doubt::not_applied, Doubt::unknowable};
    life.tell(DoubtAnswered{.ref = doubt.ref,
                            .direction = doubt.direction,
                            .attempt = doubt.attempt,
                            .answer = answers[static_cast<std::size_t>(pick(3))]});
  }
  void act(Quiesce const&) {
    if (life.state.trying) {
      end_try();
      return;
    }
    life.tell(Quiesced{});
  }
  void end_try() {
    std::array const ends{AttemptEnd::done, AttemptEnd::done,        AttemptEnd::done,
                          AttemptEnd::busy, AttemptEnd::interrupted, AttemptEnd::failed,
                          AttemptEnd::lost};
    AttemptEnded ended{.end = ends[static_cast<std::size_t>(pick(7))],
                       .fingerprint = pick(8) == 0 ? "odd" : "f"};
    if (ended.end != AttemptEnd::done) {
      ended.failure = SqlFailure{.sqlstate = "55P03", .message = "said so"};
    }
    life.end_try(ended);
  }

  std::mt19937 chance_;
};

bool one_of(json const& word, std::initializer_list<char const*> words) {
  return std::any_of(words.begin(), words.end(), [&](auto const* each) { return word == each; });
}

void check_phases(json const& run) {
  for (auto const& phase : run["phases"]) {
    CHECK(
        one_of(phase["state"], {"pending", "gated", "running", "validating", "soaking", "succeeded",
                                "failed", "partly_skipped", "reverting", "reverted"}));
  }
}

// Each verb that a wait speaks of is one that the machine would take.
void check_waits(json const& run) {
  for (auto const& wait : run["waiting_on"]) {
    auto const& kind = wait["kind"];
    CAPTURE(run.dump());
    CHECK_FALSE(wait["message"].get<std::string>().empty());
    if (one_of(kind, {"start", "resume", "retry", "evaluate", "resolve", "advance", "cancel"})) {
      CHECK(run["actions"][kind.get<std::string>()]["allowed"] == true);
    }
    if (kind == "manual") {
      CHECK(run["actions"]["confirm"]["allowed"] == true);
    }
    if (kind == "approval") {
      CHECK(run["actions"]["approve"]["allowed"] == true);
    }
  }
}

// Whoever asks for what does not fit is told what does.
void check_refusals(Life const& life, json const& run) {
  std::vector<Ask> const asks{Start{},
                              Advance{.to_phase = "backfill"},
                              Approve{"backfill"},
                              Evaluate{},
                              Confirm{},
                              Resume{},
                              Retry{},
                              Skip{},
                              RollBack{},
                              Resolve{.evidence = "seen"}};
  for (auto const& ask : asks) {
    auto const decided =
        decide(life.plan, life.state, {.ask = ask, .actor = "cleo", .reason = "so"}, life.now);
    if (decided) {
      continue;
    }
    auto const& refusal = decided.error();
    CAPTURE(refusal.detail);
    CAPTURE(refusal.next);
    auto const verb = refusal.next.substr(0, refusal.next.find(' '));
    if (verb == "watch" || verb == "status") {
      continue;
    }
    CHECK(run["actions"].contains(verb));
    CHECK(run["actions"][verb]["allowed"] == true);
  }
}

bool needs_somebody(json const& run) {
  return one_of(run["state"], {"pending", "waiting", "paused", "failed", "attention"});
}

void check_attempts(Life const& life) {
  for (auto const& phase : life.history.attempts) {
    for (auto const& attempts : phase) {
      auto const open = std::count_if(attempts.begin(), attempts.end(),
                                      [](Attempt const& a) { return a.result == "running"; });
      CHECK(open <= 1);
    }
  }
}

TEST_CASE("on random walks every snapshot holds together") {
  std::set<std::string> seen;
  for (unsigned seed = 1; seed <= 15; ++seed) {
    CAPTURE(seed);
    Walk walk(seed);
    for (int i = 0; i < 150; ++i) {
      walk.step();
      auto const run = walk.life.snapshot();
      seen.insert(run["state"].get<std::string>());
      CHECK_FALSE(run["state_message"].get<std::string>().empty());
      CHECK((!needs_somebody(run) || !run["waiting_on"].empty()));
      check_phases(run);
      check_waits(run);
      check_refusals(walk.life, run);
      check_attempts(walk.life);
    }
  }
  // the walks are worth something only if they got about
  for (auto const* state : {"attention", "failed", "paused", "pausing", "pending", "rolled_back",
                            "running", "waiting"}) {
    CAPTURE(std::string(state));
    CHECK(seen.contains(state));
  }
}

TEST_CASE("the revision counts the events") {
  Life life(whole_plan());
  life.take(
      {{.at = life.now, .body = PauseEscalated{}}, {.at = life.now, .body = DaemonRestarted{}}});
  CHECK(life.snapshot()["revision"] == 3);
}

}  // namespace
}  // namespace runbookd::tests
