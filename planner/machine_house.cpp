// What the house refuses: a hold stops everything that leads forward, a window what would begin.
#include "planner/machine_decision.h"
#include "planner/run_rules.h"

namespace runbookd::planner {
namespace {

struct LeadsForward {
  RunState const& state;

  bool operator()(Start const&) const { return true; }
  bool operator()(Advance const&) const { return true; }
  bool operator()(Evaluate const&) const { return true; }
  bool operator()(Countersign const&) const { return state.mode == RunMode::failed; }
  // Going back is going where it is safe, and goes on while everything else stands still.
  bool operator()(Confirm const&) const { return forward(); }
  bool operator()(Resume const&) const { return forward(); }
  bool operator()(Retry const&) const { return forward(); }
  bool operator()(Skip const&) const { return forward(); }
  bool operator()(auto const&) const { return false; }

 private:
  bool forward() const { return state.direction == Direction::forward; }
};

bool begins(Ask const& ask) {
  return std::holds_alternative<Start>(ask) || std::holds_alternative<Advance>(ask);
}

}  // namespace

std::optional<Error> refused_by_house(Wish const& wish) {
  auto const& house = wish.command.house;
  if (house.hold && std::visit(LeadsForward{.state = wish.state}, wish.command.ask)) {
    return wish.refuse(to_text(*house.hold), "runbookctl hold lift", ErrorCode::held).value();
  }
  bool const overridden = gate_is_overridden(wish.state, wish.now);
  if (house.window && begins(wish.command.ask) && !overridden) {
    return wish
        .refuse(house.window->why,
                "wait until it opens, or an admin asks: override --phase " +
                    wish.plan.phases[wish.state.phase].name + " --reason TEXT",
                ErrorCode::outside_window)
        .value();
  }
  return std::nullopt;
}

}  // namespace runbookd::planner
