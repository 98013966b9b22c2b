// The one sentence: how the run stands, what it waits for, and the command that moves it.
#include <algorithm>

#include <nlohmann/json.hpp>

#include "planner/run_rules.h"
#include "planner/view_back.h"
#include "planner/view_fill.h"
#include "planner/view_parts.h"
#include "planner/view_standing.h"
#include "planner/view_words.h"

namespace runbookd::planner {
namespace {

int count_steps(RunState const& state, auto const& wanted) {
  int count = 0;
  for (auto const& phase : state.steps) {
    count += static_cast<int>(std::ranges::count_if(phase, wanted));
  }
  return count;
}

bool is_skipped(StepState const& step) { return step.status == StepStatus::skipped && !step.kept; }

struct Message {
  RunFacts const& facts;
  Moment now;
  Plan const& plan = *facts.plan;
  RunState const& state = *facts.state;
  History const& history = *facts.history;

  // "…; to go on: runbookctl resume run_…"
  std::string with_waits(std::string text) const {
    for (auto const& wait : view::waits_of(facts, now)) {
      text += (text.empty() ? "" : "; ") + wait.message;
    }
    return text;
  }
  // Some end in a statement with its semicolon; what is said next brings its own.
  std::string problem_or(std::string const& otherwise) const {
    auto text = history.problem.empty() ? otherwise : history.problem;
    text.erase(text.find_last_not_of(';') + 1);
    return text;
  }

  std::string waiting() const {
    bool const at_gate = state.stage == Stage::gate && state.direction == Direction::forward;
    bool const after_another = at_gate && state.phase > 0;
    auto text =
        with_waits(after_another ? "phase " + plan.phases[state.phase - 1].name + " is done" : "");
    // time alone keeps the gate shut: say what opens it then
    if (at_gate && !text.ends_with(entering()) && !waits_for_approval()) {
      text += "; then: " + entering();
    }
    return text;
  }
  std::string entering() const {
    return view::command(facts, "advance",
                         "--to " + view::shell_word(plan.phases[state.phase].name));
  }
  bool waits_for_approval() const {
    auto const waits = view::waits_of(facts, now);
    return std::ranges::any_of(waits, [](auto const& wait) { return wait.kind == "approval"; });
  }
  std::string running() const {
    bool const back = state.direction == Direction::backward;
    return with_throttle((back ? view::rolling_back_words(history) + "; " : "") +
                         view::running_words(facts, now));
  }
  // A person's word holds also while nothing can be seen of it: at rest, or where it lets go.
  std::string with_throttle(std::string const& text) const {
    auto const hand = state.throttle.at(now);
    if (!hand) {
      return text;
    }
    auto const words = hand_words(*hand, now);
    auto const told = text.find(words) != std::string::npos ? text : text + "; throttle: " + words;
    bool const returns = hand->until && state.throttle.standing;
    return returns ? told + "; after that: " + hand_words(*state.throttle.standing, now) : told;
  }
  std::string stopping(std::string const& word) const {
    auto text = word + history.because + "; ";
    if (state.in_doubt || !state.trying) {
      return text + view::running_words(facts, now);
    }
    auto const label = plan.label(*state.current);
    if (state.interrupt) {
      return text + "interrupting step " + label;
    }
    text += "waiting for a safe point of step " + label;
    if (state.escalate_at) {
      text += ", which is interrupted at " + to_rfc3339(*state.escalate_at);
    }
    return text + "; to stop at once: " + view::command(facts, "pause", "--now");
  }
  std::string standing() const {
    auto const ref = view::step_at_hand(facts);
    if (ref && state.in_doubt) {
      auto const filled = view::filled_by(view::tries_of_late(view::attempts_of(facts, *ref)));
      return "; how step " + plan.label(*ref) + " ended is not known yet" +
             view::and_so_far(filled);
    }
    if (ref && state.at(*ref).status == StepStatus::interrupted) {
      auto const filled = view::filled_by(view::tries_of_late(view::attempts_of(facts, *ref)));
      return "; " + view::step_subject(facts, *ref) + " was interrupted" +
             view::and_so_far(filled) + (filled ? ", and it goes on from there" : "");
    }
    return "";
  }
  std::string in_rollback() const {
    return state.direction == Direction::backward ? view::rollback_begun(history) : "";
  }
  std::string held() const {
    return state.held_by ? "; another daemon has claimed the target: " +
                               view::in_a_line(holder_words(*state.held_by))
                         : "";
  }
  std::string failed() const {
    return with_waits(with_throttle(problem_or("the run failed") + in_rollback() + held()));
  }
  std::string paused() const {
    auto const why = history.problem.empty() ? history.because : ": " + problem_or("");
    return with_waits(with_throttle("paused" + why + in_rollback() + standing()));
  }
  std::string cancelled() const {
    auto const stays = executed_anything(state) ? "; what was done stays as it is" : "";
    auto const doubt = state.in_doubt && !history.problem.empty() ? "; " + history.problem : "";
    return "cancelled" + history.because + doubt + stays;
  }
  std::string succeeded() const {
    auto const all = count_steps(state, [](auto const&) { return true; });
    auto const skipped = count_steps(state, is_skipped);
    return (all == 1 ? "the only step is done" : "all " + std::to_string(all) + " steps are done") +
           (skipped == 0 ? "" : ", " + std::to_string(skipped) + " of them skipped");
  }
  std::string rolled_back() const {
    return view::taken_back_words(plan, state, {}) + view::rollback_begun(history);
  }

  std::string text() const {
    switch (state.mode) {
      case RunMode::pending:
        return with_waits(problem_or("not started yet"));
      case RunMode::running:
        return running();
      case RunMode::waiting:
        return waiting();
      case RunMode::pausing:
        return stopping("pausing");
      case RunMode::paused:
        return paused();
      case RunMode::failed:
        return failed();
      case RunMode::attention:
        return with_waits(problem_or("nobody knows how a step ended"));
      case RunMode::cancelling:
        return stopping("cancelling");
      case RunMode::succeeded:
        return succeeded();
      case RunMode::rolled_back:
        return rolled_back();
      case RunMode::cancelled:
        return cancelled();
    }
    __builtin_unreachable();
  }
};

}  // namespace

std::string state_message(RunFacts const& facts, Moment now) {
  bool const stuck = facts.live.store_degraded && !is_final(facts.state->mode);
  auto const text = Message{.facts = facts, .now = now}.text();
  return view::valid_utf8(
      stuck ? "the daemon cannot write to its store, so nothing goes forward until it can; " + text
            : text);
}

}  // namespace runbookd::planner
