#include "planner/inverse.h"

#include <algorithm>
#include <array>

#include "planner/inverse_parts.h"
#include "planner/sql_kind.h"
#include "planner/words.h"

namespace runbookd::planner {
namespace inverse {

std::string object_name(pg::Nodes strings) {
  std::vector<std::string> parts;
  for (auto const& name : pg::names(strings)) {
    parts.push_back(word(name));
  }
  return joined(parts, ".");
}

std::string type_text(Node type_name) {
  if (type_name.flag("pct_type")) {
    return "";
  }
  auto const arrays = type_name.list("arrayBounds").size();
  auto text = object_name(type_name.list("names"));
  for (std::size_t i = 0; i < arrays; ++i) {
    text += "[]";
  }
  return text;
}

pg::Nodes parts_of(Node object) {
  if (object.is("TypeName")) {
    return object.list("names");
  }
  if (object.is("ObjectWithArgs")) {
    return object.list("objname");
  }
  return object.is("String") ? pg::Nodes::of(object) : object.list("items");
}

std::string named_object(Node node) {
  if (node.is("RangeVar")) {
    return name_text(node);
  }
  return node.is("ObjectWithArgs") ? function_name(node) : object_name(parts_of(node));
}

std::string type_words(Node type_name) {
  std::vector<std::string> modifiers;
  for (auto const modifier : pg::type_of(type_name).modifiers) {
    modifiers.push_back(std::to_string(modifier));
  }
  auto const name = object_name(type_name.list("names"));
  auto const brackets =
      type_text(type_name).substr(std::min(name.size(), type_text(type_name).size()));
  return name + (modifiers.empty() ? "" : "(" + joined(modifiers, ",") + ")") + brackets;
}

std::string function_name(Node object) {
  auto const name = object_name(object.list("objname"));
  if (object.flag("args_unspecified")) {
    return name;
  }
  std::vector<std::string> types;
  for (auto const& type : object.list("objargs")) {
    types.push_back(type_text(type));
  }
  return name + "(" + joined(types) + ")";
}

namespace {

// They change rows, or what only running them shows.
struct Loss {
  std::string_view type, why;
};
constexpr auto losses = std::to_array<Loss>({
    {"UpdateStmt", "the former values of the rows are gone"},
    {"DeleteStmt", "the rows are gone"},
    {"TruncateStmt", "the rows are gone"},
    {"InsertStmt", "the text does not tell its rows from others"},
    {"MergeStmt", "the former values of the rows are gone"},
    {"CopyStmt", "the text does not tell its rows from others"},
    {"DoStmt", "what the code does is only known by running it"},
    {"CallStmt", "what the procedure does is only known by running it"},
});

constexpr auto settled = std::to_array<std::string_view>(
    {"VacuumStmt", "ReindexStmt", "ClusterStmt", "RefreshMatViewStmt", "CheckPointStmt", "LockStmt",
     "NotifyStmt", "VariableShowStmt", "DiscardStmt", "ConstraintsSetStmt", "ExplainStmt"});

Changes of_query(Node node) {
  bool const calls =
      std::ranges::any_of(pg::every(node), [](Node one) { return one.is("FuncCall"); });
  return {calls ? refused({}, Does::alters,
                          "what the functions do that the query calls is only known by running it")
                : harmless("a query changes nothing")};
}

}  // namespace
}  // namespace inverse

using namespace inverse;

std::vector<Change> changes_of(pg::Node statement) {
  if (statement.is("AlterTableStmt")) {
    return of_alter_table(statement);
  }
  if (statement.is("DropStmt")) {
    return of_drop(statement);
  }
  for (auto const of : {of_create, of_object, of_rights, of_setting}) {
    if (auto changes = of(statement); !changes.empty()) {
      return changes;
    }
  }
  if (statement.is("SelectStmt")) {
    return of_query(statement);
  }
  if (auto const loss = std::ranges::find(losses, statement.type(), &Loss::type);
      loss != losses.end()) {
    return {refused({}, Does::alters, std::string(loss->why))};
  }
  if (std::ranges::find(settled, statement.type()) != settled.end()) {
    return {harmless(pg::kind_of(statement) + " changes no schema")};
  }
  return {unknown({}, Does::alters, "what was there before")};
}

bool same(Thing const& one, Thing const& other) {
  if (one.kind != other.kind || one.name != other.name) {
    return false;
  }
  if (one.kind == Kind::index) {
    return true;
  }
  auto const& left = one.table;
  auto const& right = other.table;
  bool const schemas = left.schema.empty() || right.schema.empty() || left.schema == right.schema;
  return schemas && left.name == right.name;
}

namespace {

struct Spelling {
  Thing::Kind kind;
  std::string_view word;
};
constexpr auto spellings = std::to_array<Spelling>({
    {Kind::table, "table"},
    {Kind::column, "column"},
    {Kind::index, "index"},
    {Kind::constraint, "constraint"},
    {Kind::view, "view"},
    {Kind::trigger, "trigger"},
    {Kind::sequence, "sequence"},
    {Kind::type, "type"},
    {Kind::function, "function"},
    {Kind::policy, "policy"},
    {Kind::not_null, "not null"},
    {Kind::validation, "validation"},
    {Kind::column_default, "default"},
    {Kind::column_type, "type"},
    {Kind::table_name, "name of table"},
    {Kind::column_name, "name of column"},
    {Kind::setting, "setting"},
    {Kind::other, ""},
});

std::string spelled(Kind kind) {
  auto const found = std::ranges::find(spellings, kind, &Spelling::kind);
  return std::string(found->word);
}

}  // namespace

std::string subject(Thing const& thing) {
  auto const of = to_sql(thing.table);
  auto const what = spelled(thing.kind) + " ";
  if (thing.kind == Kind::index) {
    return what + word(thing.name);
  }
  if (thing.kind == Kind::other) {
    return thing.table.empty() ? thing.name : thing.name + " " + of;
  }
  if (thing.kind == Kind::function) {
    return what + thing.name;
  }
  return what + of + (thing.name.empty() ? "" : "." + word(thing.name));
}

std::string words(Thing const& thing) {
  auto const of = to_sql(thing.table);
  if (thing.kind == Kind::constraint || thing.kind == Kind::trigger || thing.kind == Kind::policy) {
    return spelled(thing.kind) + " " + word(thing.name) + " of " + of;
  }
  if (thing.kind == Kind::not_null) {
    return "NOT NULL of " + of + "." + word(thing.name);
  }
  return subject(thing);
}

}  // namespace runbookd::planner
