// Shared by the parts of the inverse, one per family of statements. Private to planner/inverse*.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "planner/inverse.h"
#include "planner/sql_expression.h"

namespace runbookd::planner::inverse {

using pg::Node;
using Kind = Thing::Kind;
using Does = Change::Does;
using Changes = std::vector<Change>;

inline constexpr auto unless_there =
    "with IF NOT EXISTS the text does not tell whether the statement makes it";
inline constexpr auto if_there =
    "with IF EXISTS the text does not tell whether it was there before";
inline constexpr auto takes_along = "CASCADE takes along what the text does not name";

inline std::string word(std::string_view name) { return quoted_identifier(name); }
inline std::string name_text(Node relation) { return to_sql(pg::name_of(relation)); }
// A qualified name of any kind, as SQL.
std::string object_name(pg::Nodes strings);
// "integer[]"; empty for what only a catalog resolves (%TYPE).
std::string type_text(Node type_name);
// "s.f(integer, text)" of a function that the statement names by its arguments; else just its name.
std::string function_name(Node object_with_args);

inline Change made(Thing thing, std::string drop) {
  return {.thing = std::move(thing), .does = Does::makes, .back = std::move(drop)};
}
inline Change altered(Thing thing, std::string back) {
  return {.thing = std::move(thing), .does = Does::alters, .back = std::move(back)};
}
inline Change harmless(std::string why) {
  return {.thing = {}, .does = Does::alters, .back = NothingBack{std::move(why)}};
}
inline Change refused(Thing thing, Does does, std::string why, std::string instead = "") {
  return {.thing = std::move(thing),
          .does = does,
          .back = NoWayBack{.why = std::move(why), .instead = std::move(instead)}};
}
// What only a catalog tells.
inline Change unknown(Thing thing, Does does, std::string const& what) {
  return refused(std::move(thing), does, what + " is not in the statement's text");
}

Changes of_alter_table(Node statement);
Changes of_create(Node statement);  // whatever makes something; empty for others
Changes of_drop(Node statement);
Changes of_object(Node statement);  // renamed, moved, granted; empty for others

}  // namespace runbookd::planner::inverse
