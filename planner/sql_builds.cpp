// What a statement builds or writes anew, by its tree.
#include <algorithm>
#include <array>
#include <string_view>

#include "planner/pg_tree.h"
#include "planner/phase_needs.h"
#include "planner/sql_kind.h"

namespace runbookd::planner {
namespace {

using pg::Node;
using namespace std::string_view_literals;

PhaseTable table_in(Node relation) {
  return {.schema = relation.text("schemaname"), .name = relation.text("relname")};
}

IndexBuild build_of(Node index) {
  IndexBuild build{.table = table_in(index["relation"]), .name = index.text("idxname")};
  for (auto const* list : {"indexParams", "indexIncludingParams"}) {
    for (auto const& part : index.list(list)) {
      if (auto column = part.text("name"); !column.empty()) {
        build.columns.push_back(std::move(column));
      } else {
        ++build.expressions;
      }
    }
  }
  return build;
}

bool rewrites(Node alter) {
  constexpr std::array kinds{"AT_AlterColumnType"sv, "AT_SetLogged"sv, "AT_SetUnLogged"sv,
                             "AT_SetTableSpace"sv, "AT_SetAccessMethod"sv};
  auto const commands = alter.list("cmds");
  return std::ranges::any_of(commands, [&](Node command) {
    return std::ranges::find(kinds, command.text("subtype")) != kinds.end();
  });
}

void add(HeavyWork& work, Node node) {
  bool const alters = node.is("AlterTableStmt") && rewrites(node);
  if (node.is("IndexStmt")) {
    work.builds.push_back(build_of(node));
  } else if (alters || node.is("ClusterStmt")) {
    work.rewrites.push_back(table_in(node["relation"]));
  } else if (node.is("VacuumStmt") && pg::option_set(node, "options", "full", false)) {
    for (auto const& one : node.list("rels")) {
      work.rewrites.push_back(table_in(one["relation"]));
    }
  }
}

}  // namespace

HeavyWork heavy_work(Statement const& statement) {
  HeavyWork work;
  auto const tree = pg::parse(statement.sql.text);
  for (auto const& parsed : tree.statements) {
    add(work, parsed.node);
  }
  return work;
}

}  // namespace runbookd::planner
