// Renamed, moved and granted: what the text says both ways.
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

pg::Nodes parts_of(Node object) {
  return object.is("String") ? pg::Nodes::of(object) : object.list("items");
}

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
  if (name.schema.empty()) {
    return {refused(thing, Does::alters, "the schema that it leaves is not in the statement's text",
                    "name it with its schema")};
  }
  auto const signature = function ? function_name(object) : to_sql(name);
  auto const bare = function ? signature.substr(signature.find('.') + 1) : word(name.name);
  if (function && !signature.ends_with(")")) {
    return {refused(thing, Does::alters, "the text does not give the function's signature")};
  }
  return {altered(thing, "ALTER " + what + " " + word(node.text("newschema")) + "." + bare +
                             " SET SCHEMA " + word(name.schema))};
}

std::string role(Node node) {
  auto const type = node.text("roletype");
  if (type == "ROLESPEC_PUBLIC") {
    return "PUBLIC";
  }
  if (type == "ROLESPEC_CSTRING") {
    return word(node.text("rolename"));
  }
  return type.substr(std::string_view("ROLESPEC_").size());  // CURRENT_USER
}

std::string upper(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  });
  return text;
}

std::string privilege(Node node) {
  std::vector<std::string> columns;
  for (auto const& column : pg::names(node.list("cols"))) {
    columns.push_back(word(column));
  }
  return upper(node.text("priv_name")) + (columns.empty() ? "" : " (" + joined(columns) + ")");
}

std::string granted_object(Node node) {
  if (node.is("RangeVar")) {
    return name_text(node);
  }
  return node.is("ObjectWithArgs") ? function_name(node) : object_name(parts_of(node));
}

template <typename Spell>
std::string listed(pg::Nodes nodes, Spell spell) {
  std::vector<std::string> texts;
  std::ranges::transform(nodes, std::back_inserter(texts), spell);
  return joined(texts);
}

Changes grant(Node node) {
  auto const what = pg::object_words(node.text("objtype"));
  Thing const thing{Kind::other, {"", listed(node.list("objects"), granted_object)}, "rights on"};
  bool const gives = node.flag("is_grant");
  if (node.text("targtype") != "ACL_TARGET_OBJECT" || node.list("privileges").empty()) {
    return {refused(thing, Does::alters, "the text does not tell which rights were there before",
                    "name each right and each object")};
  }
  if (node.flag("grant_option") || node.text("behavior") == "DROP_CASCADE" || node["grantor"]) {
    return {refused(thing, Does::alters, "the text does not tell what else the rights were")};
  }
  return {altered(thing, std::string(gives ? "REVOKE " : "GRANT ") +
                             listed(node.list("privileges"), privilege) + " ON " + what + " " +
                             thing.table.name + (gives ? " FROM " : " TO ") +
                             listed(node.list("grantees"), role))};
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
  return {unknown(thing, Does::alters, "what was there before")};
}

struct Rule {
  std::string_view type;
  Changes (*changes)(Node);
};
constexpr auto rules = std::to_array<Rule>({
    {"RenameStmt", rename},
    {"AlterObjectSchemaStmt", move},
    {"GrantStmt", grant},
    {"AlterEnumStmt", enumeration},
    {"AlterDomainStmt", domain},
});

}  // namespace

Changes of_object(Node statement) {
  auto const rule = std::ranges::find(rules, statement.type(), &Rule::type);
  return rule == rules.end() ? Changes{} : rule->changes(statement);
}

}  // namespace runbookd::planner::inverse
