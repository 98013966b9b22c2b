// Indexes: CREATE, ALTER and REINDEX.
#include <algorithm>

#include "planner/effects_recorder.h"
#include "planner/replay.h"
#include "planner/sql_expression.h"
#include "planner/sql_kind.h"

namespace runbookd::planner {
namespace {

using pg::Node;

bool concurrently(Node statement) {
  return pg::option_set(statement, "params", "concurrently", false);
}

std::vector<Relation const*> tree(Recorder& r, Relation const& top) {
  auto tables = r.catalog.descendants(top.name);
  tables.insert(tables.begin(), &top);
  return tables;
}

// CONCURRENTLY waits for all that may still use the old index, whatever locks they have.
void wait_for_all(Recorder& r, Relation const& table, LockMode mode) {
  r.wait_for("readers");
  r.wait_for("row lockers");
  r.wait_for("snapshots");
  if (table.kind == RelationKind::table && !conflict(mode, LockMode::row_exclusive)) {
    r.wait_for("writers");
  }
}

void reindex_one(Recorder& r, Relation const& table, Index const& index, LockMode mode) {
  r.lock(table, mode);
  r.lock_index(table, index, LockMode::access_exclusive);
  r.scan(table);
  if (table.kind == RelationKind::partitioned_table) {
    return;
  }
  if (mode == LockMode::share) {
    r.rebuild(index);
  } else {
    r.remake(index);  // a new one takes its name
  }
}

void reindex_index(Recorder& r, Node statement, LockMode mode) {
  auto const found = r.index(pg::name_of(statement["relation"]));
  if (!found) {
    return;
  }
  if (found.table->kind != RelationKind::partitioned_table) {
    reindex_one(r, *found.table, *found.index, mode);
    if (mode != LockMode::share) {
      wait_for_all(r, *found.table, mode);
    }
    return;
  }
  r.outside();
  r.lock(*found.table, mode);
  r.lock_index(
      *found.table, *found.index,
      mode == LockMode::share ? LockMode::access_exclusive : LockMode::share_update_exclusive);
  std::vector<RelationName> above{found.index->name};
  for (auto const* part : r.catalog.descendants(found.table->name)) {
    for (auto const& index : part->indexes) {
      if (std::ranges::find(above, index.parent) != above.end()) {
        above.push_back(index.name);
        reindex_one(r, *part, index, mode);
      }
    }
  }
}

void reindex_table(Recorder& r, Relation const& top, LockMode mode) {
  r.lock(top, mode);
  bool const partitioned = top.kind == RelationKind::partitioned_table;
  if (partitioned) {
    r.outside();
  }
  for (auto const* table : partitioned ? tree(r, top) : std::vector{&top}) {
    if (table != &top) {
      r.lock(*table, LockMode::share);  // the list of partitions is locked so in any case
    }
    for (auto const& index : table->indexes) {
      if (table->kind != RelationKind::partitioned_table) {
        reindex_one(r, *table, index, mode);
      }
    }
    r.lock_toast(*table, mode, LockMode::access_exclusive);
    if (mode != LockMode::share && table->kind != RelationKind::partitioned_table) {
      wait_for_all(r, *table, table == &top ? mode : LockMode::share);
    }
  }
}

bool index_there(Recorder& r, Relation const& table, std::string const& name) {
  return !name.empty() && r.catalog.relations().contains(table.name) &&
         r.catalog.find_index({table.name.schema, name});
}

}  // namespace

void effects_of_index(Recorder& r, Node statement) {
  auto const variable = statement["relation"];
  auto const* table = r.relation(variable);
  if (table == nullptr) {
    return;
  }
  auto const mode =
      statement.flag("concurrent") ? LockMode::share_update_exclusive : LockMode::share;
  bool const down = variable.flag("inh") && table->kind == RelationKind::partitioned_table;
  lock_tree(r, *table, mode, down);
  if (statement.flag("concurrent") && table->kind == RelationKind::partitioned_table) {
    r.assume(
        "the server refuses CONCURRENTLY on a partitioned table: build the index of each "
        "partition, then attach it");
  }
  if (index_there(r, *table, statement.text("idxname"))) {
    return;
  }
  if (statement.flag("concurrent")) {
    r.wait_for("snapshots");
    if (table->kind == RelationKind::table) {
      r.wait_for("writers");
    }
  }
  auto const wanted = index_of(r.catalog, *table, statement);
  for (auto const* one : down ? tree(r, *table) : std::vector{table}) {
    auto const same = std::ranges::find_if(one->indexes, [&](Index const& index) {
      return one != table && index.definition == wanted.definition && index.parent.empty() &&
             index.valid;
    });
    if (same != one->indexes.end()) {
      r.lock_index(*one, *same, mode);
    } else {
      r.scan(*one);
    }
  }
  if (statement.flag("unique")) {
    r.breaks("table " + to_sql(table->name),
             "writes of the old application that make duplicates are refused");
  }
}

void effects_of_alter_index(Recorder& r, Node statement) {
  auto const found = r.index(pg::name_of(statement["relation"]));
  if (!found) {
    return;
  }
  for (auto const command : statement.list("cmds")) {
    auto const what = command.text("subtype");
    if (what == "AT_AttachPartition") {
      r.lock_index(*found.table, *found.index, LockMode::share_update_exclusive);
      r.lock(*found.table, LockMode::access_share);
      auto const child = r.index(pg::name_of(command["def"]["name"]));
      if (child) {
        r.lock_index(*child.table, *child.index, LockMode::access_exclusive);
        r.lock(*child.table, LockMode::access_share);
      }
      continue;
    }
    bool const light = what == "AT_SetStatistics" || what == "AT_SetRelOptions" ||
                       what == "AT_ResetRelOptions" || what == "AT_SetOptions" ||
                       what == "AT_ResetOptions";
    r.lock_index(*found.table, *found.index,
                 light ? LockMode::share_update_exclusive : LockMode::access_exclusive);
    if (what == "AT_SetTableSpace" && found.index->tablespace != command.text("name") &&
        !(found.index->tablespace.empty() && command.text("name") == "pg_default")) {
      r.rebuild(*found.index);
    }
  }
}

void effects_of_reindex(Recorder& r, Node statement) {
  auto const kind = statement.text("kind");
  auto const mode = concurrently(statement) ? LockMode::share_update_exclusive : LockMode::share;
  if (kind == "REINDEX_OBJECT_INDEX") {
    reindex_index(r, statement, mode);
    return;
  }
  if (kind == "REINDEX_OBJECT_TABLE") {
    if (auto const* table = r.relation(statement["relation"])) {
      reindex_table(r, *table, mode);
    }
    return;
  }
  if (!r.catalog.complete) {
    r.assume("only tables that are known are listed");
  }
  bool const schema = kind == "REINDEX_OBJECT_SCHEMA";
  if (kind == "REINDEX_OBJECT_SYSTEM") {
    return;
  }
  for (auto const& [name, table] : r.catalog.relations()) {
    bool const stored =
        table.kind == RelationKind::table || table.kind == RelationKind::materialized_view;
    if (stored && (!schema || name.schema == statement.text("name"))) {
      reindex_table(r, table, mode);
    }
  }
}

}  // namespace runbookd::planner
