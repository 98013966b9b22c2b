#include "web/ctl/follow.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "web/ctl/outage.h"
#include "web/ctl/run_facts.h"
#include "web/ctl/terminal.h"

namespace runbookd::ctl {

namespace {

using namespace std::chrono_literals;
using planner::Duration;
using std::chrono::steady_clock;
constexpr std::chrono::milliseconds shortest_nap = 20ms;
constexpr std::chrono::milliseconds longest_nap = 250ms;
// A question that is asked again and again need not wait long for its answer; Ctrl-C does.
constexpr auto answer_patience = 5s;

bool is_transient(Failure const& failure) { return failure.exit == Exit::unreachable; }

// What is known is what was: nothing can be said of the run as it is now.
Maybe<Followed> lost(Outage const& outage, std::string const& run, Exit exit) {
  return fail(exit, "follow " + run,
              outage.words() + "; what became of the run meanwhile is not known",
              "runbookctl watch " + run + ", once the daemon is back");
}

}  // namespace

Maybe<Followed> follow(Session& session, std::string const& run, std::string document,
                       Goal const& goal, std::optional<Duration> patience) {
  if (auto const exit = goal(parse_json(document))) {
    return Followed{std::move(document), *exit};
  }
  Interrupts const interrupts;
  auto const began = steady_clock::now();
  auto const waited = [began] {
    return std::chrono::duration_cast<Duration>(steady_clock::now() - began);
  };
  Outage outage(session, patience ? std::nullopt : std::optional(session.world.outage_borne_for));
  session.client.tell_no_more();
  session.client.set_patience(answer_patience);
  for (auto nap = shortest_nap;; nap = std::min(nap * 3 / 2, longest_nap)) {
    if (interrupts.wait(nap)) {
      return Followed{std::move(document), Exit::interrupted, waited()};
    }
    auto answer = session.client.get(run_path(run), "follow " + run);
    if (!answer && !is_transient(answer.error())) {
      return tl::unexpected(answer.error());
    }
    outage.note(answer.has_value());
    document = answer ? std::move(answer->body) : std::move(document);
    if (auto const exit = answer ? goal(parse_json(document)) : std::nullopt) {
      return Followed{std::move(document), *exit, waited()};
    }
    if (outage.too_long()) {
      return lost(outage, run, Exit::unreachable);
    }
    if (patience && waited() >= *patience) {
      return outage.lasts() ? lost(outage, run, Exit::timed_out)
                            : Maybe<Followed>({std::move(document), Exit::timed_out, waited()});
    }
  }
}

namespace {

std::optional<Exit> when_settled(Json const& snapshot) {
  auto const state = text_of(snapshot, "state");
  return is_settled(state) ? std::optional(exit_for_state(state)) : std::nullopt;
}

}  // namespace

Goal goal_of_settling() { return when_settled; }

Goal goal_of_verdict(Json before) {
  return [before = std::move(before)](Json const& snapshot) -> std::optional<Exit> {
    if (auto const judged = judged_since(before, snapshot); !judged.empty()) {
      return all_passed(judged) ? Exit::done : Exit::failed;
    }
    // a gate that was rejected opens again, and there may be no check at all
    return text_of(snapshot, "state") == "waiting" ? Exit::done : when_settled(snapshot);
  };
}

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
