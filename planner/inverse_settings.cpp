// What an object of any kind has beside its definition: comment, owner, options. The former one is
// in the catalog alone.
#include <algorithm>
#include <array>
#include <string_view>

#include "planner/inverse_parts.h"
#include "planner/sql_kind.h"

namespace runbookd::planner::inverse {
namespace {

// "TRIGGER g ON s.t" and what has to be asked for it: the table, and the name of its part.
struct Named {
  std::string text, object, part;
};
Named name_of_object(std::string const& type, Node object) {
  bool const part = type == "OBJECT_TABCONSTRAINT" || type == "OBJECT_TRIGGER" ||
                    type == "OBJECT_POLICY" || type == "OBJECT_RULE";
  auto const path =
      part || type == "OBJECT_COLUMN" ? pg::names(parts_of(object)) : std::vector<std::string>{};
  if (path.size() < 2) {
    return {named_object(object), named_object(object), ""};
  }
  auto const table = to_sql({path.size() > 2 ? path[path.size() - 3] : "", path[path.size() - 2]});
  auto const name = word(path.back());
  return {type == "OBJECT_COLUMN" ? table + "." + name : name + " ON " + table, table, path.back()};
}

Changes comment(Node node) {
  auto const type = node.text("objtype");
  auto const what = pg::object_words(type);
  constexpr auto known = std::to_array<std::string_view>(
      {"TABLE", "FOREIGN TABLE", "VIEW", "MATERIALIZED VIEW", "INDEX", "SEQUENCE", "COLUMN",
       "CONSTRAINT", "TRIGGER", "POLICY", "RULE", "FUNCTION", "PROCEDURE", "ROUTINE", "TYPE",
       "DOMAIN", "SCHEMA", "STATISTICS"});
  auto const named = name_of_object(type, node["object"]);
  Thing const thing{Kind::setting, {"", named.text}, "comment"};
  if (std::ranges::find(known, what) == known.end() || type == "OBJECT_DOMCONSTRAINT") {
    return {unknown(thing, Does::alters, "what was there before")};
  }
  return {asked(thing, Does::alters,
                {.about = About::comment,
                 .kind = what,
                 .object = named.object,
                 .part = named.part,
                 .detail = "COMMENT ON " + what + " " + named.text + " IS"},
                "what was there before")};
}

Changes owner(Node node) {
  auto const what = pg::object_words(node.text("objectType"));
  auto const name = named_object(node["object"]);
  constexpr auto known = std::to_array<std::string_view>(
      {"FUNCTION", "PROCEDURE", "ROUTINE", "TYPE", "DOMAIN", "SCHEMA", "STATISTICS"});
  Thing const thing{Kind::setting, {"", name}, "owner"};
  return {std::ranges::find(known, what) == known.end()
              ? unknown(thing, Does::alters, "who owned it before")
              : asked(thing, Does::alters,
                      {.about = About::owner,
                       .kind = what,
                       .object = name,
                       .part = node["newowner"].text("rolename"),
                       .detail = "ALTER " + what + " " + name + " OWNER TO"},
                      "who owned it before")};
}

Changes alter_sequence(Node node) {
  auto const name = name_text(node["sequence"]);
  Thing const thing{Kind::setting, pg::name_of(node["sequence"]), "sequence"};
  bool const moves = std::ranges::any_of(node.list("options"),
                                         [](Node one) { return one.text("defname") == "restart"; });
  if (moves) {
    return {refused(thing, Does::alters, "the position of " + name + " is gone with RESTART")};
  }
  return {asked(
      thing, Does::alters,
      {.about = About::sequence, .kind = "SEQUENCE", .object = name, .part = "", .detail = ""},
      "what was set before", nothing_if(node.flag("missing_ok")))};
}

Changes alter_policy(Node node) {
  auto const name = node.text("policy_name");
  return {asked({Kind::setting, pg::name_of(node["table"]), "policy " + name}, Does::alters,
                {.about = About::policy,
                 .kind = "POLICY",
                 .object = name_text(node["table"]),
                 .part = name,
                 .detail = "REPLACE"},
                "what the policy said before")};
}

Changes alter_function(Node node) {
  auto const name = function_name(node["func"]);
  return {
      asked({Kind::setting, {"", name}, "function"}, Does::alters,
            {.about = About::function, .kind = "", .object = name, .part = "", .detail = "ALTER"},
            "what was set before")};
}

struct Rule {
  std::string_view type;
  Changes (*changes)(Node);
};
constexpr auto rules = std::to_array<Rule>({
    {"CommentStmt", comment},
    {"AlterOwnerStmt", owner},
    {"AlterSeqStmt", alter_sequence},
    {"AlterPolicyStmt", alter_policy},
    {"AlterFunctionStmt", alter_function},
});

}  // namespace

Changes of_setting(Node statement) {
  auto const rule = std::ranges::find(rules, statement.type(), &Rule::type);
  return rule == rules.end() ? Changes{} : rule->changes(statement);
}

}  // namespace runbookd::planner::inverse
