// SQL as people write it into documents: statements with the comments that belong to each,
// transaction control told apart, lines of psql taken out. Private to planner/import*. Pure.
#pragma once

#include <string>
#include <vector>

#include "planner/diagnostic.h"
#include "planner/plan.h"

namespace runbookd::planner {

struct Comment {
  std::string text;  // without its dashes
  int line = 0;
};
// One statement as it was written, or a comment that stands alone (then `sql` is empty).
struct Passage {
  SqlText sql;                  // without its semicolon
  std::vector<Comment> before;  // the comments above it
  std::vector<Comment> after;   // those that say what it gave: "-- Expected: 0"
  bool in_transaction = false;  // between BEGIN and COMMIT or ROLLBACK
  bool taken_back = false;      // … and it was ROLLBACK
  Place began;                  // of that BEGIN
};
struct Script {
  std::vector<Passage> passages;
  Findings findings;  // psql's own commands
};

Script read_script(SqlText const& text);

// "-- Expected: 0", "-- should be empty": words about a result rather than about what comes next.
bool tells_a_result(std::string_view comment);

}  // namespace runbookd::planner
