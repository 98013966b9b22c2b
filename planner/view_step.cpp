// One step for people: what it is, how its tries went, and the ways there and back.
#include <algorithm>

#include <nlohmann/json.hpp>

#include "planner/run_rules.h"
#include "planner/view_fill.h"
#include "planner/view_parts.h"
#include "planner/view_words.h"

namespace runbookd::planner {
namespace view {
namespace {

using Tries = std::span<Attempt const>;

bool is_try(Attempt const& attempt) { return attempt.number > 0; }
bool has_ended(Attempt const& attempt) { return is_try(attempt) && attempt.result != "running"; }

// The tries of the last series: those before it that did not get their lock, and itself.
int tries_for_lock(Tries attempts) {
  int tries = 0;
  for (auto it = attempts.rbegin(); it != attempts.rend(); ++it) {
    if (!is_try(*it)) {
      continue;
    }
    if (tries > 0 && it->result != "retry_scheduled") {
      break;
    }
    ++tries;
  }
  return tries;
}

Duration in_all(Tries attempts, Duration Attempt::* part) {
  Duration sum{};
  for (auto const& attempt : attempts) {
    sum += attempt.*part;
  }
  return sum;
}

void add_last_end(Json& step, Tries attempts) {
  auto const last = std::find_if(attempts.rbegin(), attempts.rend(), has_ended);
  bool const none = last == attempts.rend();
  step["duration_ms"] = none ? Json() : Json(in_all(attempts, &Attempt::took).count());
  step["rows"] = none || last->rows < 0 ? Json() : Json(last->rows);
  if (auto const filled = filled_by(attempts)) {
    bool const whole = !none && last->result == "succeeded";
    step["rows"] = filled->changed;
    step["backfill"] = filled_json(*filled, whole);
  }
}

// What a person has to do in the direction that the run goes.
std::string manual_text(RunFacts const& facts, StepRef ref) {
  bool const back = facts.state->direction == Direction::backward && executed(facts.state->at(ref));
  auto const& action = action_of(*facts.plan, ref, back ? Direction::backward : Direction::forward);
  auto const* manual = std::get_if<ManualAction>(&action);
  return manual != nullptr ? manual->text : "";
}

bool is_well(StepStatus status) {
  return status == StepStatus::pending || status == StepStatus::succeeded ||
         status == StepStatus::reverted;
}

std::string line_of(Attempt const& attempt) {
  if (attempt.result == "succeeded") {
    return in_a_line(attempt.note);
  }
  if (attempt.failure) {
    return failure_words(*attempt.failure) + and_so_far(attempt.filled);
  }
  if (attempt.result == "accepted") {
    return in_a_line(attempt.note) + person_words(attempt.actor, attempt.reason);
  }
  if (attempt.result == "skipped") {
    return (attempt.direction == Direction::forward ? "skipped" : "left standing") +
           person_words(attempt.actor, attempt.reason);
  }
  if (attempt.result == "mismatch") {
    return "taken back, but the schema is not what it was before the step";
  }
  return in_a_line(attempt.note) + and_so_far(attempt.filled);
}

}  // namespace

std::vector<Attempt> const& attempts_of(RunFacts const& facts, StepRef ref) {
  static std::vector<Attempt> const none;
  auto const& all = facts.history->attempts;
  bool const there = ref.phase < std::ssize(all) && ref.step < std::ssize(all[ref.phase]);
  return there ? all[ref.phase][ref.step] : none;
}

std::string step_message(RunFacts const& facts, StepRef ref) {
  if (is_well(facts.state->at(ref).status)) {
    return "";
  }
  auto const& attempts = attempts_of(facts, ref);
  auto const tries = tries_of_late(attempts);
  // what came of the way there is not said of the way back; what was left out came after the tries
  auto const turn =
      tries.empty() ? attempts.rend() : attempts.rend() - (tries.data() - attempts.data());
  auto const told =
      std::find_if(attempts.rbegin(), turn, [](Attempt const& a) { return a.result != "running"; });
  return told == turn ? "" : line_of(*told);
}

Json step_summary(RunFacts const& facts, StepRef ref) {
  auto const& step = facts.plan->step(ref);
  auto const& state = facts.state->at(ref);
  auto const tries = tries_of_late(attempts_of(facts, ref));
  // field by field: a brace list of pairs costs twice the time, and a plan may have a thousand
  // steps
  Json object = Json::object();
  object["name"] = step.name;
  object["kind"] = kind_of(step.forward);
  object["state"] = to_text(state.status);
  object["kept"] = state.kept;
  object["attempts"] = state.attempts;
  // what follows is of the way that the step went last: there, or back
  object["direction"] = word(tries.empty() ? Direction::forward : tries.front().direction);
  object["tries"] = count_of(tries);
  object["tries_for_lock"] = tries_for_lock(tries);
  object["lock_wait_ms"] = in_all(tries, &Attempt::lock_wait).count();
  object["reversible"] = step.reversible();
  object["skippable"] = step.skippable;
  add_last_end(object, tries);
  if (!step.reversible()) {
    object["irreversible_reason"] = step.irreversible;
  }
  if (auto message = step_message(facts, ref); !message.empty()) {
    object["message"] = std::move(message);
  }
  if (auto text = manual_text(facts, ref); !text.empty()) {
    object["manual"] = std::move(text);
  }
  return object;
}

}  // namespace view

std::string steps_json(RunFacts const& facts) {
  auto steps = view::Json::array();
  for (int p = 0; p < std::ssize(facts.plan->phases); ++p) {
    for (int i = 0; i < std::ssize(facts.plan->phases[p].steps); ++i) {
      auto step = view::step_summary(facts, {.phase = p, .step = i});
      step["phase"] = facts.plan->phases[p].name;
      steps.push_back(std::move(step));
    }
  }
  return view::dumped({{"run", facts.id.text}, {"steps", std::move(steps)}});
}

std::string step_json(RunFacts const& facts, StepRef ref) {
  auto const& step = facts.plan->step(ref);
  auto attempts = view::Json::array();
  std::ranges::transform(view::attempts_of(facts, ref), std::back_inserter(attempts),
                         view::attempt_json);
  auto object = view::step_summary(facts, ref);
  object["run"] = facts.id.text;
  object["phase"] = facts.plan->phases[ref.phase].name;
  object["label"] = facts.plan->label(ref);
  object["description"] = step.description;
  object["forward"] = view::action_json(step.forward);
  object["backward"] = step.reversible() ? view::action_json(step.backward) : view::Json();
  object["attempt_count"] = object["attempts"];
  object["attempts"] = std::move(attempts);
  return view::dumped(object);
}

std::string attempts_json(RunFacts const& facts, StepRef ref) {
  auto attempts = view::Json::array();
  std::ranges::transform(view::attempts_of(facts, ref), std::back_inserter(attempts),
                         view::attempt_json);
  return view::dumped({{"run", facts.id.text},
                       {"phase", facts.plan->phases[ref.phase].name},
                       {"step", facts.plan->step(ref).name},
                       {"attempts", std::move(attempts)}});
}

}  // namespace runbookd::planner
