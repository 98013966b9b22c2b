// Renamed and moved: what the text says both ways.
#include <algorithm>
#include <array>

#include "planner/inverse_parts.h"
#include "planner/sql_kind.h"
#include "planner/words.h"

namespace runbookd::planner::inverse {
namespace {

constexpr auto sql_of_part = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"OBJECT_COLUMN", "RENAME COLUMN "},
    {"OBJECT_ATTRIBUTE", "RENAME ATTRIBUTE "},
    {"OBJECT_TABCONSTRAINT", "RENAME CONSTRAINT "},
    {"OBJECT_DOMCONSTRAINT", "RENAME CONSTRAINT "},
});

// ALTER TABLE t RENAME COLUMN a TO b
Changes renamed_part(Node node, std::string_view rename) {
  auto const of = node.text("renameType");
  auto const relation = node["relation"];
  bool const domain = of == "OBJECT_DOMCONSTRAINT";
  auto const owner = domain ? object_name(parts_of(node["object"])) : name_text(relation);
  auto const what = domain                     ? "DOMAIN"
                    : of == "OBJECT_ATTRIBUTE" ? "TYPE"
                    : of == "OBJECT_COLUMN"    ? pg::object_words(node.text("relationType"))
                                               : "TABLE";
  bool const only = of == "OBJECT_COLUMN" && relation && !relation.flag("inh");
  auto const kind = of == "OBJECT_COLUMN" ? Kind::column_name : Kind::setting;
  return {altered({kind, pg::name_of(relation), node.text("subname")},
                  "ALTER " + std::string(what) + (only ? " ONLY " : " ") + owner + " " +
                      std::string(rename) + word(node.text("newname")) + " TO " +
                      word(node.text("subname")))};
}

// ALTER TRIGGER a ON t RENAME TO b
Changes renamed_on_table(Node node, std::string const& what) {
  return {altered({Kind::setting, pg::name_of(node["relation"]), lower(what) + " name"},
                  "ALTER " + what + " " + word(node.text("newname")) + " ON " +
                      name_text(node["relation"]) + " RENAME TO " + word(node.text("subname")))};
}

Changes rename(Node node) {
  auto const of = node.text("renameType");
  auto const what = pg::object_words(of);
  auto const relation = node["relation"];
  if (node.flag("missing_ok")) {
    return {refused({Kind::table_name, pg::name_of(relation), ""}, Does::alters, if_there)};
  }
  if (auto const part =
          std::ranges::find(sql_of_part, of, &decltype(sql_of_part)::value_type::first);
      part != sql_of_part.end()) {
    return renamed_part(node, part->second);
  }
  if (of == "OBJECT_TRIGGER" || of == "OBJECT_POLICY" || of == "OBJECT_RULE") {
    return renamed_on_table(node, what);
  }
  auto const to = node.text("newname");
  if (relation) {
    auto const name = pg::name_of(relation);
    return {altered(
        {Kind::table_name, name, ""},
        "ALTER " + what + " " + to_sql({name.schema, to}) + " RENAME TO " + word(name.name))};
  }
  if (of == "OBJECT_SCHEMA") {
    return {altered({Kind::other, {"", node.text("subname")}, "schema"},
                    "ALTER SCHEMA " + word(to) + " RENAME TO " + word(node.text("subname")))};
  }
  if (auto const object = node["object"];
      object.is("ObjectWithArgs") && function_name(object).ends_with(")")) {
    auto const name = pg::name_of(object.list("objname"));
    auto const signature = function_name(object);
    auto const arguments = signature.substr(object_name(object.list("objname")).size());
    return {altered({Kind::function, name, signature}, "ALTER " + what + " " +
                                                           to_sql({name.schema, to}) + arguments +
                                                           " RENAME TO " + word(name.name))};
  }
  auto const name = pg::name_of(parts_of(node["object"]));
  if (name.empty() || (of != "OBJECT_TYPE" && of != "OBJECT_DOMAIN")) {
    return {unknown({Kind::other, name, lower(what)}, Does::alters, "what it was called")};
  }
  return {altered({Kind::type, name, ""}, "ALTER " + what + " " + to_sql({name.schema, to}) +
                                              " RENAME TO " + word(name.name))};
}

