// Which verbs fit a state, by asking decide itself: the list cannot disagree with the refusals.
#include "planner/machine.h"
#include "planner/run_rules.h"

namespace runbookd::planner {
namespace {

// Empty where it would change something. A verb that is granted and changes nothing is harmless,
// but nobody's way out.
std::string why_not(RunState const& state, Result<Events> const& decided) {
  if (decided) {
    return decided->empty()
               ? "it would change nothing: the run is " + std::string{to_text(state.mode)}
               : "";
  }
  // findings can be acknowledged: that is a matter of the call, not of the state
  bool const of_the_call = decided.error().code == ErrorCode::unacknowledged_findings;
  return of_the_call ? "" : decided.error().detail;
}

}  // namespace

std::vector<Ask> representative_asks(Plan const& plan, RunState const& state) {
  auto const phase = plan.phases.empty() ? std::string{} : plan.phases[state.phase].name;
  return {Start{},
          Advance{.to_phase = phase, .confirm = ""},
          Approve{.phase = phase, .gate = {}},
          Reject{phase},
          Withdraw{phase},
          Override{.phase = phase, .confirm = phase},
          Countersign{phase},
          Evaluate{},
          Confirm{},
          Pause{.mode = state.mode == RunMode::pausing ? StopMode::now : StopMode::safe_point},
          Throttle{.to = Throttle::To::stop},
          Resume{},
          Retry{},
          Skip{},
          Resolve{.step = "", .succeeded = false, .evidence = "any"},
          RollBack{},
          Cancel{plan.name}};
}

Command if_asked(Ask ask, std::string const& asker, HouseRules const& house) {
  constexpr auto nobody_else = "\x01somebody";
  return {.ask = std::move(ask),
          .actor = asker.empty() ? nobody_else : asker,
          .reason = "any",
          .take_over = true,
          .house = house};
}

std::vector<VerbState> actions(Plan const& plan, RunState const& state, Moment now,
                               std::string const& asker, HouseRules const& house) {
  std::vector<VerbState> verbs;
  for (auto const& ask : representative_asks(plan, state)) {
    auto& verb = verbs.emplace_back(VerbState{.verb = std::string{verb_of(ask)}, .allowed = true});
    // a start goes through the findings of the whole plan, which do not matter here
    bool const asked_for_good = house.hold || house.window;
    if (state.mode == RunMode::pending && std::holds_alternative<Start>(ask) && !asked_for_good) {
      continue;
    }
    auto const decided = decide(plan, state, if_asked(ask, asker, house), now);
    verb.why_not = why_not(state, decided);
    verb.allowed = verb.why_not.empty();
  }
  return verbs;
}

}  // namespace runbookd::planner
