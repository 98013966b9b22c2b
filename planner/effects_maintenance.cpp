// VACUUM, ANALYZE and CLUSTER.
#include <algorithm>

#include "planner/effects_recorder.h"
#include "planner/sql_expression.h"
#include "planner/sql_kind.h"

namespace runbookd::planner {
namespace {

using pg::Node;

bool stored(Relation const& relation) {
  return relation.kind == RelationKind::table || relation.kind == RelationKind::materialized_view;
}

struct Vacuum {
  bool vacuum, full, truncates;
};

void vacuum_table(Recorder& r, Relation const& table, Vacuum const& how) {
  if (how.full) {
    r.lock(table, LockMode::access_exclusive);
    r.rewrite(table);
    return;
  }
  r.lock(table, LockMode::share_update_exclusive);
  r.maybe_scan(table);
  if (how.vacuum) {
    r.lock_indexes(table, LockMode::row_exclusive);
    r.lock_toast(table, LockMode::share_update_exclusive, LockMode::row_exclusive);
  } else {
    r.lock_indexes(table, LockMode::access_share);
  }
  if (how.vacuum && how.truncates && table.tail_empty) {
    r.lock(table, LockMode::access_exclusive, false);
  }
}

void every_table(Recorder& r, Vacuum const& how) {
  for (auto const& [name, table] : r.catalog.relations()) {
    if (stored(table) || (table.kind == RelationKind::partitioned_table && !how.full)) {
      if (table.kind != RelationKind::partitioned_table || !how.vacuum) {
        vacuum_table(r, table, how);
      }
    }
  }
  if (!r.catalog.complete) {
    r.assume("only tables that are known are listed; it works on every table of the database");
  }
}

void vacuum(Recorder& r, Node statement) {
  Vacuum const how{.vacuum = statement.flag("is_vacuumcmd"),
                   .full = pg::option_set(statement, "options", "full", false),
                   .truncates = pg::option_set(statement, "options", "truncate", true)};
  auto const relations = statement.list("rels");
  if (relations.empty()) {
    every_table(r, how);
    return;
  }
  for (auto const one : relations) {
    auto const* table = r.relation(one["relation"]);
    if (table == nullptr) {
      continue;
    }
    r.lock(*table, LockMode::access_share);  // to find it, before it is worked on
    vacuum_table(r, *table, how);
    bool const partitioned = table->kind == RelationKind::partitioned_table;
    bool const alone = !one["relation"].flag("inh");  // ONLY, from version 18 on
    for (auto const* below : r.catalog.descendants(table->name)) {
      if ((partitioned || r.major >= 18) && !alone) {
        vacuum_table(r, *below, how);
      } else if (!how.vacuum || pg::option_set(statement, "options", "analyze", false)) {
        r.lock(*below, LockMode::access_share);
        r.maybe_scan(*below);
      }
    }
  }
}

void cluster(Recorder& r, Node statement) {
  if (!statement["relation"]) {
    r.outside();
    for (auto const& [name, table] : r.catalog.relations()) {
      if (std::ranges::any_of(table.indexes, &Index::clustered)) {
        r.lock(table, LockMode::access_exclusive);
        r.rewrite(table);
      }
    }
    return;
  }
  auto const* table = r.relation(statement["relation"]);
  if (table == nullptr) {
    return;
  }
  r.lock(*table, LockMode::access_exclusive);
  r.rewrite(*table);
  if (table->kind == RelationKind::partitioned_table) {
    r.outside();
    for (auto const* below : r.catalog.descendants(table->name)) {
      r.lock(*below, LockMode::access_exclusive);
      r.rewrite(*below);
    }
  }
}

}  // namespace

void effects_of_maintenance(Recorder& r, Node statement) {
  if (statement.is("VacuumStmt")) {
    vacuum(r, statement);
  } else {
    cluster(r, statement);
  }
}

}  // namespace runbookd::planner
