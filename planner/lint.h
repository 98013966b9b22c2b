// What is unsafe for live traffic, or unwise, in a plan that reads well or in plain SQL. Pure. An
// error stops `start` until somebody acknowledges it with a reason. The rules are in planner/lint/.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "planner/catalog.h"
#include "planner/catalog_json.h"
#include "planner/diagnostic.h"
#include "planner/plan.h"

namespace runbookd::planner {

// Where a table counts as small, and from where on as large: rules by size are mild there, or
// stern.
struct TableSizes {
  std::int64_t small = 16LL << 20, large = 8LL << 30;  // bytes, with indexes and TOAST
  Duration long_hold{30'000};                          // of a lock, as foretold: stern as well
};
struct LintOptions {
  Catalog catalog;  // what is known of the target; empty = judged by the text alone
  int server_major = 18;
  int server_minor = -1;        // -1 = unknown
  bool in_transaction = false;  // a tool runs the whole file in one
  bool timeouts_given = false;  // by the role or the tool
  TableSizes sizes;
  std::vector<std::string> optional;  // rules or groups that are off unless named; "all"
};

// The server is the oldest that the plan is for.
Findings lint(Plan const& plan);
Findings lint(Plan const& plan, LintOptions options);

// … as the target makes it: by its schema, sizes and version. The daemon judges a start so, and
// `plan lint --target` a file.
LintOptions options_for(ServerCatalog known);
// Of the first, those that the text alone does not make, or makes less severe.
Findings made_by_target(Findings by_target, Findings const& by_text);

// A comment `-- runbookd:ignore RULE: REASON` above a statement, or at its end, acknowledges.
struct LintedSql {
  Findings findings;
  std::size_t statements = 0;
};
LintedSql lint_sql(SqlText const& script, LintOptions const& options);

// The text with every edit of the findings made that is in this file and does not touch another;
// how many were made.
struct Mended {
  std::string text;
  int edits = 0;
};
Mended mend(std::string text, std::string const& file, Findings const& findings);

}  // namespace runbookd::planner
