// One statement's undo in words that the import compares (planner/inverse.h knows it), and small
// questions about statements that only ways back ask. Private to planner/import* and way_back.
// Pure.
#pragma once

#include <string>
#include <vector>

#include "planner/plan.h"

namespace runbookd::planner {

struct Undo {
  // "column users.org_id"; a statement and the one that takes it back have the same. Empty = it is
  // not known what the statement is about.
  std::string subject;
  std::string sql;  // empty = what was there before is not in the text
};
Undo undo_of(Statement const& statement);

// "ADD CONSTRAINT … NOT VALID" of an ALTER TABLE that does only this; empty for others.
std::string constraint_clause(Statement const& statement);
bool is_not_valid(Statement const& statement);
// ALTER TABLE … DROP COLUMN: the table as written, and the column. Empty for others.
struct DroppedColumn {
  std::string table, column;
};
DroppedColumn dropped_column(Statement const& statement);

// The columns that a query gives, by name; an unnamed one as the server would name it. Empty for
// what is no plain SELECT.
std::vector<std::string> result_columns(SqlText const& query);

}  // namespace runbookd::planner
