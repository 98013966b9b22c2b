#include "planner/verb_rights.h"

#include <algorithm>

namespace runbookd::planner {
namespace {

// Percent of full speed. One that stands takes the place of the one that stood, also where another
// holds for a time.
int allowed_speed(Throttle const& wish, RunState const& state, Moment now) {
  auto const percent = [](std::optional<HandThrottle> const& word) {
    return word ? word->percent : 100;
  };
  auto const& words = state.throttle;
  auto const at_present = percent(words.at(now));
  return wish.lasts ? at_present : std::min(at_present, percent(words.standing));
}

bool slows_down(Throttle const& wish, RunState const& state, Moment now) {
  switch (wish.to) {
    case Throttle::To::stop:
      return true;
    case Throttle::To::ratio:
      return wish.percent <= allowed_speed(wish, state, now);
    case Throttle::To::exempt:
    case Throttle::To::off:
      return false;
  }
  __builtin_unreachable();
}

class Needed {
 public:
  Needed(Plan const& plan, RunState const& state, Moment now)
      : plan_(plan), state_(state), now_(now) {}

  Capability operator()(Pause const&) const { return Capability::stop; }
  Capability operator()(Throttle const& wish) const {
    return slows_down(wish, state_, now_) ? Capability::stop : Capability::operate;
  }
  Capability operator()(Approve const&) const { return Capability::approve; }
  Capability operator()(Reject const&) const { return Capability::approve; }
  Capability operator()(Withdraw const&) const { return Capability::approve; }
  Capability operator()(Countersign const&) const { return Capability::approve; }
  Capability operator()(Override const&) const { return Capability::administer; }
  Capability operator()(RollBack const&) const {
    return plan_.oncall_rollback ? Capability::roll_back : Capability::operate;
  }
  Capability operator()(Resolve const& word) const {
    return word.succeeded ? Capability::administer : Capability::operate;
  }
  Capability operator()(auto const&) const { return Capability::operate; }

 private:
  Plan const& plan_;
  RunState const& state_;
  Moment now_;
};

}  // namespace

Capability needed_for(Ask const& ask, Plan const& plan, RunState const& state, Moment now) {
  return std::visit(Needed(plan, state, now), ask);
}

std::vector<VerbState> actions_for(Principal const& caller, std::string const& target,
                                   Plan const& plan, RunState const& state, Moment now,
                                   HouseRules const& house) {
  auto verbs = actions(plan, state, now, caller.proven ? caller.name : "", house);
  for (auto const& ask : representative_asks(plan, state)) {
    auto const verb = std::ranges::find(verbs, verb_of(ask), &VerbState::verb);
    auto const granted = expect_may(caller, needed_for(ask, plan, state, now), target);
    if (!granted) {
      verb->allowed = false;
      verb->why_not = granted.error().detail;
    }
  }
  return verbs;
}

}  // namespace runbookd::planner
