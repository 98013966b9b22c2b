// Which rights reading and writing rows asks for.
#include <algorithm>
#include <set>
#include <utility>

#include "planner/sql_needs.h"

namespace runbookd::planner::pg {
namespace {

// Every name in WITH: they look like tables where they are used.
std::set<std::string> common_tables(Every nodes) {
  std::set<std::string> found;
  for (auto const& node : nodes) {
    if (node.is("CommonTableExpr")) {
      found.insert(node.text("ctename"));
    }
  }
  return found;
}

// One for each column of the list; for the relation where it names none.
Needs for_columns(Need::Kind kind, Node relation, Nodes columns) {
  Needs needs;
  for (auto const& column : columns) {
    if (auto const name = column.text("name"); !name.empty()) {
      needs.push_back(need(kind, relation, name));
    }
  }
  return needs.empty() ? Needs{need(kind, relation)} : needs;
}

Needs for_insert(Node node) {
  auto const relation = node["relation"];
  auto needs = for_columns(Need::Kind::insert, relation, node.list("cols"));
  auto const conflict = node["onConflictClause"];
  bool const updates = conflict.text("action") == "ONCONFLICT_UPDATE";
  return updates ? std::move(needs) +
                       for_columns(Need::Kind::update, relation, conflict.list("targetList"))
                 : needs;
}

// "SET a = b + 1" reads b. With FROM, b may be a column of another relation.
bool reads_itself(Node update) {
  auto const assigned = update.list("targetList");
  return !update.has("fromClause") && std::ranges::any_of(assigned, [](Node const& target) {
    auto const nodes = every(target["val"]);
    return std::ranges::any_of(nodes, [](Node const& node) { return node.is("ColumnRef"); });
  });
}

Needs for_change(Node node) {
  auto const relation = node["relation"];
  bool const update = node.is("UpdateStmt");
  bool const reads =
      node.has("whereClause") || node.has("returningList") || (update && reads_itself(node));
  auto const read = reads ? Needs{need(Need::Kind::select, relation)} : Needs{};
  return (update ? for_columns(Need::Kind::update, relation, node.list("targetList"))
                 : Needs{need(Need::Kind::remove, relation)}) +
         read;
}

Needs for_merge(Node node) {
  auto const relation = node["relation"];
  Needs needs{need(Need::Kind::select, relation)};
  for (auto const& clause : node.list("mergeWhenClauses")) {
    auto const command = clause.text("commandType");
    if (command == "CMD_INSERT") {
      needs =
          std::move(needs) + for_columns(Need::Kind::insert, relation, clause.list("targetList"));
    } else if (command == "CMD_UPDATE") {
      needs =
          std::move(needs) + for_columns(Need::Kind::update, relation, clause.list("targetList"));
    } else if (command == "CMD_DELETE") {
      needs.push_back(need(Need::Kind::remove, relation));
    }
  }
  return needs;
}

// A table that is changed stands in its own field, so it is not among the relations that are read.
bool is_changed_by(Node statement) {
  return statement.is("InsertStmt") || statement.is("UpdateStmt") || statement.is("DeleteStmt") ||
         statement.is("MergeStmt");
}

Needs changed(Node statement) {
  if (statement.is("InsertStmt")) {
    return for_insert(statement);
  }
  return statement.is("MergeStmt") ? for_merge(statement) : for_change(statement);
}

}  // namespace

Needs needs_for_rows(Node statement) {
  auto const nodes = every(statement, "lockedRels");  // those are aliases
  auto const common = common_tables(nodes);
  Needs needs;
  for (auto const& node : nodes) {
    if (is_changed_by(node)) {
      needs = std::move(needs) + changed(node);
    } else if (node.is("RangeVar") &&
               (node.has("schemaname") || !common.contains(node.text("relname")))) {
      needs.push_back(need(Need::Kind::select, node));
    }
  }
  return needs;
}

Needs needs_for_copy(Node statement) {
  auto const relation = statement["relation"];
  if (!relation) {
    return needs_for_rows(statement["query"]);
  }
  return {need(statement.flag("is_from") ? Need::Kind::insert : Need::Kind::select, relation)};
}

}  // namespace runbookd::planner::pg