// ALTER TABLE s.t SET SCHEMA u
Changes move(Node node) {
  auto const what = pg::object_words(node.text("objectType"));
  auto const relation = node["relation"];
  auto const object = node["object"];
  bool const function = object.is("ObjectWithArgs");
  auto const name = relation   ? pg::name_of(relation)
                    : function ? pg::name_of(object.list("objname"))
                               : pg::name_of(parts_of(object));
  Thing const thing{Kind::table_name, name, ""};
  if (node.flag("missing_ok")) {
    return {refused(thing, Does::alters, if_there)};
  }
  auto const signature = function ? function_name(object) : to_sql(name);
  auto const bare = function && !name.schema.empty() ? signature.substr(signature.find('.') + 1)
                    : function                       ? signature
                                                     : word(name.name);
  if (function && !signature.ends_with(")")) {
    return {refused(thing, Does::alters, "the text does not give the function's signature")};
  }
  auto const back =
      "ALTER " + what + " " + word(node.text("newschema")) + "." + bare + " SET SCHEMA";
  if (name.schema.empty()) {
    return {asked(
        thing, Does::alters,
        {.about = About::schema, .kind = what, .object = signature, .part = "", .detail = back},
        "the schema that it leaves")};
  }
  return {altered(thing, back + " " + word(name.schema))};
}

std::string quoted(std::string const& text) {
  std::string sql = "'";
  for (char const c : text) {
    sql += c;
    sql += c == '\'' ? "'" : "";
  }
  return sql + "'";
}

Changes enumeration(Node node) {
  auto const name = node.list("typeName");
  Thing const thing{Kind::type, pg::name_of(name), ""};
  auto const from = node.text("oldVal");
  auto const to = node.text("newVal");
  if (from.empty()) {
    return {refused(thing, Does::alters, "no statement takes a label of an enum type away")};
  }
  if ((from + to).find('\\') != std::string::npos) {
    return {unknown(thing, Does::alters, "how the server reads the backslash")};
  }
  return {altered(thing, "ALTER TYPE " + object_name(name) + " RENAME VALUE " + quoted(to) +
                             " TO " + quoted(from))};
}

Changes domain(Node node) {
  auto const name = node.list("typeName");
  Thing const thing{Kind::type, pg::name_of(name), ""};
  auto const alter = "ALTER DOMAIN " + object_name(name) + " ";
  auto const kind = node.text("subtype");
  auto const constraint = node["def"].text("conname");
  if (kind == "O" || kind == "N") {
    return {altered(thing, alter + (kind == "O" ? "DROP NOT NULL" : "SET NOT NULL"))};
  }
  if (kind == "C" && !constraint.empty()) {
    return {altered(thing, alter + "DROP CONSTRAINT " + word(constraint))};
  }
  auto const asks = [&](About about, std::string what, bool missing_ok) {
    return Changes{asked(thing, Does::alters,
                         {.about = about,
                          .kind = "DOMAIN",
                          .object = object_name(name),
                          .part = node.text("name"),
                          .detail = ""},
                         what, nothing_if(missing_ok))};
  };
  if (kind == "T") {
    return asks(About::domain_default, "the former default of " + object_name(name), false);
  }
  if (kind == "X" && node.text("behavior") != "DROP_CASCADE") {
    return asks(About::domain_constraint, "what the constraint said", node.flag("missing_ok"));
  }
  return {unknown(thing, Does::alters, "what was there before")};
}

struct Rule {
  std::string_view type;
  Changes (*changes)(Node);
};
constexpr auto rules = std::to_array<Rule>({
    {"RenameStmt", rename},
    {"AlterObjectSchemaStmt", move},
    {"AlterEnumStmt", enumeration},
    {"AlterDomainStmt", domain},
});

}  // namespace

Changes of_object(Node statement) {
  auto const rule = std::ranges::find(rules, statement.type(), &Rule::type);
  return rule == rules.end() ? Changes{} : rule->changes(statement);
}

}  // namespace runbookd::planner::inverse
