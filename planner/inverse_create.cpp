// What makes something is taken back by what drops it.
#include <algorithm>
#include <array>

#include "planner/inverse_parts.h"
#include "planner/sql_kind.h"
#include "planner/words.h"

namespace runbookd::planner::inverse {
namespace {

constexpr auto replaced = "what OR REPLACE replaces";

// OR REPLACE: what was there comes back; where nothing was, what is made is dropped.
Change replaces(Thing thing, About about, std::string object, std::string part, std::string drop) {
  return asked(std::move(thing), Does::alters,
               {.about = about,
                .kind = "",
                .object = std::move(object),
                .part = std::move(part),
                .detail = "REPLACE"},
               replaced, std::move(drop));
}

std::string drop(std::string_view what, std::string const& name) {
  return "DROP " + std::string(what) + " " + name;
}

Change temporary(Thing thing) {
  return {.thing = std::move(thing),
          .does = Does::makes,
          .back = NothingBack{"a temporary object goes with its session"}};
}

// "VIEW", "TABLE"; what a relation of this name is dropped as.
Change relation(Kind kind, std::string_view what, Node range, bool unless) {
  Thing const thing{kind, pg::name_of(range), ""};
  if (range.text("relpersistence") == "t") {
    return temporary(thing);
  }
  auto const name = name_text(range);
  return unless ? made_unless_there(thing, "TABLE", name, "", drop(what, name))
                : made(thing, drop(what, name));
}

Changes create_table(Node node) {
  return {relation(Kind::table, "TABLE", node["relation"], node.flag("if_not_exists"))};
}
Changes create_foreign_table(Node node) {
  auto const base = node["base"];
  return {relation(Kind::table, "FOREIGN TABLE", base["relation"], base.flag("if_not_exists"))};
}
Changes create_table_as(Node node) {
  bool const view = node.text("objtype") == "OBJECT_MATVIEW";
  return {relation(view ? Kind::view : Kind::table, view ? "MATERIALIZED VIEW" : "TABLE",
                   node["into"]["rel"], node.flag("if_not_exists"))};
}
Changes create_view(Node node) {
  if (node.flag("replace") && node["view"].text("relpersistence") != "t") {
    auto const name = name_text(node["view"]);
    return {replaces({Kind::view, pg::name_of(node["view"]), ""}, About::view, name, "",
                     drop("VIEW", name))};
  }
  return {relation(Kind::view, "VIEW", node["view"], false)};
}
Changes create_sequence(Node node) {
  return {relation(Kind::sequence, "SEQUENCE", node["sequence"], node.flag("if_not_exists"))};
}

Changes create_index(Node node) {
  auto const name = node.text("idxname");
  auto const table = pg::name_of(node["relation"]);
  Thing const thing{Kind::index, table, name};
  if (name.empty()) {
    return {refused(thing, Does::makes, "the server chooses the index's name",
                    "give it a name: CREATE INDEX <name> ON …")};
  }
  auto const index = to_sql({table.schema, name});
  auto const gone = drop(node.flag("concurrent") ? "INDEX CONCURRENTLY" : "INDEX", index);
  return {node.flag("if_not_exists") ? made_unless_there(thing, "TABLE", index, "", gone)
                                     : made(thing, gone)};
}

Changes create_trigger(Node node) {
  auto const name = node.text("trigname");
  Thing const thing{Kind::trigger, pg::name_of(node["relation"]), name};
  auto const table = name_text(node["relation"]);
  if (node.flag("replace")) {
    return {
        replaces(thing, About::trigger, table, name, drop("TRIGGER", word(name) + " ON " + table))};
  }
  return {made(thing, drop("TRIGGER", word(name) + " ON " + table))};
}

// What a call's signature is made of: parameters that come in.
std::string signature(Node node) {
  std::vector<std::string> types;
  for (auto const& parameter : node.list("parameters")) {
    auto const mode = parameter.text("mode");
    if (mode == "FUNC_PARAM_OUT" && node.flag("is_procedure")) {
      return "";  // whether it counts depends on the server's version
    }
    if (mode != "FUNC_PARAM_OUT" && mode != "FUNC_PARAM_TABLE") {
      types.push_back(type_text(parameter["argType"]));
    }
    if (!types.empty() && types.back().empty()) {
      return "";
    }
  }
  return object_name(node.list("funcname")) + "(" + joined(types) + ")";
}

Changes create_function(Node node) {
  auto const name = signature(node);
  Thing const thing{Kind::function, pg::name_of(node.list("funcname")), name};
  if (name.empty()) {
    return {refused(thing, Does::makes, "the text does not give the function's signature")};
  }
  auto const gone = drop(node.flag("is_procedure") ? "PROCEDURE" : "FUNCTION", name);
  return {node.flag("replace") ? replaces(thing, About::function, name, "", gone)
                               : made(thing, gone)};
}

Change type_made(std::string_view what, pg::Nodes name) {
  return made({Kind::type, pg::name_of(name), ""}, drop(what, object_name(name)));
}
Changes create_type(Node node) { return {type_made("TYPE", node.list("typeName"))}; }
Changes create_domain(Node node) { return {type_made("DOMAIN", node.list("domainname"))}; }
Changes create_composite(Node node) {
  auto const name = node["typevar"];
  return {made({Kind::type, pg::name_of(name), ""}, drop("TYPE", name_text(name)))};
}

// What stands in CREATE SCHEMA goes first.
Changes create_schema(Node node) {
  auto const named = node.text("schemaname");
  auto const name = named.empty() ? node["authrole"].text("rolename") : named;
  Thing const thing{Kind::other, {"", name}, "schema"};
  if (name.empty() || !node.list("schemaElts").empty()) {
    return {refused(thing, Does::makes, "the schema is made together with its content",
                    "make the schema and each object by a statement of its own")};
  }
  auto const gone = drop("SCHEMA", word(name));
  return {node.flag("if_not_exists") ? made_unless_there(thing, "SCHEMA", word(name), "", gone)
                                     : made(thing, gone)};
}

Changes create_extension(Node node) {
  auto const name = node.text("extname");
  Thing const thing{Kind::other, {"", name}, "extension"};
  auto const options = node.list("options");
  bool const cascade =
      std::ranges::any_of(options, [](Node option) { return option.text("defname") == "cascade"; });
  if (cascade) {
    return {refused(thing, Does::makes, "CASCADE makes what the text does not name")};
  }
  auto const gone = drop("EXTENSION", word(name));
  return {node.flag("if_not_exists") ? made_unless_there(thing, "EXTENSION", name, "", gone)
                                     : made(thing, gone)};
}

Changes create_policy(Node node) {
  auto const name = node.text("policy_name");
  return {made({Kind::policy, pg::name_of(node["table"]), name},
               drop("POLICY", word(name) + " ON " + name_text(node["table"])))};
}

Changes create_rule(Node node) {
  auto const name = node.text("rulename");
  Thing const thing{Kind::other, pg::name_of(node["relation"]), "rule " + name};
  auto const table = name_text(node["relation"]);
  auto const gone = drop("RULE", word(name) + " ON " + table);
  return {node.flag("replace") ? replaces(thing, About::rule, table, name, gone)
                               : made(thing, gone)};
}

Changes create_statistics(Node node) {
  auto const name = node.list("defnames");
  Thing const thing{Kind::other, pg::name_of(name), "statistics"};
  if (name.empty()) {
    return {refused(thing, Does::makes, "the server chooses the name of the statistics")};
  }
  auto const gone = drop("STATISTICS", object_name(name));
  return {node.flag("if_not_exists")
              ? made_unless_there(thing, "STATISTICS", object_name(name), "", gone)
              : made(thing, gone)};
}

template <char const* field, char const* what>
Changes named(Node node) {
  auto const name = node.text(field);
  return {made({Kind::other, {"", name}, what}, drop(what, word(name)))};
}
constexpr char pubname[] = "pubname", publication[] = "PUBLICATION";
constexpr char trigname[] = "trigname", event_trigger[] = "EVENT TRIGGER";
constexpr char role[] = "role", role_word[] = "ROLE";
constexpr char servername[] = "servername", server[] = "SERVER";

struct Rule {
  std::string_view type;
  Changes (*changes)(Node);
};
constexpr auto rules = std::to_array<Rule>({
    {"CreateStmt", create_table},
    {"CreateForeignTableStmt", create_foreign_table},
    {"CreateTableAsStmt", create_table_as},
    {"ViewStmt", create_view},
    {"CreateSeqStmt", create_sequence},
    {"IndexStmt", create_index},
    {"CreateTrigStmt", create_trigger},
    {"CreateFunctionStmt", create_function},
    {"CreateEnumStmt", create_type},
    {"CreateRangeStmt", create_type},
    {"CreateDomainStmt", create_domain},
    {"CompositeTypeStmt", create_composite},
    {"CreateSchemaStmt", create_schema},
    {"CreateExtensionStmt", create_extension},
    {"CreatePolicyStmt", create_policy},
    {"RuleStmt", create_rule},
    {"CreateStatsStmt", create_statistics},
    {"CreatePublicationStmt", named<pubname, publication>},
    {"CreateEventTrigStmt", named<trigname, event_trigger>},
    {"CreateRoleStmt", named<role, role_word>},
    {"CreateForeignServerStmt", named<servername, server>},
});

}  // namespace

Changes of_create(Node statement) {
  if (statement.is("SelectStmt") && statement.has("intoClause")) {
    return {relation(Kind::table, "TABLE", statement["intoClause"]["rel"], false)};
  }
  auto const rule = std::ranges::find(rules, statement.type(), &Rule::type);
  return rule == rules.end() ? Changes{} : rule->changes(statement);
}

}  // namespace runbookd::planner::inverse
