// What another version of a plan does differently, step by step. Pure.
#pragma once

#include <string>
#include <vector>

#include "planner/plan.h"

namespace runbookd::planner {

struct DiffLine {
  char sign = ' ';  // '-' only before, '+' only after, ' ' both
  std::string text;
  bool operator==(DiffLine const&) const = default;
};
struct PlanChange {
  enum class Kind { added, removed, moved, changed } kind = Kind::changed;
  std::string place;  // "step expand/add-column", "check expand/nothing-left", "overview"
  std::string key;    // of a change: "sql", "rollback.sql", "metadata.author"
  std::vector<DiffLine> lines;
  bool operator==(PlanChange const&) const = default;
};
std::string_view to_text(PlanChange::Kind kind);

// In the order of the plans; empty exactly where their digests are the same.
std::vector<PlanChange> diff(Plan const& before, Plan const& after);

std::string to_json(PlanChange const& change);  // an object

// The shortest edit, by lines.
std::vector<DiffLine> diff_lines(std::string const& before, std::string const& after);

}  // namespace runbookd::planner
