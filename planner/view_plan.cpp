// Plans and findings.
#include <algorithm>

#include <nlohmann/json.hpp>

#include "planner/lint.h"
#include "planner/view_parts.h"

namespace runbookd::planner {
namespace {

using view::Json;

Json step_outline(Step const& step) {
  Json object{{"name", step.name},
              {"kind", kind_of(step.forward)},
              {"reversible", step.reversible()},
              {"skippable", step.skippable},
              {"forward", view::action_json(step.forward)},
              {"backward", step.reversible() ? view::action_json(step.backward) : Json()}};
  if (!step.reversible()) {
    object["irreversible_reason"] = step.irreversible;
  }
  return object;
}

Json phase_outline(Phase const& phase) {
  auto steps = Json::array();
  std::ranges::transform(phase.steps, std::back_inserter(steps), step_outline);
  return {{"name", phase.name},
          {"kind", to_text(phase.kind)},
          {"goal", phase.goal},
          {"steps", std::move(steps)}};
}

}  // namespace

Json view::findings_list(Findings const& findings) {
  auto list = Json::array();
  std::ranges::transform(findings, std::back_inserter(list), finding_json);
  return list;
}

std::string plan_json(Plan const& plan, PlanDigest const& digest, std::string const& canonical) {
  return plan_json(plan, digest, canonical, lint(plan));
}

std::string plan_json(Plan const& plan, PlanDigest const& digest, std::string const& canonical,
                      Findings const& findings) {
  auto phases = Json::array();
  std::ranges::transform(plan.phases, std::back_inserter(phases), phase_outline);
  auto document = Json::parse(canonical, nullptr, false);
  return view::dumped({{"digest", digest.text},
                       {"name", plan.name},
                       {"title", plan.title},
                       {"findings", view::findings_list(findings)},
                       {"phases", std::move(phases)},
                       {"plan", document.is_discarded() ? Json() : std::move(document)}});
}

std::string findings_json(Findings const& findings) {
  return view::dumped(view::findings_list(findings));
}

}  // namespace runbookd::planner
