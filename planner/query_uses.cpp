// Which relations, and which of their columns, a query names.
#include <algorithm>
#include <set>
#include <utility>

#include "planner/replay.h"
#include "planner/sql_expression.h"

namespace runbookd::planner {

using pg::Node;

std::vector<Reference> references_of(Node query) {
  std::set<std::string> common;  // WITH names; they hide tables
  std::vector<Reference> found;
  auto const nodes = pg::every(query);
  for (auto const node : nodes) {
    if (node.is("CommonTableExpr")) {
      common.insert(node.text("ctename"));
    }
  }
  auto const add = [&](Node node) {
    auto const name = pg::name_of(node);
    if (!name.empty() && (!name.schema.empty() || !common.contains(name.name))) {
      found.push_back({node, name});
    }
  };
  for (auto const node : nodes) {
    if (node.is("RangeVar")) {
      add(node);
    }
    if (node.is("InsertStmt") || node.is("UpdateStmt") || node.is("DeleteStmt") ||
        node.is("MergeStmt")) {
      add(node["relation"]);
    }
  }
  return found;
}

std::vector<Use> uses_of(Catalog const& catalog, Node query) {
  std::set<std::pair<std::string, std::string>> words;  // of which table's alias, if that is said
  bool star = false;
  for (auto const node : pg::every(query)) {
    if (node.is("ColumnRef")) {
      auto const fields = node.list("fields");
      star = star || (!fields.empty() && fields.back().is("A_Star"));
      auto const names = pg::names(fields);
      auto const qualifier = names.size() > 1 ? names[names.size() - 2] : std::string();
      words.emplace(qualifier, names.empty() ? "" : names.back());
    }
  }
  std::vector<Use> uses;
  for (auto const& reference : references_of(query)) {
    auto const* relation = catalog.find(reference.name);
    if (relation == nullptr ||
        std::ranges::any_of(uses, [&](auto& use) { return use.relation == relation->name; })) {
      continue;
    }
    auto const alias = reference.node["alias"].text("aliasname");
    auto const& called = alias.empty() ? reference.name.name : alias;
    Use use{.relation = relation->name};
    for (auto const& column : relation->columns) {
      if (star || words.contains({"", column.name}) || words.contains({called, column.name})) {
        use.columns.push_back(column.name);
      }
    }
    std::ranges::sort(use.columns);
    uses.push_back(std::move(use));
  }
  std::ranges::sort(uses, {}, &Use::relation);
  return uses;
}

}  // namespace runbookd::planner
