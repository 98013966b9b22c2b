// The rights that statements ask for, by their trees. Private to planner/sql_needs*.cpp.
#pragma once

#include <string>
#include <vector>

#include "planner/pg_tree.h"
#include "planner/sql.h"

namespace runbookd::planner::pg {

using Needs = std::vector<Need>;

inline Needs operator+(Needs left, Needs const& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

inline Need need(Need::Kind kind, Node relation, std::string column = "") {
  return {.kind = kind,
          .schema = relation.text("schemaname"),
          .name = relation.text("relname"),
          .column = std::move(column)};
}

// Rows read and written anywhere in a query.
Needs needs_for_rows(Node statement);
Needs needs_for_copy(Node statement);

}  // namespace runbookd::planner::pg
