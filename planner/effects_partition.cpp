// ATTACH and DETACH PARTITION: proofs from constraints, and the foreign keys that come along.
#include <algorithm>

#include "planner/effects_recorder.h"
#include "planner/sql_expression.h"

namespace runbookd::planner {
namespace {

using pg::Node;

std::vector<Condition> known_of(Relation const& table) {
  std::vector<Condition> known;
  for (auto const& column : table.columns) {
    if (column.not_null) {
      known.push_back({column.name, "is not null", ""});
    }
  }
  for (auto const& constraint : table.constraints) {
    if (constraint.kind == Constraint::Kind::check && constraint.validated && constraint.enforced) {
      auto const& conditions = constraint.expression.conditions;
      known.insert(known.end(), conditions.begin(), conditions.end());
    }
  }
  return known;
}

Relation const* default_of(Recorder& r, Relation const& table) {
  for (auto const* child : r.catalog.children(table.name)) {
    if (child->default_partition) {
      return child;
    }
  }
  return nullptr;
}

std::vector<Relation const*> tree(Recorder& r, Relation const& top) {
  auto tables = r.catalog.descendants(top.name);
  tables.insert(tables.begin(), &top);
  return tables;
}

bool matching_index(Relation const& partition, Index const& wanted) {
  return std::ranges::any_of(partition.indexes, [&](Index const& index) {
    return index.definition == wanted.definition && index.valid && index.parent.empty();
  });
}

// What the rows of the default partition must not be.
void check_default(Recorder& r, Relation const& table, std::vector<Condition> const& bound) {
  auto const* rest = default_of(r, table);
  if (rest == nullptr) {
    return;
  }
  for (auto const* part : tree(r, *rest)) {
    r.lock(*part, LockMode::access_exclusive);
    if (!pg::excludes(known_of(*part), bound)) {
      r.scan(*part);
    }
  }
}

void attach_keys(Recorder& r, Relation const& table, Relation const& partition) {
  for (auto const& key : table.constraints) {
    if (key.kind != Constraint::Kind::foreign_key) {
      continue;
    }
    bool const there = std::ranges::any_of(partition.constraints, [&](Constraint const& c) {
      return c.kind == key.kind && c.columns == key.columns && c.references == key.references;
    });
    lock_referenced(r, key.references, LockMode::share_row_exclusive);
    if (there) {
      lock_referenced(r, key.references, LockMode::access_exclusive);
    }
    if (auto const* other = r.catalog.find(key.references)) {
      std::ranges::for_each(tree(r, *other), [&](auto const* part) { r.maybe_scan(*part); });
    }
    for (auto const* part : tree(r, partition)) {
      if (!there) {
        r.scan(*part);
      }
    }
  }
  for (auto const* other : r.catalog.referencing(table.name)) {
    r.lock(*other, LockMode::access_share);
    if (r.major >= 15) {
      r.lock(*other, LockMode::share_row_exclusive);
    }
    r.lock(partition, LockMode::share_row_exclusive);
  }
}

}  // namespace

void attach_partition(Recorder& r, Relation const& table, Node definition) {
  auto const* partition = r.relation(definition["name"]);
  if (partition == nullptr) {
    return;
  }
  auto const bound_node = definition["bound"];
  auto const bound =
      pg::conditions_of_bound(bound_node, table.partition_strategy, table.partition_key);
  auto wanted = bound;
  if (bound_node.flag("is_default")) {
    // whatever the others take must not be in it
    wanted = {{"", "default", ""}};
    auto const siblings = r.catalog.children(table.name);
    auto const known = known_of(*partition);
    bool const all_known = r.catalog.complete || r.catalog.find(table.name) != nullptr;
    if (!all_known) {
      r.assume("what the other partitions of " + to_sql(table.name) +
               " take is not known, so it is read whether rows belong there");
    }
    if (all_known &&
        std::ranges::all_of(siblings, [&](auto* s) { return pg::excludes(known, s->bound); })) {
      wanted.clear();
    }
  } else if (table.partition_strategy.empty()) {
    r.assume("no CHECK constraint of " + to_sql(partition->name) +
             " proves that its rows belong there");
    wanted = {{"", "unknown", ""}};
  }
  r.lock_indexes(table, LockMode::share_update_exclusive);
  r.lock_indexes(*partition, LockMode::access_share);
  if (table.partition_strategy == "hash") {
    r.lock(table, LockMode::access_share);  // each row is asked for its place there
  }
  for (auto const* part : tree(r, *partition)) {
    r.lock(*part, LockMode::access_exclusive);
    auto known = known_of(*part);
    if (part != partition) {
      auto const above = known_of(*partition);
      known.insert(known.end(), above.begin(), above.end());
      known.insert(known.end(), part->bound.begin(), part->bound.end());
    }
    if (!pg::implies(known, wanted)) {
      r.scan(*part);
    }
    for (auto const& index : table.indexes) {
      if (index.valid && !matching_index(*part, index)) {
        r.scan(*part);
      }
    }
  }
  check_default(r, table, bound);
  attach_keys(r, table, *partition);
}

void detach_partition(Recorder& r, Relation const& table, Node definition, bool finalize) {
  auto const* partition = r.relation(definition["name"]);
  if (partition == nullptr) {
    return;
  }
  bool const concurrent = definition.flag("concurrent");
  bool const weak = r.major < 14;
  r.lock(*partition, weak ? LockMode::share_update_exclusive : LockMode::access_exclusive);
  for (auto const* below : r.catalog.descendants(partition->name)) {
    r.lock(*below, LockMode::access_exclusive);  // what they may hold is made anew
  }
  for (auto const& index : partition->indexes) {
    if (!index.parent.empty()) {
      r.lock_index(*partition, index, LockMode::access_exclusive);
    }
  }
  if (auto const* rest = default_of(r, table); rest != nullptr && !finalize && !concurrent) {
    r.lock(*rest, LockMode::access_exclusive);
  }
  for (auto const& key : partition->constraints) {
    if (key.kind == Constraint::Kind::foreign_key && key.inherited) {
      lock_referenced(r, key.references, LockMode::share_row_exclusive);
    }
  }
  for (auto const* other : r.catalog.referencing(table.name)) {
    r.lock(*other, inherits_key_to(*other, table.name) ? LockMode::access_share
                                                       : LockMode::access_exclusive);
    if (!weak || partition->kind != RelationKind::partitioned_table) {
      r.lock(*partition, LockMode::access_exclusive);
    }
    r.maybe_scan(*other);
    r.maybe_scan(*partition);
  }
  r.breaks("table " + to_sql(table.name),
           "queries of the old application no longer find the rows "
           "of " +
               to_sql(partition->name));
}

}  // namespace runbookd::planner
