// The parts of lint. Private to planner/lint*.cpp.
#pragma once

#include <string>
#include <vector>

#include "planner/diagnostic.h"
#include "planner/pg_tree.h"
#include "planner/plan.h"

namespace runbookd::planner::rules {

struct TableName {
  std::string schema, name;  // schema empty = as the search path finds it
};
TableName table_of(pg::Node relation);
// "users" may well be "public.users": the text cannot tell, so they count as one.
bool same_table(TableName const& left, TableName const& right);

// A CHECK that the plan itself adds, and how far it has come.
struct KnownCheck {
  TableName table;
  std::string name;                   // empty where the server chooses
  std::vector<std::string> not_null;  // columns of which it proves that they are never NULL
  bool validated = false;
  bool in_this_step = false;  // added in the transaction that still runs
};

// What the statements before this one tell. A value that grows as the plan is read.
struct Known {
  std::vector<TableName> created;  // in this step: nobody else can be waiting for those
  std::vector<KnownCheck> checks;  // in the whole plan
  std::vector<TableName>
      other_validated;  // tables with a constraint validated that the plan did not add
  bool is_new(TableName const& table) const;
  bool proves_not_null(TableName const& table, std::string const& column) const;
};

// One statement in its place.
struct Subject {
  Statement const& statement;
  pg::Node node;
  std::string step;  // "phase/step"
  bool rollback = false;
};

struct Advice {
  std::string rule;
  Severity severity = Severity::error;
  std::string why, fix;
};
Finding finding(Subject const& subject, Advice advice, std::size_t offset = 0);

struct Judged {
  Findings findings;
  Known known;
};
// One file per theme; each gives back what is known after the statement.
Judged judge_alter_table(Subject const& subject, Known known);
Findings judge_index(Subject const& subject, Known const& known);
Findings judge_rows(Subject const& subject, Known const& known);
Findings judge_own_schema(Subject const& subject);
Findings judge_settings(Subject const& subject);
Findings judge_checks(std::vector<Check> const& checks);
Findings judge_baseline(Baseline const& baseline);
// `update`: what a batch of it does.
Findings judge_backfill(BackfillAction const& backfill, Statement const& update,
                        std::string const& step);
Findings judge_throttle(BackfillAction const& backfill, std::string const& step);
// A column definition's default: does the server have to write every row anew?
std::vector<Advice> judge_new_column(pg::Node column);

}  // namespace runbookd::planner::rules
