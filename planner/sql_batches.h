// Loops that change a table in batches, as people write them by hand, read as what they mean: a
// backfill. Private to planner/import*. Pure.
#pragma once

#include <optional>

#include "planner/plan.h"

namespace runbookd::planner {

struct HandMadeBatches {
  BackfillAction backfill;
  bool limited = false;  // UPDATE … LIMIT, which PostgreSQL does not have
  Place limit;           // where it stands
  bool looped = false;   // in a DO block: one transaction, whatever the loop does
  std::string range;     // "id > lo AND id <= lo + 1000": the loop's way through the table, dropped
  bool told_by_value = false;  // there is no other condition: `where` is that the values differ
  std::string problem;         // why the backfill is not what the loop does; empty = it is
};
// Nothing for a statement that is no single UPDATE, or one that no backfill can stand for.
std::optional<HandMadeBatches> batches_in(SqlText const& statement);

}  // namespace runbookd::planner
