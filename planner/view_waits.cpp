// What a run waits for, item by item: for programs the kind, for people a sentence with the
// command.
#include <algorithm>

#include <nlohmann/json.hpp>

#include "planner/run_rules.h"
#include "planner/view_parts.h"
#include "planner/view_standing.h"
#include "planner/view_words.h"

namespace runbookd::planner::view {
namespace {

struct Waiting {
  RunFacts const& facts;
  Moment now;
  Plan const& plan = *facts.plan;
  RunState const& state = *facts.state;

  WaitsFor at_phase(std::string kind, std::string message, std::optional<Moment> until = {}) const {
    return {.kind = std::move(kind),
            .phase = plan.phases[state.phase].name,
            .message = std::move(message),
            .until = until};
  }
  WaitsFor at_step(std::string kind, StepRef ref, std::string message,
                   std::optional<Moment> until = {}) const {
    return {.kind = std::move(kind),
            .phase = plan.phases[ref.phase].name,
            .step = plan.step(ref).name,
            .message = std::move(message),
            .until = until};
  }
  WaitsFor advance() const {
    auto const& phase = plan.phases[state.phase].name;
    return at_phase("advance", "to enter " + phase + ": " +
                                   command(facts, "advance", "--to " + shell_word(phase)));
  }
  std::vector<WaitsFor> gate() const {
    std::vector<WaitsFor> all;
    for (auto const& need : gate_needs(plan, state, now)) {
      auto const how = need.kind == "approval"
                           ? ": " + command(facts, "approve",
                                            "--phase " + shell_word(plan.phases[state.phase].name))
                           : "";
      all.push_back(at_phase(need.kind, need.message + how, need.until));
    }
    if (all.empty()) {
      all.push_back(advance());
    }
    return all;
  }
  WaitsFor manual(StepRef ref) const {
    auto const& action = action_of(plan, ref, state.direction);
    auto const* todo = std::get_if<ManualAction>(&action);
    auto const how = command(facts, "confirm", shell_word(plan.label(ref)));
    auto const word = state.direction == Direction::forward ? "to be done by hand: "
                                                            : "to be taken back by hand: ";
    return at_step("manual", ref,
                   "step " + plan.label(ref) + " is " + word +
                       (todo != nullptr ? in_a_line(todo->text) : "") +
                       "; when it is done: " + how);
  }
  std::vector<WaitsFor> person() const {
    if (state.stage == Stage::gate && state.direction == Direction::forward) {
      return gate();
    }
    if (auto const ref = step_at_hand(facts)) {
      return {manual(*ref)};
    }
    return {};
  }
  std::vector<WaitsFor> failed() const {
    auto const ref = step_at_hand(facts);
    if (state.checks_failed) {
      bool const rejected = state.stage == Stage::gate;
      auto const when = rejected ? "to open the gate again: " : "once that is mended: ";
      return {
          at_phase("evaluate", when + command(facts, "evaluate") + others_that_fit("evaluate"))};
    }
    if (!ref) {
      return {};
    }
    auto const when = state.mismatch ? "once the schema is mended: " : "to try again: ";
    return {
        at_step("retry", *ref,
                when + claiming("retry", shell_word(plan.label(*ref))) + others_that_fit("retry"))};
  }
  // A verb that is asked for while another daemon holds the target has to say so.
  std::string claiming(std::string const& verb, std::string const& rest = "") const {
    bool const held = state.held_by.has_value();
    auto const space = rest.empty() || !held ? "" : " ";
    return command(facts, verb, rest + space + (held ? "--take-over --reason TEXT" : ""));
  }
  // Neither start nor resume can make up for what this store does not know.
  WaitsFor give_up() const {
    return {.kind = "cancel",
            .message =
                "it cannot go on from this store, only from the one that knows it; to give "
                "it up here, the database staying as it is: " +
                command(facts, "cancel", "--confirm " + shell_word(plan.name))};
  }
  WaitsFor resume() const {
    return {.kind = "resume", .message = "to go on: " + claiming("resume")};
  }
  // "; skip, rollback and cancel fit too"
  std::string others_that_fit(std::string const& first) const {
    std::vector<std::string> verbs;
    for (auto const& each : actions(plan, state, now)) {
      bool const takes_two = each.verb == "override" || each.verb == "countersign";
      bool const moves_no_run = each.verb == "throttle" || each.verb == "withdraw";
      if (each.allowed && each.verb != first && !takes_two && !moves_no_run) {
        verbs.push_back(each.verb);
      }
    }
    std::string text;
    for (std::size_t i = 0; i < verbs.size(); ++i) {
      text += (i == 0 ? "" : i + 1 == verbs.size() ? " and " : ", ") + verbs[i];
    }
    return verbs.empty() ? "" : "; " + text + (verbs.size() == 1 ? " fits too" : " fit too");
  }
  WaitsFor start() const {
    bool const asked_before = !facts.history->problem.empty();
    return {
        .kind = "start",
        .message = (asked_before ? "once that is mended: " : "to start it: ") + claiming("start")};
  }
  std::vector<WaitsFor> lost() const {
    auto const ref = state.lost.front();
    auto const how = command(
        facts, "resolve", shell_word(plan.label(ref)) + " --as succeeded|failed --evidence TEXT");
    auto const holds = state.at(ref).status == StepStatus::reverted ? "is taken back" : "is done";
    return {at_step("resolve", ref,
                    "look at the database: succeeded says that step " + plan.label(ref) + " " +
                        holds + " there all the same, failed that it is not: " + how)};
  }
  std::vector<WaitsFor> attention() const {
    if (!state.lost.empty()) {
      return lost();
    }
    auto const ref = step_at_hand(facts);
    if (!ref) {
      return {};
    }
    auto const how = command(
        facts, "resolve", shell_word(plan.label(*ref)) + " --as succeeded|failed --evidence TEXT");
    return {at_step("resolve", *ref, "look at the database, then say what you saw: " + how)};
  }
  std::vector<WaitsFor> running() const {
    auto const ref = step_at_hand(facts);
    if (ref && state.trying && waits_for_lock(facts.live)) {
      return {at_step("lock", *ref, lock_words(step_subject(facts, *ref), facts.live))};
    }
    if (auto const& held = facts.live.throttling; ref && held && held->speed.stopped()) {
      return {at_step("throttle", *ref, throttle_words(*held, now))};
    }
    if (ref && state.in_doubt && state.ask_doubt_at) {
      return {at_step("timer", *ref,
                      "the next question about how step " + plan.label(*ref) + " ended",
                      state.ask_doubt_at)};
    }
    if (ref && state.not_until && !state.trying) {
      bool const busy = runs_on_target(action_of(plan, *ref, state.direction));
      auto const what = busy ? "the next try of step " : "the end of step ";
      return {at_step("timer", *ref, what + plan.label(*ref), state.not_until)};
    }
    if (state.stage == Stage::soak && state.direction == Direction::forward && state.not_until) {
      return {
          at_phase("timer", "the soak of phase " + plan.phases[state.phase].name, state.not_until)};
    }
    return {};
  }
  // What two people are about to agree on, and what the house says to everybody.
  void put_house(std::vector<WaitsFor>& all) const {
    if (auto const& asked = state.override_asked; asked && now < asked->until) {
      auto const& phase = plan.phases[state.phase].name;
      all.push_back(at_phase("countersign",
                             "an override is asked for by " + in_a_line(asked->by) + ": " +
                                 in_a_line(asked->why) + "; for a second person: " +
                                 command(facts, "countersign", "--phase " + shell_word(phase)),
                             asked->until));
    }
    bool const begins = state.mode == RunMode::pending ||
                        (state.mode == RunMode::waiting && state.stage == Stage::gate);
    if (auto const& window = facts.house.window;
        window && begins && !gate_is_overridden(state, now)) {
      all.push_back({.kind = "window", .message = window->why, .until = window->opens});
    }
    if (auto const& hold = facts.house.hold; hold && state.direction == Direction::forward) {
      all.push_back({.kind = "hold",
                     .message = in_a_line(to_text(*hold)) + "; to lift it: runbookctl hold lift",
                     .until = hold->until});
    }
  }
  std::vector<WaitsFor> stopping() const {
    auto const ref = step_at_hand(facts);
    if (!ref || !state.trying) {
      return {};
    }
    auto const what = state.interrupt ? "the interruption of step " : "a safe point of step ";
    return {at_step("safe_point", *ref, what + plan.label(*ref))};
  }
};

std::vector<WaitsFor> waits_by_itself(RunFacts const& facts, Waiting const& waiting) {
  switch (facts.state->mode) {
    case RunMode::pending:
      return {facts.state->store_behind ? waiting.give_up() : waiting.start()};
    case RunMode::running:
      return waiting.running();
    case RunMode::waiting:
      return waiting.person();
    case RunMode::pausing:
    case RunMode::cancelling:
      return waiting.stopping();
    case RunMode::paused:
      return {facts.state->store_behind ? waiting.give_up() : waiting.resume()};
    case RunMode::failed:
      return waiting.failed();
    case RunMode::attention:
      return waiting.attention();
    case RunMode::succeeded:
    case RunMode::rolled_back:
    case RunMode::cancelled:
      return {};
  }
  __builtin_unreachable();
}

}  // namespace

std::vector<WaitsFor> waits_of(RunFacts const& facts, Moment now) {
  Waiting const waiting{.facts = facts, .now = now};
  auto all = waits_by_itself(facts, waiting);
  auto const mode = facts.state->mode;
  if (mode == RunMode::pending || mode == RunMode::waiting || mode == RunMode::paused ||
      mode == RunMode::failed) {
    waiting.put_house(all);
  }
  return all;
}

}  // namespace runbookd::planner::view
