// What a rollback would do, before anybody asks for it.
#include <algorithm>

#include <nlohmann/json.hpp>

#include "planner/run_rules.h"
#include "planner/view_back.h"
#include "planner/view_parts.h"
#include "planner/view_standing.h"
#include "planner/view_words.h"
#include "planner/words.h"

namespace runbookd::planner {
namespace {

using view::Json;

struct WayBack {
  Step const& step;
  Json& object;

  void operator()(NoAction const& action) const {
    bool const filled = std::holds_alternative<BackfillAction>(step.forward);
    auto const* stays = filled ? "the values that were filled in stay" : "nothing has to be undone";
    object["note"] = std::string(stays) + (action.reason.empty() ? "" : ": " + action.reason);
  }
  void operator()(SqlAction const& action) const { object["sql"] = action.source.text; }
  void operator()(BackfillAction const& action) const {
    object["sql"] = view::update_words(action);
    object["note"] = "in batches of about " + to_text(action.batch.target);
  }
  void operator()(ManualAction const& action) const { object["manual"] = action.text; }
  void operator()(AutoAction const&) const { object["note"] = written_later; }
  void operator()(WaitAction const& action) const {
    object["note"] = "waits " + to_text(action.duration);
  }
};

std::string begun_words(StepStatus status) {
  return status == StepStatus::succeeded ? "" : "; the step is " + std::string(to_text(status));
}

Json step_back_json(RunFacts const& facts, StepRef ref) {
  auto const& step = facts.plan->step(ref);
  auto const status = facts.state->at(ref).status;
  Json object{{"phase", facts.plan->phases[ref.phase].name},
              {"step", step.name},
              {"label", facts.plan->label(ref)},
              {"state", to_text(status)}};
  if (!step.reversible()) {
    object["kind"] = "irreversible";
    object["irreversible_reason"] = step.irreversible;
    object["note"] = "cannot be taken back: " + step.irreversible;
    return object;
  }
  object["kind"] = kind_of(step.backward);
  std::visit(WayBack{.step = step, .object = object}, step.backward);
  if (auto const begun = begun_words(status); !begun.empty()) {
    object["note"] = object.value("note", "what was begun is undone too") + begun;
  }
  if (auto const lost = view::destroyed_by(step); !lost.empty()) {
    auto const before = object.value("note", "");
    object["note"] = before + (before.empty() ? "" : "; ") + "the step destroyed " + joined(lost) +
                     ": back only as far as this brings it";
  }
  return object;
}

// Why the verb is refused as the run stands, and what comes first.
std::string first_of_all(RunFacts const& facts, RollBack const& ask, Moment now) {
  auto const& state = *facts.state;
  if (state.mismatch) {
    auto const label = facts.plan->label(*state.current);
    return "Refused now: step " + label +
           " is taken back already, but the schema is not what it was before it. Mend it and: " +
           view::command(facts, "retry", view::shell_word(label)) + "; or take it as it is: " +
           view::command(facts, "skip", view::shell_word(label) + " --reason TEXT") + ". Then: ";
  }
  auto const decided = decide(*facts.plan, state, if_asked(ask), now);
  return decided ? "" : "Refused now: " + decided.error().detail + ". Otherwise: ";
}

std::string afterwards(RunFacts const& facts, StepRef to, std::vector<StepRef> const& steps) {
  auto const& plan = *facts.plan;
  if (steps.empty()) {
    return "No executed step lies there: nothing would be taken back.";
  }
  auto const what =
      view::count_words(std::ssize(steps), "step") + " would be taken back, newest first; ";
  if (to == StepRef{}) {
    return what + "then the run is rolled back and ends.";
  }
  auto const where = to.step == 0 ? "the gate before phase " + view::phase_label(plan, to.phase)
                                  : "step " + view::step_label(plan, to);
  return what + "then the run is paused, and goes on from " + where + " with: runbookctl resume " +
         facts.id.text;
}

}  // namespace

Result<std::string> rollback_preview_json(RunFacts const& facts, RollBack const& ask, Moment now) {
  auto const target = rollback_target(*facts.plan, *facts.state, ask);
  if (!target) {
    return tl::unexpected(target.error());
  }
  auto const back = rollback_steps(*facts.plan, *facts.state, *target);
  if (!back) {
    return tl::unexpected(back.error());
  }
  auto const& to = *target;
  auto const& steps = *back;
  auto list = Json::array();
  for (auto const ref : steps) {
    list.push_back(step_back_json(facts, ref));
  }
  Json document{{"run", facts.id.text},
                {"steps", std::move(list)},
                {"message", (steps.empty() ? "" : first_of_all(facts, ask, now)) +
                                afterwards(facts, to, steps)}};
  if (known(*facts.plan, to)) {
    document["to"] = {{"phase", facts.plan->phases[to.phase].name},
                      {"step", facts.plan->step(to).name}};
  }
  return view::dumped(document);
}

}  // namespace runbookd::planner
