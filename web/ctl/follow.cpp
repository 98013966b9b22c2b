#include "web/ctl/follow.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "web/ctl/run_facts.h"
#include "web/ctl/terminal.h"

namespace runbookd::ctl {

namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;
constexpr auto shortest_nap = 20ms;
constexpr auto longest_nap = 250ms;

bool is_transient(Failure const& failure) { return failure.exit == Exit::unreachable; }

}  // namespace

Maybe<Followed> follow(Session& session, std::string const& run, std::string document,
                       Goal const& goal, std::optional<planner::Duration> patience) {
  Interrupts const interrupts;
  auto const deadline =
      patience ? steady_clock::now() + *patience : steady_clock::time_point::max();
  auto nap = std::chrono::milliseconds(shortest_nap);
  session.client.tell_no_more();
  for (;;) {
    if (auto const exit = goal(parse_json(document))) {
      return Followed{std::move(document), *exit};
    }
    if (steady_clock::now() >= deadline) {
      return Followed{std::move(document), Exit::timed_out};
    }
    if (interrupts.wait(nap)) {
      return Followed{std::move(document), Exit::interrupted};
    }
    nap = std::min(nap * 3 / 2, std::chrono::milliseconds(longest_nap));
    auto answer = session.client.get(run_path(run), "follow " + run);
    if (!answer && !is_transient(answer.error())) {
      return tl::unexpected(answer.error());
    }
    document = answer ? std::move(answer->body) : std::move(document);
  }
}

namespace {

std::optional<Exit> when_settled(Json const& snapshot) {
  auto const state = text_of(snapshot, "state");
  return is_settled(state) ? std::optional(exit_for_state(state)) : std::nullopt;
}

}  // namespace

Goal goal_of_settling() { return when_settled; }

Goal goal_of_start() {
  return [](Json const& snapshot) -> std::optional<Exit> {
    // a run that was started comes to a gate, sooner or later
    auto const at_gate = text_of(snapshot, "stage") == "gate";
    return at_gate && text_of(snapshot, "state") == "waiting" ? Exit::done : when_settled(snapshot);
  };
}

Goal goal_of_advance(std::string phase) {
  return [phase = std::move(phase)](Json const& snapshot) -> std::optional<Exit> {
    auto const done = is_done(phase_named(snapshot, phase));
    return done && text_of(snapshot, "state") == "waiting" ? Exit::done : when_settled(snapshot);
  };
}

Goal goal_of_pause() {
  return [](Json const& snapshot) -> std::optional<Exit> {
    return text_of(snapshot, "state") == "paused" ? Exit::done : when_settled(snapshot);
  };
}

Goal goal_of_rollback() {
  return [](Json const& snapshot) -> std::optional<Exit> {
    auto const state = text_of(snapshot, "state");
    auto const part_way = state == "paused" && text_of(snapshot, "direction") == "forward";
    return state == "rolled_back" || part_way ? Exit::done : when_settled(snapshot);
  };
}

Goal goal_of_until(std::vector<std::string> conditions) {
  return [conditions = std::move(conditions)](Json const& snapshot) -> std::optional<Exit> {
    auto const state = text_of(snapshot, "state");
    for (auto const& condition : conditions) {
      auto const settled = condition == "settled" && is_settled(state);
      if (settled || condition == state || is_done(phase_named(snapshot, condition))) {
        return Exit::done;
      }
    }
    return when_settled(snapshot);
  };
}

}  // namespace runbookd::ctl
