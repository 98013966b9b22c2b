// The inside of DO blocks, as far as it can be told without running them: which statements stand
// there that change rows or relations or end a transaction, and whether a loop repeats them.
// Private to planner/sql*.cpp and planner/lint/.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "planner/pg_tree.h"

namespace runbookd::planner::pg {

struct BodyStatement {
  std::string first;       // "UPDATE", "COMMIT", "ALTER" …; what only reads is not told
  std::string text;        // up to its semicolon
  std::size_t offset = 0;  // bytes in the body
  bool in_loop = false;
  bool ends_transaction() const { return first == "COMMIT" || first == "ROLLBACK"; }
  bool changes_rows() const { return first == "UPDATE" || first == "DELETE"; }
};
std::vector<BodyStatement> body_statements(std::string const& body);

// The text between the dollar quotes; empty for another kind of statement.
std::string do_body(Node statement);

}  // namespace runbookd::planner::pg
