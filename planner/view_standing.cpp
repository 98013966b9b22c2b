#include "planner/view_standing.h"

#include <nlohmann/json.hpp>

#include "planner/run_rules.h"
#include "planner/view_fill.h"
#include "planner/view_parts.h"
#include "planner/view_words.h"

namespace runbookd::planner::view {
namespace {

bool is_open(RunState const& state, StepRef ref) {
  switch (state.at(ref).status) {
    case StepStatus::running:
    case StepStatus::failed:
    case StepStatus::interrupted:
    case StepStatus::unknown:
    case StepStatus::reverting:
    case StepStatus::revert_failed:
      return true;
    case StepStatus::pending:
    case StepStatus::succeeded:
    case StepStatus::reverted:
      return state.mode == RunMode::failed;  // it could not even begin
    case StepStatus::skipped:
      return false;
  }
  __builtin_unreachable();
}

bool is_active(RunMode mode) {
  return mode == RunMode::running || mode == RunMode::pausing || mode == RunMode::cancelling;
}

std::string default_activity(Action const& action) {
  return std::holds_alternative<BackfillAction>(action) ? "backfilling" : "executing";
}

std::string trying_words(RunFacts const& facts, StepRef ref, Moment now) {
  auto const who = step_subject(facts, ref);
  if (waits_for_lock(facts.live)) {
    return lock_words(who, facts.live);
  }
  if (facts.live.progress) {
    return fill_words(who, facts.live, now);
  }
  auto const tries = tries_of_late(attempts_of(facts, ref));
  auto const filled = filled_by(tries);
  bool const back = facts.state->direction == Direction::backward;
  // the numbers go on from the way there, as in the events
  return who + " is being carried out, attempt " + std::to_string(facts.state->at(ref).attempts) +
         (back ? " of this step" : "") +
         (filled ? ", from " + progress_words(*filled) + " on" : "");
}

std::string back_off_words(RunFacts const& facts, StepRef ref) {
  auto const& attempts = attempts_of(facts, ref);
  auto const who = step_subject(facts, ref) + " did not get its lock";
  auto const held = attempts.empty() || attempts.back().blockers.empty()
                        ? ""
                        : " (held by " + blocker_words(attempts.back().blockers.front()) + ")";
  return who + held + "; the next try is at " + to_rfc3339(*facts.state->not_until);
}

std::string step_words(RunFacts const& facts, StepRef ref, Moment now) {
  auto const& state = *facts.state;
  if (state.trying) {
    return trying_words(facts, ref, now);
  }
  bool const on_target = runs_on_target(action_of(*facts.plan, ref, state.direction));
  if (state.not_until) {
    return on_target ? back_off_words(facts, ref)
                     : step_subject(facts, ref) + " waits until " + to_rfc3339(*state.not_until);
  }
  return "about to begin " + step_subject(facts, ref) + " again";
}

// Nobody has to be called: once the target answers, the run moves without a person.
bool goes_on_by_itself(RunFacts const& facts) {
  bool const waits_after_restart =
      facts.state->restarted && facts.plan->on_restart != OnRestart::resume;
  return facts.state->mode == RunMode::running && !waits_after_restart;
}

std::string doubt_words(RunFacts const& facts, StepRef ref, Moment now) {
  auto const& state = *facts.state;
  auto const what = "finding out how " + step_subject(facts, ref) + " ended";
  auto const so_far = and_so_far(filled_by(tries_of_late(attempts_of(facts, ref))));
  bool const later = state.ask_doubt_at && *state.ask_doubt_at > now;
  if (later) {
    auto const why = facts.history->problem.empty() ? what : facts.history->problem;
    return why + so_far + "; asked again at " + to_rfc3339(*state.ask_doubt_at) +
           (goes_on_by_itself(facts) ? ", and the run goes on by itself once that is answered"
                                     : "");
  }
  return (facts.live.orphan.empty() ? what : what + ": " + facts.live.orphan) + so_far;
}

std::string soak_words(RunFacts const& facts) {
  auto const who = "phase " + facts.plan->phases[facts.state->phase].name;
  auto const until = facts.state->not_until;
  return until ? who + " soaks until " + to_rfc3339(*until) : who + " is about to soak";
}

// Large tables make such checks long: people see that they run again, and why.
std::string requirements_words(RunFacts const& facts) {
  auto const index = facts.state->phase;
  auto const phase = "phase " + facts.plan->phases[index].name;
  auto const count = std::ssize(checks_of(*facts.plan, CheckStage::requirements, index));
  auto const own = std::ssize(facts.plan->phases[index].requirements);
  if (count == own) {
    return "checking what " + phase + " requires";
  }
  return "checking again what phase " + facts.plan->phases[index - 1].name + " has shown" +
         (own > 0 ? ", and what " + phase + " requires" : "") + ": " + count_words(count, "check") +
         " before " + phase + " begins";
}

std::string stage_words(RunFacts const& facts) {
  auto const phase = "phase " + facts.plan->phases[facts.state->phase].name;
  switch (facts.state->stage) {
    case Stage::baselines:
      return "recording the baselines";
    case Stage::gate:
      return "at the gate before " + phase;
    case Stage::requirements:
      return requirements_words(facts);
    case Stage::validation:
      return "validating " + phase;
    case Stage::soak:
      return soak_words(facts);
    case Stage::final_checks:
      return "running the final checks";
    case Stage::steps:
    case Stage::done:
      return "working on " + phase;
  }
  __builtin_unreachable();
}

}  // namespace

std::optional<StepRef> step_at_hand(RunFacts const& facts) {
  auto const& current = facts.state->current;
  bool const there = current && known(*facts.plan, *current) && is_open(*facts.state, *current);
  return there ? current : std::nullopt;
}

std::string activity_of(RunFacts const& facts) {
  auto const& state = *facts.state;
  auto const ref = step_at_hand(facts);
  if (!ref) {
    return "";
  }
  auto const& action = action_of(*facts.plan, *ref, state.direction);
  if (state.mode == RunMode::waiting) {
    return "by_hand";
  }
  if (!is_active(state.mode)) {
    return "";
  }
  if (state.in_doubt) {
    return "resolving_doubt";
  }
  if (!facts.live.unreachable.empty()) {
    return "connecting";
  }
  if (state.trying) {
    return facts.live.activity.empty() ? default_activity(action) : facts.live.activity;
  }
  if (state.not_until) {
    return runs_on_target(action) ? "backing_off" : "waiting";
  }
  return state.mismatch ? "verifying" : "";
}

bool waits_for_lock(Live const& live) {
  return live.waiting > Duration{} || !live.blockers.empty();
}

std::string step_subject(RunFacts const& facts, StepRef ref) {
  auto const label = "step " + facts.plan->label(ref);
  return facts.state->direction == Direction::forward ? label : "the reversal of " + label;
}

std::string lock_words(std::string const& subject, Live const& live) {
  auto const probing = live.activity == "probing_lock"
                           ? std::string("; not queued: nobody waits behind us")
                           : std::string();
  auto text = subject + " waits for a lock";
  if (live.waiting > Duration{}) {
    text += " for " + to_text(live.waiting);
  }
  if (live.blockers.empty()) {
    return text + probing;
  }
  auto const& first = live.blockers.front();
  auto const others = std::ssize(live.blockers) - 1;
  text += first.relation.empty() ? "" : " on " + in_a_line(first.relation, 130);
  text += ", held by " + blocker_words(first);
  return text + (others > 0 ? " and " + count_words(others, "other session") : "") + probing;
}

std::string fill_words(std::string const& subject, Live const& live, Moment now) {
  auto const& progress = *live.progress;
  auto const why = live.throttling ? throttle_words(*live.throttling, now) : "";
  return subject + " is filling in: " +
         progress_words({.scanned = progress.rows_scanned,
                         .changed = progress.rows_changed,
                         .total = progress.rows_total}) +
         (why.empty() ? "" : "; " + why);
}

std::string command(RunFacts const& facts, std::string const& verb, std::string const& rest) {
  return "runbookctl " + verb + " " + shell_word(facts.id.text) + (rest.empty() ? "" : " " + rest);
}

namespace {

std::string work_words(RunFacts const& facts, Moment now) {
  auto const& state = *facts.state;
  auto const ref = step_at_hand(facts);
  if (ref && state.in_doubt) {
    return doubt_words(facts, *ref, now);
  }
  if (ref && state.mismatch) {
    return "looking at the schema again after the reversal of step " + facts.plan->label(*ref);
  }
  if (ref) {
    return step_words(facts, *ref, now);
  }
  if (auto const next = next_step(*facts.plan, state)) {
    return "about to begin " + step_subject(facts, *next);
  }
  return state.direction == Direction::forward ? stage_words(facts) : "finishing the rollback";
}

}  // namespace

std::string running_words(RunFacts const& facts, Moment now) {
  auto const words = work_words(facts, now);
  auto const& why = facts.live.unreachable;
  return why.empty() ? words : words + "; waiting for the target, for a minute at most: " + why;
}

}  // namespace runbookd::planner::view
