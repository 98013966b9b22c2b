// Finished JSON for what is neither a run nor a plan: lists, uploads, readiness.
#pragma once

#include <string>
#include <vector>

#include "daemon/backup_task.h"
#include "planner/diagnostic.h"
#include "planner/plan.h"
#include "store/store.h"

namespace runbookd::daemon {

struct ReadinessCheck {
  std::string name;
  bool ok = true;
  std::string detail;
};

std::string about_json(std::string const& version, std::string const& store_id,
                       std::vector<std::pair<std::string, std::string>> const& targets,
                       planner::Moment now, std::optional<planner::Hold> const& hold);
std::string readiness_json(bool ready, std::vector<ReadinessCheck> const& checks);
// Whether one stands; `recorded`: the store has it.
std::string hold_json(std::optional<planner::Hold> const& hold, bool recorded);
// A run's snapshot, and the state that a wish would have led to.
std::string tried_json(std::string const& snapshot, std::string_view would_be);
std::string backup_json(BackupFacts const& backup);
std::string uploaded_json(planner::Plan const& plan, planner::PlanDigest const& digest,
                          bool created, planner::Findings const& findings);
std::string validation_json(planner::Findings const& findings);
std::string plan_list_json(std::vector<store::StoredPlan> const& plans,
                           std::string const& next_cursor);
// `changes`: finished JSON objects.
std::string plan_diff_json(planner::PlanDigest const& plan, planner::PlanDigest const& against,
                           std::vector<std::string> const& changes);
std::string run_list_json(std::vector<store::RunSummary> const& runs,
                          std::string const& next_cursor);

}  // namespace runbookd::daemon
