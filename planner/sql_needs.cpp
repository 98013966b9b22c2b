// Which rights a statement asks for.
#include "planner/sql_needs.h"

#include <algorithm>
#include <utility>

namespace runbookd::planner {
namespace {

using pg::need;
using pg::Needs;
using pg::Node;
using pg::operator+;
using Kind = Need::Kind;

Needs of_relation(Kind kind, Node relation) {
  return relation ? Needs{need(kind, relation)} : Needs{};
}
Needs owner_of(Node relation) { return of_relation(Kind::owner, relation); }

Needs create_in(std::string schema) {
  return {{.kind = Kind::create_in_schema, .schema = std::move(schema), .name = ""}};
}
// Beside a relation that is there: which schema that is, an unqualified name does not say.
Needs create_beside(Node relation) {
  auto const schema = relation.text("schemaname");
  return schema.empty() ? Needs{need(Kind::create_in_schema, relation)} : create_in(schema);
}

// A new relation. Everybody may make temporary ones.
Needs make(Node relation) {
  bool const temporary = relation.text("relpersistence") == "t";
  return temporary ? Needs{} : create_in(relation.text("schemaname"));
}

// Functions and types: {"schema", "name"}.
Needs make_named(pg::Nodes name) {
  return create_in(name.size() > 1 ? pg::names(name).front() : "");
}

// {"schema", "table"} or {"table"}, perhaps with the database in front.
Needs by_name(Kind kind, std::vector<std::string> const& parts) {
  auto const size = parts.size();
  if (size == 0) {
    return {};
  }
  return {{.kind = kind, .schema = size > 1 ? parts[size - 2] : "", .name = parts[size - 1]}};
}

bool is_relation(std::string const& object) {
  return object == "OBJECT_TABLE" || object == "OBJECT_VIEW" || object == "OBJECT_MATVIEW" ||
         object == "OBJECT_INDEX" || object == "OBJECT_SEQUENCE" ||
         object == "OBJECT_FOREIGN_TABLE";
}

// Things that live on a relation and are named after it: {"schema", "table", "trigger"}.
bool is_part(std::string const& object) {
  return object == "OBJECT_COLUMN" || object == "OBJECT_TRIGGER" || object == "OBJECT_RULE" ||
         object == "OBJECT_POLICY" || object == "OBJECT_TABCONSTRAINT";
}

bool is_function(std::string const& object) {
  return object == "OBJECT_FUNCTION" || object == "OBJECT_PROCEDURE" ||
         object == "OBJECT_ROUTINE" || object == "OBJECT_AGGREGATE";
}

// Names come as a list, as a type, as a function with its arguments, or as one word.
Needs owner_of_object(std::string const& object, Node name, Kind of_relation_itself) {
  if (object == "OBJECT_SCHEMA") {
    return by_name(Kind::own_schema, {name.text("sval")});
  }
  if (object == "OBJECT_TYPE" || object == "OBJECT_DOMAIN") {
    return by_name(Kind::own_type, pg::names(name.list(name.has("names") ? "names" : "items")));
  }
  if (is_function(object)) {
    return by_name(Kind::own_function, pg::names(name.list("objname")));
  }
  auto parts = pg::names(name.list("items"));
  if (is_part(object) && parts.size() > 1) {
    parts.pop_back();
    return by_name(Kind::owner, parts);
  }
  return is_relation(object) ? by_name(of_relation_itself, parts) : Needs{};
}

Needs for_drop(Node statement) {
  Needs needs;
  for (auto const& object : statement.list("objects")) {
    needs = std::move(needs) + owner_of_object(statement.text("removeType"), object, Kind::drop);
  }
  return needs;
}

Needs for_foreign_key(Node constraint) {
  Needs needs;
  for (auto const& column : pg::names(constraint.list("pk_attrs"))) {
    needs.push_back(need(Kind::references, constraint["pktable"], column));
  }
  return needs.empty() ? of_relation(Kind::references, constraint["pktable"]) : needs;
}

Needs for_constraint(Node constraint, Node table) {
  auto const type = constraint.text("contype");
  if (type == "CONSTR_FOREIGN") {
    return for_foreign_key(constraint);
  }
  bool const index =
      type == "CONSTR_UNIQUE" || type == "CONSTR_PRIMARY" || type == "CONSTR_EXCLUSION";
  return index && constraint.text("indexname").empty() ? create_beside(table) : Needs{};
}

Needs for_column(Node column, Node table) {
  Needs needs;
  for (auto const& constraint : column.list("constraints")) {
    needs = std::move(needs) + for_constraint(constraint, table);
  }
  return needs;
}

Needs for_command(Node command, Node table) {
  auto const subtype = command.text("subtype");
  if (subtype == "AT_AttachPartition") {
    return owner_of(command["def"]["name"]);
  }
  if (subtype == "AT_AddInherit") {
    return owner_of(command["def"]);
  }
  if (subtype == "AT_AddConstraint") {
    return for_constraint(command["def"], table);
  }
  return subtype == "AT_AddColumn" ? for_column(command["def"], table) : Needs{};
}

Needs for_alter(Node statement) {
  auto const table = statement["relation"];
  auto needs = owner_of(table);
  for (auto const& command : statement.list("cmds")) {
    needs = std::move(needs) + for_command(command, table);
  }
  return needs;
}

// Its own keys and indexes are made in the schema that it is made in itself.
Needs for_element(Node element) {
  if (element.is("TableLikeClause")) {
    return of_relation(Kind::select, element["relation"]);
  }
  Needs needs;
  for (auto const& node : pg::every(element)) {
    if (node.is("Constraint") && node.text("contype") == "CONSTR_FOREIGN") {
      needs = std::move(needs) + for_foreign_key(node);
    }
  }
  return needs;
}

Needs for_create_table(Node statement) {
  auto const table = statement["relation"];
  auto needs = make(table);
  for (auto const& parent : statement.list("inhRelations")) {
    needs = std::move(needs) + owner_of(parent);  // of PARTITION OF and INHERITS
  }
  for (auto const& element : statement.list("tableElts")) {
    needs = std::move(needs) + for_element(element);
  }
  std::erase(needs, need(Kind::references, table));  // a key to itself
  return needs;
}

Needs for_create_view(Node statement) {
  auto const view = statement["view"];
  return make(view) + (statement.flag("replace") ? owner_of(view) : Needs{});
}

Needs for_index(Node statement) {
  return owner_of(statement["relation"]) + create_beside(statement["relation"]);
}

Needs for_move(Node statement) {
  auto const relation = statement["relation"];
  auto const object = statement.text("objectType");
  return (relation ? owner_of(relation)
                   : owner_of_object(object, statement["object"], Kind::owner)) +
         create_in(statement.text("newschema"));
}

Needs for_query(Node statement) {
  auto const into = statement["intoClause"];
  return (into ? make(into["rel"]) : Needs{}) + pg::needs_for_rows(statement);
}

// The server asks for CREATE in the schema of what gets another name, but not for a part of it.
Needs for_rename(Node statement) {
  auto const object = statement.text("renameType");
  auto const relation = statement["relation"];
  if (!relation) {
    auto const schema = statement.text("subname");
    return object == "OBJECT_SCHEMA"
               ? by_name(Kind::own_schema, {schema}) + Needs{{.kind = Kind::create_in_database}}
               : owner_of_object(object, statement["object"], Kind::owner);
  }
  return owner_of(relation) + (is_relation(object) ? create_beside(relation) : Needs{});
}

Needs for_statistics(Node statement) {
  Needs needs;
  for (auto const& relation : statement.list("relations")) {
    needs = std::move(needs) + owner_of(relation);
  }
  return needs;
}

Needs needs_of_node(Node statement);

Needs for_schema(Node statement) {
  Needs needs{{.kind = Kind::create_in_database}};
  for (auto const& element : statement.list("schemaElts")) {
    auto of_element = needs_of_node(element);
    std::erase_if(of_element, [](Need const& one) { return one.schema.empty(); });
    needs = std::move(needs) + of_element;
  }
  return needs;
}

Needs for_truncate(Node statement) {
  Needs needs;
  for (auto const& relation : statement.list("relations")) {
    needs.push_back(need(Kind::truncate, relation));
  }
  return needs;
}

Needs for_vacuum(Node statement) {
  Needs needs;
  for (auto const& item : statement.list("rels")) {
    needs = std::move(needs) + of_relation(Kind::vacuum, item["relation"]);
  }
  return needs;
}

Needs maintain(Node statement) { return of_relation(Kind::maintain, statement["relation"]); }

struct Rule {
  std::string_view type;
  Needs (*needs)(Node);
};

constexpr Rule rules[] = {
    {"AlterTableStmt", for_alter},
    {"IndexStmt", for_index},
    {"DropStmt", for_drop},
    {"CreateStmt", for_create_table},
    {"CreateForeignTableStmt", [](Node n) { return make(n["base"]["relation"]); }},
    {"CreateTableAsStmt",
     [](Node n) { return make(n["into"]["rel"]) + pg::needs_for_rows(n["query"]); }},
    {"ViewStmt", for_create_view},
    {"CreateSeqStmt", [](Node n) { return make(n["sequence"]); }},
    {"CompositeTypeStmt", [](Node n) { return make(n["typevar"]); }},
    {"CreateFunctionStmt", [](Node n) { return make_named(n.list("funcname")); }},
    {"CreateEnumStmt", [](Node n) { return make_named(n.list("typeName")); }},
    {"CreateRangeStmt", [](Node n) { return make_named(n.list("typeName")); }},
    {"CreateDomainStmt", [](Node n) { return make_named(n.list("domainname")); }},
    {"DefineStmt", [](Node n) { return make_named(n.list("defnames")); }},
    {"CreateStatsStmt", for_statistics},
    {"CreateSchemaStmt", for_schema},
    {"CreatePublicationStmt", [](Node) { return Needs{{.kind = Kind::create_in_database}}; }},
    {"CreateExtensionStmt", [](Node n) { return by_name(Kind::extension, {n.text("extname")}); }},
    {"CreateTrigStmt", [](Node n) { return of_relation(Kind::trigger, n["relation"]); }},
    {"AlterSeqStmt", [](Node n) { return owner_of(n["sequence"]); }},
    {"AlterEnumStmt",
     [](Node n) { return by_name(Kind::own_type, pg::names(n.list("typeName"))); }},
    {"AlterDomainStmt",
     [](Node n) { return by_name(Kind::own_type, pg::names(n.list("typeName"))); }},
    {"AlterFunctionStmt",
     [](Node n) { return by_name(Kind::own_function, pg::names(n["func"].list("objname"))); }},
    {"AlterOwnerStmt",
     [](Node n) { return owner_of_object(n.text("objectType"), n["object"], Kind::owner); }},
    {"AlterObjectSchemaStmt", for_move},
    {"RenameStmt", for_rename},
    {"CommentStmt",
     [](Node n) { return owner_of_object(n.text("objtype"), n["object"], Kind::owner); }},
    {"RuleStmt", [](Node n) { return owner_of(n["relation"]); }},
    {"CreatePolicyStmt", [](Node n) { return owner_of(n["table"]); }},
    {"AlterPolicyStmt", [](Node n) { return owner_of(n["table"]); }},
    {"ClusterStmt", maintain},
    {"ReindexStmt", maintain},
    {"RefreshMatViewStmt", maintain},
    {"VacuumStmt", for_vacuum},
    {"TruncateStmt", for_truncate},
    {"CopyStmt", pg::needs_for_copy},
    {"SelectStmt", for_query},
    {"ExplainStmt", [](Node n) { return pg::needs_for_rows(n["query"]); }},
    {"InsertStmt", pg::needs_for_rows},
    {"UpdateStmt", pg::needs_for_rows},
    {"DeleteStmt", pg::needs_for_rows},
    {"MergeStmt", pg::needs_for_rows},
};

Needs needs_of_node(Node statement) {
  auto const rule = std::ranges::find(rules, statement.type(), &Rule::type);
  return rule == std::end(rules) ? Needs{} : rule->needs(statement);
}

Needs without_repeats(Needs const& needs) {
  Needs unique;
  for (auto const& one : needs) {
    if (std::ranges::find(unique, one) == unique.end()) {
      unique.push_back(one);
    }
  }
  return unique;
}

}  // namespace

std::vector<Need> needs_of(Statement const& statement) {
  auto const tree = pg::parse(statement.sql.text);
  return tree.statements.empty() ? Needs{}
                                 : without_repeats(needs_of_node(tree.statements[0].node));
}

std::optional<std::string> role_set_by(Statement const& statement) {
  auto const tree = pg::parse(statement.sql.text);
  auto const node = tree.statements.empty() ? Node{} : tree.statements[0].node;
  if (!node.is("VariableSetStmt")) {
    return std::nullopt;
  }
  auto const name = node.text("name");
  if (name != "role" && name != "session_authorization") {
    return node.text("kind") == "VAR_RESET_ALL" ? std::optional<std::string>("") : std::nullopt;
  }
  auto const words = node.list("args");
  auto const role = words.empty() ? "" : words.front()["sval"].text("sval");
  return role == "none" ? "" : role;
}

}  // namespace runbookd::planner
