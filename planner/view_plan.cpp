// Plans, findings and the rows of lists.
#include <algorithm>

#include <nlohmann/json.hpp>

#include "planner/lint.h"
#include "planner/view_parts.h"

namespace runbookd::planner {
namespace {

using view::Json;

Json findings_list(Findings const& findings) {
  auto list = Json::array();
  std::ranges::transform(findings, std::back_inserter(list), view::finding_json);
  return list;
}

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

Json run_row(RunRow const& row) {
  return {
      {"run", row.id.text},         {"plan", {{"digest", row.plan.text}, {"name", row.plan_name}}},
      {"target", row.target},       {"state", row.state},
      {"direction", row.direction}, {"phase", row.phase},
      {"step", row.step},           {"state_message", row.message},
      {"revision", row.revision},   {"created_at", view::time_json(row.created)},
      {"created_by", row.creator},  {"changed_at", view::time_json(row.changed)}};
}

Json plan_row(PlanRow const& row) {
  return {{"digest", row.digest.text},
          {"name", row.name},
          {"title", row.title},
          {"uploaded_at", view::time_json(row.uploaded)},
          {"uploaded_by", row.uploaded_by}};
}

std::string page(char const* name, Json rows, std::string const& next_cursor) {
  auto document = Json::object();
  document[name] = std::move(rows);
  if (!next_cursor.empty()) {
    document["next_cursor"] = next_cursor;
  }
  return view::dumped(document);
}

}  // namespace

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
                       {"findings", findings_list(findings)},
                       {"phases", std::move(phases)},
                       {"plan", document.is_discarded() ? Json() : std::move(document)}});
}

std::string findings_json(Findings const& findings) {
  return view::dumped(findings_list(findings));
}

std::string validation_json(bool valid, Findings const& findings) {
  return view::dumped({{"valid", valid}, {"findings", findings_list(findings)}});
}

std::string runs_json(std::vector<RunRow> const& rows, std::string const& next_cursor) {
  auto list = Json::array();
  std::ranges::transform(rows, std::back_inserter(list), run_row);
  return page("runs", std::move(list), next_cursor);
}

std::string plans_json(std::vector<PlanRow> const& rows, std::string const& next_cursor) {
  auto list = Json::array();
  std::ranges::transform(rows, std::back_inserter(list), plan_row);
  return page("plans", std::move(list), next_cursor);
}

}  // namespace runbookd::planner
