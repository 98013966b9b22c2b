// What removes something: its text does not say what that was.
#include <algorithm>
#include <array>
#include <iterator>

#include "planner/inverse_parts.h"
#include "planner/sql_kind.h"
#include "planner/words.h"

namespace runbookd::planner::inverse {
namespace {

struct Word {
  std::string_view object;
  Kind kind;
};
constexpr auto kinds = std::to_array<Word>({
    {"OBJECT_TABLE", Kind::table},
    {"OBJECT_FOREIGN_TABLE", Kind::table},
    {"OBJECT_INDEX", Kind::index},
    {"OBJECT_VIEW", Kind::view},
    {"OBJECT_MATVIEW", Kind::view},
    {"OBJECT_SEQUENCE", Kind::sequence},
    {"OBJECT_TYPE", Kind::type},
    {"OBJECT_DOMAIN", Kind::type},
    {"OBJECT_FUNCTION", Kind::function},
    {"OBJECT_PROCEDURE", Kind::function},
    {"OBJECT_ROUTINE", Kind::function},
    {"OBJECT_TRIGGER", Kind::trigger},
    {"OBJECT_POLICY", Kind::policy},
});

pg::Nodes parts_of(Node object) {
  if (object.is("TypeName")) {
    return object.list("names");
  }
  if (object.is("ObjectWithArgs")) {
    return object.list("objname");
  }
  return object.is("String") ? pg::Nodes::of(object) : object.list("items");
}

Thing thing_of(std::string const& object, Node node) {
  auto const found = std::ranges::find(kinds, object, &Word::object);
  auto const parts = parts_of(node);
  auto const name = pg::name_of(parts);
  if (found == kinds.end()) {
    return {Kind::other, name, lower(pg::object_words(object))};
  }
  if (found->kind == Kind::index) {
    return {Kind::index, {}, name.name};
  }
  if (found->kind == Kind::trigger || found->kind == Kind::policy) {  // the table, then its name
    auto const path = pg::names(parts);
    auto const size = path.size();
    return {
        found->kind, {size > 2 ? path[size - 3] : "", size > 1 ? path[size - 2] : ""}, name.name};
  }
  return {found->kind, name, found->kind == Kind::function ? function_name(node) : ""};
}

}  // namespace

Changes of_drop(Node statement) {
  auto const object = statement.text("removeType");
  Changes all;
  for (auto const& node : statement.list("objects")) {
    auto const thing = thing_of(object, node);
    if (statement.flag("missing_ok")) {
      all.push_back(refused(thing, Does::removes, if_there));
    } else if (statement.text("behavior") == "DROP_CASCADE") {
      all.push_back(refused(thing, Does::removes, takes_along));
    } else if (thing.kind == Kind::table || object == "OBJECT_SEQUENCE") {
      bool const rows = thing.kind == Kind::table;
      all.push_back(
          refused(thing, Does::removes,
                  (rows ? "the rows of " : "the position of ") + to_sql(thing.table) +
                      (rows ? " are" : " is") + " gone with it",
                  rows ? "rename the table instead, or say `irreversible: <reason>`" : ""));
    } else {
      all.push_back(unknown(thing, Does::removes, "what " + words(thing) + " was"));
    }
  }
  return all;
}

}  // namespace runbookd::planner::inverse
