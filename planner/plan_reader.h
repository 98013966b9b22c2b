// Text -> Plan, or every problem at once. Reads YAML and JSON alike (one model). Pure: the caller
// brings the files that `sql_file:` names, so that uploads and tests need no disk.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "planner/diagnostic.h"
#include "planner/plan.h"

namespace runbookd::planner {

// Gives the content of a file named beside the plan, or nothing if it cannot be read.
using FileLookup = std::function<std::optional<std::string>(std::string const& relative_path)>;

struct ReadPlan {
  std::optional<Plan> plan;  // empty when findings has an error
  Findings findings;         // sorted by place; reader errors, SQL errors, warnings
};

ReadPlan read_plan(std::string_view text, std::string const& file_name,
                   FileLookup const& lookup = {});

// One JSON document with sorted keys, defaults spelled out, sql_file and variables resolved.
// read_plan(canonical(plan)) gives the same plan and the same digest.
std::string canonical_json(Plan const& plan);
PlanDigest digest_of(std::string_view canonical);

}  // namespace runbookd::planner
