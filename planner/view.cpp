// The snapshot of a run: one document that says everything at once.
#include "planner/view.h"

#include <algorithm>
#include <sstream>

#include <nlohmann/json.hpp>

#include "planner/run_rules.h"
#include "planner/verb_rights.h"
#include "planner/view_parts.h"
#include "planner/view_people.h"
#include "planner/view_standing.h"
#include "planner/view_words.h"

namespace runbookd::planner {
namespace {

using view::Json;

Json current_json(RunFacts const& facts) {
  auto const ref = view::step_at_hand(facts);
  if (!ref || is_final(facts.state->mode)) {
    return nullptr;
  }
  return {{"phase", facts.plan->phases[ref->phase].name},
          {"step", facts.plan->step(*ref).name},
          {"attempt", facts.state->at(*ref).attempts},
          {"activity", view::activity_of(facts)},
          {"direction", view::word(facts.state->direction)}};
}

Json waiting_json(RunFacts const& facts, Moment now) {
  auto list = Json::array();
  for (auto const& wait : view::waits_of(facts, now)) {
    Json item{{"kind", wait.kind}, {"message", wait.message}};
    if (!wait.phase.empty()) {
      item["phase"] = wait.phase;
    }
    if (!wait.step.empty()) {
      item["step"] = wait.step;
    }
    if (wait.until) {
      item["until"] = view::time_json(*wait.until);
    }
    list.push_back(std::move(item));
  }
  return list;
}

Json actions_json(RunFacts const& facts, Moment now) {
  auto object = Json::object();
  auto const verbs = facts.caller == nullptr
                         ? actions(*facts.plan, *facts.state, now, "", facts.house)
                         : actions_for(*facts.caller, facts.history->target, *facts.plan,
                                       *facts.state, now, facts.house);
  for (auto const& verb : verbs) {
    auto& entry = object[verb.verb];
    entry["allowed"] = verb.allowed;
    if (!verb.allowed) {
      entry["why_not"] = verb.why_not;
    }
  }
  return object;
}

Json baselines_json(History const& history) {
  auto object = Json::object();
  for (auto const& [name, cell] : history.baselines) {
    object[name] = cell ? Json(*cell) : Json();
  }
  return object;
}

Json progress_of_steps(RunState const& state) {
  std::int64_t done = 0;
  std::int64_t total = 0;
  for (auto const& phase : state.steps) {
    done += std::ranges::count_if(phase, forward_done);
    total += std::ssize(phase);
  }
  return {{"steps_done", done}, {"steps_total", total}};
}

Json mismatch_json(RunFacts const& facts) {
  Json object{{"expected", facts.history->mismatch_expected},
              {"actual", facts.history->mismatch_actual},
              {"diff", facts.live.mismatch_diff}};
  if (facts.state->current && known(*facts.plan, *facts.state->current)) {
    object["phase"] = facts.plan->phases[facts.state->current->phase].name;
    object["step"] = facts.plan->step(*facts.state->current).name;
  }
  return object;
}

// The failure that the run stands at, or that its last rollback was begun after.
std::string failed_because(RunFacts const& facts) {
  bool const failed = facts.state->mode == RunMode::failed && !facts.history->problem.empty();
  return view::valid_utf8(failed ? facts.history->problem : facts.history->cause);
}

// What belongs to that failure and is no sentence, such as commands: each is a line of its own.
Json details_json(RunFacts const& facts) {
  Json lines = Json::array();
  std::istringstream text(view::valid_utf8(facts.history->details));
  for (std::string line; std::getline(text, line);) {
    lines.push_back(line);
  }
  return lines;
}

// The first step that no rollback takes back: in front of it all of the run can be undone.
Json no_return_json(RunFacts const& facts) {
  auto const& plan = *facts.plan;
  for (int p = 0; p < std::ssize(plan.phases); ++p) {
    for (int s = 0; s < std::ssize(plan.phases[p].steps); ++s) {
      StepRef const ref{.phase = p, .step = s};
      if (auto const& step = plan.step(ref); !step.reversible()) {
        return {{"phase", plan.phases[p].name},
                {"step", step.name},
                {"reason", step.irreversible},
                {"passed", executed(facts.state->at(ref))}};
      }
    }
  }
  return nullptr;
}

Json holder_json(ClaimHolder const& holder) {
  return {{"host", view::valid_utf8(holder.host)},
          {"pid", holder.pid},
          {"since", holder.since},
          {"session_pid", holder.session == 0 ? Json() : Json(holder.session)}};
}

Json head_json(RunFacts const& facts) {
  auto const& plan = *facts.plan;
  auto const& state = *facts.state;
  auto const& history = *facts.history;
  return {{"run", facts.id.text},
          {"plan", {{"digest", history.digest.text}, {"name", plan.name}, {"title", plan.title}}},
          {"target", history.target},
          {"state", to_text(state.mode)},
          {"direction", view::word(state.direction)},
          {"stage", to_text(state.stage)},
          {"revision", history.revision},
          {"created_at", view::time_json(history.created)},
          {"created_by", history.creator},
          {"changed_at", view::time_json(history.last_change)},
          {"note", history.note},
          {"state_since", view::time_json(history.state_since)},
          {"last_actor", history.last_actor},
          {"last_reason", history.last_reason},
          {"store_degraded", facts.live.store_degraded}};
}

}  // namespace

std::string run_json(RunFacts const& facts, Moment now) {
  auto document = head_json(facts);
  document["state_message"] = state_message(facts, now);
  document["waiting_on"] = waiting_json(facts, now);
  document["current"] = current_json(facts);
  document["actions"] = actions_json(facts, now);
  document["phases"] = view::phases_json(facts);
  document["final_checks"] = view::final_checks_json(facts);
  document["baselines"] = baselines_json(*facts.history);
  document["target_findings"] = view::findings_list(facts.history->findings);
  document["progress"] = progress_of_steps(*facts.state);
  document["point_of_no_return"] = no_return_json(facts);
  document["live"] = view::live_json(facts.live, now);
  document["notes"] = view::notes_json(*facts.history);
  document["overrides"] = view::overrides_json(*facts.plan, *facts.history);
  document["override_asked"] = view::asked_override_json(facts, now);
  document["hold"] = facts.house.hold ? view::hold_json(*facts.house.hold) : Json();
  document["gate"] = facts.state->gate;
  document["phase"] = facts.plan->phases[facts.state->phase].name;
  if (auto const hand = facts.state->throttle.at(now)) {
    document["throttle"] = view::hand_json(*hand, now);
  }
  document["preflight"] =
      facts.live.preflight ? view::preflight_part(*facts.live.preflight) : Json();
  if (auto why = failed_because(facts); !why.empty()) {
    document["failed_because"] = std::move(why);
  }
  if (auto details = details_json(facts); !details.empty()) {
    document["details"] = std::move(details);
  }
  if (facts.state->mismatch) {
    document["mismatch"] = mismatch_json(facts);
  }
  if (facts.state->held_by) {
    document["target_held_by"] = holder_json(*facts.state->held_by);
  }
  if (facts.state->escalate_at) {
    document["escalate_at"] = view::time_json(*facts.state->escalate_at);
  }
  return view::dumped(document);
}

}  // namespace runbookd::planner
