#include "daemon/documents.h"

#include <array>

#include <nlohmann/json.hpp>

#include "planner/view.h"

namespace runbookd::daemon {
namespace {

using nlohmann::json;

std::string text_of(json const& document) {
  return document.dump(-1, ' ', false, json::error_handler_t::replace);
}

json shown(planner::Hold const& hold) {
  return {{"reason", hold.reason},
          {"by", hold.by},
          {"since", planner::to_rfc3339(hold.since)},
          {"until", hold.until ? json(planner::to_rfc3339(*hold.until)) : json()}};
}

void add_cursor(json& document, std::string const& next_cursor) {
  if (!next_cursor.empty()) {
    document["next_cursor"] = next_cursor;
  }
}

}  // namespace

std::string about_json(std::string const& version, std::string const& store_id,
                       std::vector<std::pair<std::string, std::string>> const& targets,
                       planner::Moment now, std::optional<planner::Hold> const& hold) {
  json document{{"name", "runbookd"},
                {"version", version},
                {"store", store_id},
                {"time", planner::to_rfc3339(now)},
                {"targets", json::array()},
                {"links", {{"runs", "/api/v1/runs"}, {"plans", "/api/v1/plans"}}}};
  document["hold"] =
      hold ? json{{"reason", hold->reason},
                  {"by", hold->by},
                  {"since", planner::to_rfc3339(hold->since)},
                  {"until", hold->until ? json(planner::to_rfc3339(*hold->until)) : json()}}
           : json();
  for (auto const& [name, description] : targets) {
    document["targets"].push_back({{"name", name}, {"description", description}});
  }
  return text_of(document);
}

std::string readiness_json(bool ready, std::vector<ReadinessCheck> const& checks) {
  json document{{"ready", ready}, {"checks", json::array()}};
  for (auto const& check : checks) {
    json entry{{"name", check.name}, {"ok", check.ok}};
    if (!check.detail.empty()) {
      entry["detail"] = check.detail;
    }
    document["checks"].push_back(std::move(entry));
  }
  return text_of(document);
}

std::string hold_json(std::optional<planner::Hold> const& hold, bool recorded) {
  auto document = hold ? shown(*hold) : json::object();
  document["active"] = hold.has_value();
  if (hold) {
    document["recorded"] = recorded;
    document["next"] = "runbookctl hold lift";
  }
  return text_of(document);
}

std::string tried_json(std::string const& snapshot, std::string_view would_be) {
  auto document = json::parse(snapshot);
  document["dry_run"] = true;
  document["would_be"] = would_be;
  return text_of(document);
}

std::string backup_json(BackupFacts const& backup) {
  constexpr std::array states{"none", "running", "done", "failed"};
  return text_of({{"state", states.at(static_cast<std::size_t>(backup.state))},
                  {"file", backup.file},
                  {"pages", backup.pages},
                  {"pages_left", backup.pages_left},
                  {"detail", backup.detail},
                  {"next", backup.next}});
}

std::string uploaded_json(planner::Plan const& plan, planner::PlanDigest const& digest,
                          bool created, planner::Findings const& findings) {
  json document{{"digest", digest.text},
                {"name", plan.name},
                {"title", plan.title},
                {"created", created},
                {"findings", json::parse(planner::findings_json(findings))}};
  return text_of(document);
}

std::string validation_json(planner::Findings const& findings) {
  json document{{"valid", !planner::has_error(findings)},
                {"findings", json::parse(planner::findings_json(findings))}};
  return text_of(document);
}

std::string plan_list_json(std::vector<store::StoredPlan> const& plans,
                           std::string const& next_cursor) {
  json document{{"plans", json::array()}};
  for (auto const& plan : plans) {
    document["plans"].push_back({{"digest", plan.digest.text},
                                 {"name", plan.name},
                                 {"title", plan.title},
                                 {"stored_at", planner::to_rfc3339(plan.stored)},
                                 {"stored_by", plan.actor}});
  }
  add_cursor(document, next_cursor);
  return text_of(document);
}

std::string plan_diff_json(planner::PlanDigest const& plan, planner::PlanDigest const& against,
                           std::vector<std::string> const& changes) {
  json document{{"digest", plan.text}, {"against", against.text}, {"changes", json::array()}};
  for (auto const& change : changes) {
    document["changes"].push_back(json::parse(change));
  }
  return text_of(document);
}

std::string run_list_json(std::vector<store::RunSummary> const& runs,
                          std::string const& next_cursor) {
  json document{{"runs", json::array()}};
  for (auto const& run : runs) {
    document["runs"].push_back({{"run", run.id.text},
                                {"plan", {{"digest", run.plan.text}, {"name", run.plan_name}}},
                                {"target", run.target},
                                {"state", run.state},
                                {"direction", run.direction},
                                {"phase", run.phase},
                                {"step", run.step},
                                {"state_message", run.message},
                                {"revision", run.revision},
                                {"created_at", planner::to_rfc3339(run.created)},
                                {"created_by", run.created_by},
                                {"changed_at", planner::to_rfc3339(run.changed)}});
  }
  add_cursor(document, next_cursor);
  return text_of(document);
}

}  // namespace runbookd::daemon
