// What the statements before one tell about it: a value that grows as a script or plan is read.
// Private to planner/lint.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "planner/effects.h"
#include "planner/pg_tree.h"

namespace runbookd::planner::lint_rules {

// "users" may well be "public.users": the text cannot tell, so they count as one.
bool same_table(RelationName const& left, RelationName const& right);

// A CHECK that the script itself adds, and how far it has come.
struct KnownCheck {
  RelationName table;
  std::string name;                   // empty where the server chooses
  std::vector<std::string> not_null;  // columns of which it proves that they are never NULL
  bool validated = false;
  bool in_transaction = false;  // added in the transaction that is still open
};

struct Held {  // a lock that stops writes, on a table that was there before
  LockMode mode;
  int line = 0;
};

struct Known {
  // Schemas by name; nobody else can be waiting for those.
  std::multimap<std::string, std::string, std::less<>> created;
  std::vector<KnownCheck> checks;
  std::vector<RelationName> other_validated;  // a constraint that the script did not add
  std::vector<RelationName> policies;         // tables that got one
  std::vector<std::string> dropped_indexes;

  bool open = false;                    // a transaction
  bool by_script = false;               // … that the script itself has begun
  std::map<std::string, Held> held;     // in it, by name as SQL needs it
  std::vector<std::string> new_labels;  // of enumerations, in it
  bool changed_schema = false;          // of a table that was there before, in it
  bool told_of_timeouts = false;        // once a script is enough

  std::optional<std::int64_t> lock_timeout, statement_timeout;  // milliseconds, as SET has them

  bool is_new(RelationName const& table) const;
  bool proves_not_null(RelationName const& table, std::string const& column) const;
  bool has_valid_check(RelationName const& table) const;
};

void begin_transaction(Known& known);
// A plan's tables may be in use as soon as the step that makes them is done; those of a file are
// taken to be unknown to the application until all of it has run.
enum class NewTables { stay_new, are_in_use };
void end_transaction(Known& known, NewTables tables);
void learn(Known& known, pg::Node statement, Effects const& effects, int line,
           Catalog const& before);

// The columns that are not NULL wherever the expression is true.
std::vector<std::string> columns_never_null(pg::Node expression);

}  // namespace runbookd::planner::lint_rules
