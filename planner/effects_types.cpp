// Types and domains: the tables whose columns are of them.
#include <algorithm>

#include "planner/effects_recorder.h"
#include "planner/sql_expression.h"

namespace runbookd::planner {
namespace {

using pg::Node;

bool is_of(Catalog const& catalog, TypeName type, RelationName const& domain) {
  while (true) {
    if (RelationName{type.schema, type.name} == domain) {
      return true;
    }
    auto const* info = catalog.find_type(type);
    if (info == nullptr || info->kind != TypeInfo::Kind::domain) {
      return false;
    }
    type = info->base;
  }
}

void check_columns(Recorder& r, RelationName const& domain) {
  for (auto const& [name, table] : r.catalog.relations()) {
    bool const stored =
        table.kind == RelationKind::table || table.kind == RelationKind::materialized_view;
    bool const uses = std::ranges::any_of(
        table.columns, [&](Column const& c) { return is_of(r.catalog, c.type, domain); });
    if (stored && uses) {
      r.lock(table, LockMode::share);
      r.scan(table);
    }
  }
}

void alter_domain(Recorder& r, Node statement) {
  auto const what = statement.text("subtype");
  bool const checks =
      what == "O" || what == "V" || (what == "C" && !statement["def"].flag("skip_validation"));
  auto const name = pg::name_of(statement.list("typeName"));
  auto const* domain = r.catalog.find_type({.schema = name.schema, .name = name.name});
  if (!checks) {
    return;
  }
  if (domain == nullptr) {
    if (!r.catalog.complete) {
      r.assume("which columns are of domain " + to_sql(name) +
               " is not known: every such table is locked (ShareLock) and read");
    }
    return;
  }
  if (what == "O" && domain->not_null) {
    return;
  }
  check_columns(r, domain->name);
}

// Tables made OF the type follow it.
void alter_composite(Recorder& r, RelationName const& written, bool rewrites_rows) {
  auto const* type = r.catalog.find_type({.schema = written.schema, .name = written.name});
  if (type == nullptr) {
    return;
  }
  for (auto const& [name, table] : r.catalog.relations()) {
    if (table.of_type == type->name) {
      lock_tree(r, table, LockMode::access_exclusive, true);
      if (rewrites_rows) {
        r.lock(table, LockMode::access_share);
        r.rewrite(table);
      }
    }
  }
}

}  // namespace

void effects_of_types(Recorder& r, Node statement) {
  if (statement.is("AlterDomainStmt")) {
    alter_domain(r, statement);
    return;
  }
  auto const commands = statement.list("cmds");
  bool const retyped = std::ranges::any_of(
      commands, [](Node c) { return c.text("subtype") == "AT_AlterColumnType"; });
  alter_composite(r, pg::name_of(statement["relation"]), retyped);
}

}  // namespace runbookd::planner
