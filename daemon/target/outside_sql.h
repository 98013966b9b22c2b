// The queries of outside.h, one row of the table for each kind of statement. Private to
// daemon/target.
#pragma once

#include <string_view>

#include "planner/sql.h"

namespace runbookd::daemon {

// Each may use: asked (object and relation as to_regclass takes them, name and value as text),
// things (where the row has them), and, after the statement was sent, was (objects, relations,
// beside, failed_at of the intent row).
struct OutsideQueries {
  planner::Outside::Kind kind;
  std::string_view things;   // SELECT of (oid, name, half): databases, tablespaces, subscriptions
  std::string_view noted;    // before: one row (objects, relations, beside)
  std::string_view look;     // after: one row (state, seen, leftovers, builder, finish)
  std::string_view refusal;  // before: rows (sqlstate, message); the first one counts
};
OutsideQueries const& queries_for(planner::Outside::Kind kind);

}  // namespace runbookd::daemon
