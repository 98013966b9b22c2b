// The WHERE of an UPDATE that a hand-made loop repeats, without what only the loop needs: the
// choice of the next rows, the range that its variables walk along. Private to planner/sql_batches.
// Pure.
#pragma once

#include <set>
#include <string>

namespace runbookd::planner {

// The variables of a block's procedural code, in lower case.
struct LoopVariables {
  std::set<std::string> all;
  std::set<std::string> moving;  // the loop changes them
};
LoopVariables loop_variables(std::string const& body);
// The first of the variables that the text names; empty = none.
std::string variable_in(std::string const& sql, LoopVariables const& variables);

struct BatchWhere {
  std::string where;     // may be empty: then every row is meant
  std::string range;     // "id > lo AND id <= lo + 1000", which fell away
  bool limited = false;  // it still picks its rows by a LIMIT
};
// `table` as the UPDATE names it; `joined`: it has a FROM, where a bare name may be anybody's.
BatchWhere batch_where(std::string const& where, std::string const& table, bool joined,
                       LoopVariables const& variables);

}  // namespace runbookd::planner
