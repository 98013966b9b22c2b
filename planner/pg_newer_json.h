// Calls of the SQL standard's JSON functions, as a parser that does not know their clauses takes
// them. Private to planner/pg_newer.cpp.
#pragma once

#include <optional>

#include "planner/pg_newer_place.h"

namespace runbookd::planner::pg {

// The parser stopped inside of one that this version brought: it becomes an ordinary call with the
// same expressions in it.
std::optional<Rewrite> json_call(Place const& place, int since);

}  // namespace runbookd::planner::pg
