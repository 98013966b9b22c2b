// What a statement changes, thing by thing, and what takes each change back, as far as its text
// tells. The one place that knows it: `rollback: auto`, the import and the rules about ways back
// ask here. Pure.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "planner/pg_tree.h"
#include "planner/relation_name.h"

namespace runbookd::planner {

struct Thing {
  enum class Kind {
    table,
    column,
    index,
    constraint,
    view,
    trigger,
    sequence,
    type,
    function,
    policy,
    not_null,
    validation,
    column_default,
    column_type,
    table_name,
    column_name,
    setting,  // whatever else a thing has, as it is after the statement
    other     // `name` says what it is
  } kind = Kind::other;
  RelationName table;  // itself, or what it belongs to
  std::string name;    // of the part
};
// An index or a type is found by its name alone: a DROP does not say of which table.
bool same(Thing const& one, Thing const& other);
std::string words(Thing const& thing);    // "constraint positive of s.t"
std::string subject(Thing const& thing);  // "constraint s.t.positive": equal for what is the same

struct NothingBack {
  std::string why;
};
struct NoWayBack {
  std::string why;      // "the values of t.c are gone with it"
  std::string instead;  // what to write; empty = the rollback by hand
};
// SQL, or why there is none.
using WayBack = std::variant<std::string, NothingBack, NoWayBack>;

struct Change {
  enum class Does { makes, removes, alters };
  Thing thing;
  Does does = Does::alters;
  WayBack back;
};
// In the order in which the statement says them.
std::vector<Change> changes_of(pg::Node statement);

}  // namespace runbookd::planner
