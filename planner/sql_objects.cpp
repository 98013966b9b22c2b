// What a statement makes.
#include <algorithm>

#include "planner/pg_tree.h"
#include "planner/sql.h"
#include "planner/sql_kind.h"

namespace runbookd::planner {
namespace {

using pg::Node;
using Names = std::vector<std::pair<std::string, std::string>>;

Names of_relation(Node relation) {
  return relation ? Names{{relation.text("schemaname"), relation.text("relname")}} : Names{};
}

Names of_index(Node index) {
  auto const name = index.text("idxname");  // without one the server chooses
  return name.empty() ? Names{} : Names{{index["relation"].text("schemaname"), name}};
}

Names of_rename(Node rename) {
  auto const object = rename.text("renameType");
  bool const part = object == "OBJECT_COLUMN" || object == "OBJECT_TABCONSTRAINT" ||
                    object == "OBJECT_TRIGGER" || object == "OBJECT_RULE" ||
                    object == "OBJECT_POLICY" || object == "OBJECT_ATTRIBUTE";
  auto const relation = rename["relation"];
  return part || !relation ? Names{} : Names{{relation.text("schemaname"), rename.text("newname")}};
}

Names of_move(Node move) {
  auto const relation = move["relation"];
  return relation ? Names{{move.text("newschema"), relation.text("relname")}} : Names{};
}

Names created_by_node(Node statement);

Names of_schema(Node schema) {
  Names names;
  for (auto const& element : schema.list("schemaElts")) {
    for (auto& [its_schema, name] : created_by_node(element)) {
      names.emplace_back(its_schema.empty() ? schema.text("schemaname") : its_schema, name);
    }
  }
  return names;
}

struct Rule {
  std::string_view type;
  Names (*names)(Node);
};

constexpr Rule rules[] = {
    {"CreateStmt", [](Node n) { return of_relation(n["relation"]); }},
    {"CreateForeignTableStmt", [](Node n) { return of_relation(n["base"]["relation"]); }},
    {"CreateTableAsStmt", [](Node n) { return of_relation(n["into"]["rel"]); }},
    {"SelectStmt", [](Node n) { return of_relation(n["intoClause"]["rel"]); }},
    {"ViewStmt", [](Node n) { return of_relation(n["view"]); }},
    {"CreateSeqStmt", [](Node n) { return of_relation(n["sequence"]); }},
    {"CompositeTypeStmt", [](Node n) { return of_relation(n["typevar"]); }},
    {"IndexStmt", of_index},
    {"RenameStmt", of_rename},
    {"AlterObjectSchemaStmt", of_move},
    {"CreateSchemaStmt", of_schema},
};

Names created_by_node(Node statement) {
  auto const rule = std::ranges::find(rules, statement.type(), &Rule::type);
  return rule == std::end(rules) ? Names{} : rule->names(statement);
}

}  // namespace

std::vector<std::pair<std::string, std::string>> pg::created_by(Node statement) {
  return created_by_node(statement);
}

std::vector<std::pair<std::string, std::string>> created_by(Statement const& statement) {
  auto const tree = pg::parse(statement.sql.text);
  return tree.statements.empty() ? Names{} : created_by_node(tree.statements[0].node);
}

}  // namespace runbookd::planner
