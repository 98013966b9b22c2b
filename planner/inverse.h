// What a statement changes, thing by thing, and what takes each change back, as far as its text
// tells. The one place that knows it: `rollback: auto`, the import and the rules about ways back
// ask here. Pure.
#pragma once

#include <optional>
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
// What a catalog is asked; the answer is SQL that brings the thing back as it is there now.
struct Question {
  enum class About {
    exists,  // `detail`: why it cannot be brought back; empty = nothing has to be done
    column_default,
    column_type,     // `detail`: the new one
    column_setting,  // `detail`: STATISTICS, STORAGE, COMPRESSION or OPTIONS
    constraint,      // so that it can be added again
    validation,      // so that it is not validated
    index,           // `detail`: CONCURRENTLY
    view,            // `detail` of these: REPLACE = another form stands there by then
    function,
    trigger,
    policy,
    rule,
    statistics,
    type,
    domain_constraint,
    domain_default,
    comment,  // `detail` of these: the statement up to its value
    owner,    // `part`: the new one
    tablespace,
    schema,
    options,  // `detail`: their names
    sequence,
    replica_identity,
    clustered,
    triggers_enabled,  // `part`: its name; empty = all of the table; `detail`: the command
    rules_enabled,
    bound,   // of a partition, `detail`: its parent
    rights,  // `detail`: what the statement says, as JSON
  } about = About::exists;
  std::string kind;    // "TABLE": where several kinds of objects have names of this form
  std::string object;  // as SQL: s.t, s.f(integer)
  std::string part;    // the bare name of what belongs to it
  std::string detail;
  bool operator==(Question const&) const = default;
};
// What only a catalog tells.
struct FromCatalog {
  Question question;
  std::string why;  // the text does not do
  // What takes the statement back where the thing is not there yet: SQL, nothing where it is empty.
  // Without a value the thing has to be there.
  std::optional<std::string> if_absent;
};
// SQL, or where it is found, or why there is none.
using WayBack = std::variant<std::string, NothingBack, NoWayBack, FromCatalog>;

struct Change {
  enum class Does { makes, removes, alters };
  Thing thing;
  Does does = Does::alters;
  WayBack back;
};
// In the order in which the statement says them.
std::vector<Change> changes_of(pg::Node statement);

}  // namespace runbookd::planner
