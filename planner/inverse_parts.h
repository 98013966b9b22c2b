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

inline constexpr auto if_there =
    "with IF EXISTS the text does not tell whether it was there before";
inline constexpr auto takes_along = "CASCADE takes along what the text does not name";

inline std::string word(std::string_view name) { return quoted_identifier(name); }
inline std::string name_text(Node relation) { return to_sql(pg::name_of(relation)); }
// A qualified name of any kind, as SQL.
std::string object_name(pg::Nodes strings);
// "integer[]"; empty for what only a catalog resolves (%TYPE).
std::string type_text(Node type_name);
// The same with its modifiers: "numeric(10,2)".
std::string type_words(Node type_name);
// "s.f(integer, text)" of a function that the statement names by its arguments; else just its name.
std::string function_name(Node object_with_args);

pg::Nodes parts_of(Node object);        // the words of a name that is no relation's
std::string named_object(Node object);  // of any kind, as SQL

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
inline Change unknown(Thing thing, Does does, std::string const& what) {
  return refused(std::move(thing), does, what + " is not in the statement's text");
}

using About = Question::About;
// `what` the catalog has to tell.
inline Change asked(Thing thing, Does does, Question question, std::string const& what,
                    std::optional<std::string> if_absent = std::nullopt) {
  return {.thing = std::move(thing),
          .does = does,
          .back = FromCatalog{.question = std::move(question),
                              .why = what + " is not in the statement's text",
                              .if_absent = std::move(if_absent)}};
}
// IF EXISTS: nothing has to be done where it is not there.
inline std::optional<std::string> nothing_if(bool missing_ok) {
  return missing_ok ? std::optional<std::string>("") : std::nullopt;
}
// IF NOT EXISTS: what was there already stays.
inline Change made_unless_there(Thing thing, std::string kind, std::string object, std::string part,
                                std::string drop) {
  return asked(std::move(thing), Does::makes,
               {.about = About::exists,
                .kind = std::move(kind),
                .object = std::move(object),
                .part = std::move(part),
                .detail = ""},
               "whether it was there before", std::move(drop));
}

Changes of_alter_table(Node statement);
Changes of_create(Node statement);  // whatever makes something; empty for others
Changes of_drop(Node statement);
Changes of_object(Node statement);   // renamed, moved, of types; empty for others
Changes of_rights(Node statement);   // granted, revoked; empty for others
Changes of_setting(Node statement);  // comment, owner, options; empty for others

}  // namespace runbookd::planner::inverse
