// What a whole plan asks of a target, on what is there before it starts: rights, and that the
// server knows its SQL.
#pragma once

#include <string>
#include <vector>

#include "planner/plan.h"
#include "planner/sql.h"

namespace runbookd::planner {

struct PlanNeed {
  Need need;
  std::string role;                // that a step takes by SET ROLE; empty = the one that connects
  std::vector<std::string> where;  // "expand/add-column", "the rollback of …", "check …"
};
// In the order of the plan; each need once. What an earlier step makes is not there yet and will
// belong to whoever makes it, so nothing is asked about it.
std::vector<PlanNeed> needs_of_plan(Plan const& plan);

struct UnreadSql {
  SqlText sql;
  std::string where;
};
// Statements that only the server itself can judge: our parser does not know them.
std::vector<UnreadSql> unread_sql(Plan const& plan);

}  // namespace runbookd::planner
