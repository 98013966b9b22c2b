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

// What answers for a thing that is dropped; nothing where no statement makes it as it was.
struct Answered {
  std::string_view object;
  About about;
};
constexpr auto answered = std::to_array<Answered>({
    {"OBJECT_INDEX", About::index},
    {"OBJECT_VIEW", About::view},
    {"OBJECT_MATVIEW", About::view},
    {"OBJECT_FUNCTION", About::function},
    {"OBJECT_PROCEDURE", About::function},
    {"OBJECT_ROUTINE", About::function},
    {"OBJECT_TRIGGER", About::trigger},
    {"OBJECT_POLICY", About::policy},
    {"OBJECT_RULE", About::rule},
    {"OBJECT_STATISTIC_EXT", About::statistics},
    {"OBJECT_TYPE", About::type},
    {"OBJECT_DOMAIN", About::type},
});

struct Lost {
  std::string_view object, what, verb, instead;
};
constexpr auto lost = std::to_array<Lost>({
    {"OBJECT_TABLE", "the rows of ", " are",
     "rename the table instead, or say `irreversible: <reason>`"},
    {"OBJECT_FOREIGN_TABLE", "the rows of ", " are",
     "rename the table instead, or say `irreversible: <reason>`"},
    {"OBJECT_SEQUENCE", "the position of ", " is", ""},
});

Change dropped(Node statement, Node node) {
  auto const object = statement.text("removeType");
  auto const thing = thing_of(object, node);
  bool const missing_ok = statement.flag("missing_ok");
  if (statement.text("behavior") == "DROP_CASCADE") {
    return refused(thing, Does::removes, takes_along);
  }
  auto const parts = parts_of(node);
  if (auto const found = std::ranges::find(lost, object, &Lost::object); found != lost.end()) {
    auto const why =
        std::string(found->what) + to_sql(thing.table) + std::string(found->verb) + " gone with it";
    return missing_ok ? asked(thing, Does::removes,
                              {.about = About::exists,
                               .kind = "TABLE",
                               .object = object_name(parts),
                               .part = "",
                               .detail = why},
                              "whether it was there before", "")
                      : refused(thing, Does::removes, why, std::string(found->instead));
  }
  auto const found = std::ranges::find(answered, object, &Answered::object);
  if (found == answered.end()) {
    return unknown(thing, Does::removes, "what " + words(thing) + " was");
  }
  bool const of_table = found->about == About::trigger || found->about == About::policy ||
                        found->about == About::rule;
  auto const path = pg::names(parts);
  Question question{.about = found->about,
                    .kind = pg::object_words(object),
                    .object = object_name(parts),
                    .part = "",
                    .detail = statement.flag("concurrent") ? "CONCURRENTLY" : ""};
  if (of_table && path.size() > 1) {
    question.object = to_sql({path.size() > 2 ? path[path.size() - 3] : "", path[path.size() - 2]});
    question.part = path.back();
  }
  if (found->about == About::function) {
    question.object = function_name(node);
  }
  return asked(thing, Does::removes, std::move(question), "what " + words(thing) + " was",
               nothing_if(missing_ok));
}

}  // namespace

Changes of_drop(Node statement) {
  Changes all;
  std::ranges::transform(statement.list("objects"), std::back_inserter(all),
                         [&](Node node) { return dropped(statement, node); });
  return all;
}

}  // namespace runbookd::planner::inverse
