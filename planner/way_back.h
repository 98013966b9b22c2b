// `rollback: auto`: the way back of a step, derived from the text of its own statements and, for
// what they remove, from the statements of the plan that had made it. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "planner/plan.h"

namespace runbookd::planner {

// A derived rollback says so itself: it is SQL like any other from then on.
inline constexpr std::string_view derived_mark =
    "-- derived by runbookd from the step's own SQL (rollback: auto)";
bool is_derived(SqlAction const& action);

struct NotInvertible {
  Statement statement;
  std::string why;
  std::string instead;
};
struct DerivedWayBack {
  std::string sql;      // in reverse, with the mark; empty = nothing is left to undo …
  std::string nothing;  // … for this reason
  std::vector<NotInvertible> refused;
};
// `earlier`: the statements of the steps before, in the plan's order.
DerivedWayBack derive_way_back(std::vector<Statement> const& step,
                               std::vector<Statement> const& earlier);

// Edits that put the SQL of each derived rollback into the plan's file, whose text this is, in the
// place of `auto`. The file says the same afterwards.
Findings spelled_out(Plan const& plan, std::string const& text);

}  // namespace runbookd::planner
