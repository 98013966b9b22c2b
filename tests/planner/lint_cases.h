// Lint cases as data: tests/planner/lint/*.sql, each with the rules that must be found.
#pragma once

#include <string>
#include <vector>

#include "planner/lint.h"

namespace lint_cases {

struct Case {
  std::string file;
  int line = 0;
  std::string sql, schema;            // the schema of its file, also where lint is not told it
  std::vector<std::string> expected;  // rule ids, sorted; empty = safe
  int from = 13, to = 18;             // server versions
  runbookd::planner::LintOptions options;
};
std::vector<Case> read_all();  // of every file

}  // namespace lint_cases
