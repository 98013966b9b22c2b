// Which rights a statement asks for.
#include <algorithm>
#include <set>
#include <utility>

#include "planner/pg_tree.h"
#include "planner/sql.h"

namespace runbookd::planner {
namespace {

using pg::Node;
using Needs = std::vector<Need>;

Need need(Need::Kind kind, Node relation) {
  return {.kind = kind, .schema = relation.text("schemaname"), .name = relation.text("relname")};
}

Needs owner_of(Node relation) {
  return relation ? Needs{need(Need::Kind::owner, relation)} : Needs{};
}

Needs operator+(Needs left, Needs const& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

Needs create_in(std::string schema) {
  return {{.kind = Need::Kind::create_in_schema, .schema = std::move(schema), .name = ""}};
}

// A new relation. Everybody may make temporary ones.
Needs make(Node relation) {
  bool const temporary = relation.text("relpersistence") == "t";
  return temporary ? Needs{} : create_in(relation.text("schemaname"));
}

// {"schema", "table"} or {"table"}, perhaps with the database in front.
Need owner_by_name(std::vector<std::string> const& parts) {
  auto const size = parts.size();
  return {.kind = Need::Kind::owner,
          .schema = size > 1 ? parts[size - 2] : "",
          .name = size > 0 ? parts[size - 1] : ""};
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

Needs owner_of_object(std::string const& object, Node name) {
  auto parts = pg::names(name.list("items"));
  if (is_part(object) && parts.size() > 1) {
    parts.pop_back();
    return {owner_by_name(parts)};
  }
  return is_relation(object) && !parts.empty() ? Needs{owner_by_name(parts)} : Needs{};
}

Needs for_drop(Node statement) {
  Needs needs;
  for (auto const& object : statement.list("objects")) {
    needs = std::move(needs) + owner_of_object(statement.text("removeType"), object);
  }
  return needs;
}

Needs for_alter(Node statement) {
  if (statement.text("objtype") == "OBJECT_TYPE") {
    return {};
  }
  auto needs = owner_of(statement["relation"]);
  for (auto const& command : statement.list("cmds")) {
    auto const subtype = command.text("subtype");
    if (subtype == "AT_AttachPartition") {
      needs = std::move(needs) + owner_of(command["def"]["name"]);
    }
    if (subtype == "AT_AddInherit") {
      needs = std::move(needs) + owner_of(command["def"]);
    }
  }
  return needs;
}

Needs for_create_table(Node statement) {
  auto needs = make(statement["relation"]);
  for (auto const& parent : statement.list("inhRelations")) {
    needs = std::move(needs) + owner_of(parent);  // of PARTITION OF and INHERITS
  }
  return needs;
}

// The index goes into its table's schema; which one that is, an unqualified name does not say.
Needs for_index(Node statement) {
  auto const table = statement["relation"];
  auto const schema = table.text("schemaname");
  return owner_of(table) + (schema.empty() ? Needs{} : create_in(schema));
}

Needs for_move(Node statement) {
  return owner_of(statement["relation"]) + create_in(statement.text("newschema"));
}

// Every name in WITH: they look like tables where they are used.
std::set<std::string> common_tables(std::vector<Node> const& nodes) {
  std::set<std::string> found;
  for (auto const& node : nodes) {
    if (node.is("CommonTableExpr")) {
      found.insert(node.text("ctename"));
    }
  }
  return found;
}

Needs for_change(Node node) {
  auto const relation = node["relation"];
  if (node.is("InsertStmt")) {
    auto needs = Needs{need(Need::Kind::insert, relation)};
    bool const updates = node["onConflictClause"].text("action") == "ONCONFLICT_UPDATE";
    return updates ? std::move(needs) + Needs{need(Need::Kind::update, relation)} : needs;
  }
  bool const reads = node.has("whereClause") || node.has("returningList");
  auto needs = reads ? Needs{need(Need::Kind::select, relation)} : Needs{};
  if (node.is("UpdateStmt")) {
    return Needs{need(Need::Kind::update, relation)} + needs;
  }
  return Needs{need(Need::Kind::remove, relation)} + needs;
}

Needs for_merge(Node node) {
  auto const relation = node["relation"];
  Needs needs{need(Need::Kind::select, relation)};
  for (auto const& clause : node.list("mergeWhenClauses")) {
    auto const command = clause.text("commandType");
    if (command == "CMD_INSERT") {
      needs.push_back(need(Need::Kind::insert, relation));
    } else if (command == "CMD_UPDATE") {
      needs.push_back(need(Need::Kind::update, relation));
    } else if (command == "CMD_DELETE") {
      needs.push_back(need(Need::Kind::remove, relation));
    }
  }
  return needs;
}

// Rows read and written anywhere in a query.
Needs for_rows(Node statement) {
  auto const nodes = pg::every(statement, "lockedRels");  // those are aliases
  auto const common = common_tables(nodes);
  Needs needs;
  for (auto const& node : nodes) {
    if (node.is("InsertStmt") || node.is("UpdateStmt") || node.is("DeleteStmt")) {
      needs = std::move(needs) + for_change(node);
    } else if (node.is("MergeStmt")) {
      needs = std::move(needs) + for_merge(node);
    } else if (node.is("RangeVar") &&
               (node.has("schemaname") || !common.contains(node.text("relname")))) {
      needs.push_back(need(Need::Kind::select, node));
    }
  }
  return needs;
}

Needs for_copy(Node statement) {
  auto const relation = statement["relation"];
  if (!relation) {
    return for_rows(statement["query"]);
  }
  return {need(statement.flag("is_from") ? Need::Kind::insert : Need::Kind::select, relation)};
}

Needs for_query(Node statement) {
  if (auto const into = statement["intoClause"]) {
    return make(into["rel"]) + for_rows(statement);
  }
  return for_rows(statement);
}

Needs for_rename(Node statement) {
  bool const relation = statement.text("renameType") != "OBJECT_TYPE";
  return relation ? owner_of(statement["relation"]) : Needs{};
}

// Functions and types: {"schema", "name"}.
Needs make_named(std::vector<Node> const& name) {
  return create_in(name.size() > 1 ? pg::names(name).front() : "");
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
  Needs needs;
  for (auto const& element : statement.list("schemaElts")) {
    auto of_element = needs_of_node(element);
    std::erase_if(of_element, [](Need const& one) { return one.schema.empty(); });
    needs = std::move(needs) + of_element;
  }
  return needs;
}

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
    {"CreateTableAsStmt", [](Node n) { return make(n["into"]["rel"]) + for_rows(n["query"]); }},
    {"ViewStmt", [](Node n) { return make(n["view"]); }},
    {"CreateSeqStmt", [](Node n) { return make(n["sequence"]); }},
    {"CompositeTypeStmt", [](Node n) { return make(n["typevar"]); }},
    {"CreateFunctionStmt", [](Node n) { return make_named(n.list("funcname")); }},
    {"CreateEnumStmt", [](Node n) { return make_named(n.list("typeName")); }},
    {"CreateRangeStmt", [](Node n) { return make_named(n.list("typeName")); }},
    {"CreateDomainStmt", [](Node n) { return make_named(n.list("domainname")); }},
    {"CreateStatsStmt", for_statistics},
    {"CreateSchemaStmt", for_schema},
    {"AlterSeqStmt", [](Node n) { return owner_of(n["sequence"]); }},
    {"AlterObjectSchemaStmt", for_move},
    {"RenameStmt", for_rename},
    {"CommentStmt", [](Node n) { return owner_of_object(n.text("objtype"), n["object"]); }},
    {"RuleStmt", [](Node n) { return owner_of(n["relation"]); }},
    {"CreatePolicyStmt", [](Node n) { return owner_of(n["table"]); }},
    {"AlterPolicyStmt", [](Node n) { return owner_of(n["table"]); }},
    {"ClusterStmt", [](Node n) { return owner_of(n["relation"]); }},
    {"ReindexStmt", [](Node n) { return owner_of(n["relation"]); }},
    {"RefreshMatViewStmt", [](Node n) { return owner_of(n["relation"]); }},
    {"CopyStmt", for_copy},
    {"SelectStmt", for_query},
    {"ExplainStmt", [](Node n) { return for_rows(n["query"]); }},
    {"InsertStmt", for_rows},
    {"UpdateStmt", for_rows},
    {"DeleteStmt", for_rows},
    {"MergeStmt", for_rows},
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

}  // namespace runbookd::planner
