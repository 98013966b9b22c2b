// Constraints that are added: to a table, or with a column.
#include <algorithm>

#include "planner/effects_recorder.h"
#include "planner/replay.h"
#include "planner/sql_expression.h"

namespace runbookd::planner {
namespace {

using pg::Node;

std::string words(Relation const& table) { return "table " + to_sql(table.name); }

std::vector<Relation const*> tables_of(Recorder& r, Relation const& table, bool down) {
  std::vector<Relation const*> tables{&table};
  if (down) {
    auto const below = r.catalog.descendants(table.name);
    tables.insert(tables.end(), below.begin(), below.end());
  }
  return tables;
}

void check(Recorder& r, Relation const& table, Node node, bool down) {
  bool const children = down && !node.flag("is_no_inherit");
  for (auto const* one : tables_of(r, table, children)) {
    r.lock(*one, LockMode::access_exclusive);
    auto const name = node.text("conname");
    bool const merged = one != &table && !name.empty() && one->constraint(name) != nullptr;
    if (!node.flag("skip_validation") && !merged) {
      r.scan(*one);
    }
  }
  if (!node.flag("not_enforced")) {
    r.breaks(words(table),
             "writes of the old application that the CHECK does not allow are refused");
  }
}

bool has_key(Relation const& table, std::vector<std::string> const& columns,
             RelationName const& other) {
  return std::ranges::any_of(table.constraints, [&](Constraint const& c) {
    return c.kind == Constraint::Kind::foreign_key && c.columns == columns && c.references == other;
  });
}

void foreign_key(Recorder& r, Relation const& table, Node node, bool down, bool new_column,
                 std::string const& column) {
  auto const* other = r.relation(node["pktable"]);
  if (other == nullptr) {
    return;
  }
  auto columns = pg::names(node.list("fk_attrs"));
  if (columns.empty()) {
    columns = {column};
  }
  lock_referenced(r, other->name, LockMode::share_row_exclusive);
  r.lock(*other, LockMode::share_row_exclusive);
  add_key_triggers(r, table, *other, pg::names(node.list("pk_attrs")));
  bool const scans = !node.flag("skip_validation") && !new_column;
  bool const partitioned = table.kind == RelationKind::partitioned_table;
  for (auto const* one : tables_of(r, table, down && partitioned)) {
    r.lock(*one, LockMode::share_row_exclusive);
    add_key_triggers(r, *one, *other, {});
    if (one != &table && has_key(*one, columns, other->name)) {
      continue;
    }
    if (scans) {
      r.scan(*one);
      check_keys(r, *one, *other);
    }
  }
  if (scans && other != &table) {
    for (auto const* one : tables_of(r, *other, true)) {
      r.maybe_scan(*one);
    }
  }
  if (!node.flag("not_enforced")) {
    r.breaks(words(table), "rows of the old application without a partner in " +
                               to_sql(other->name) + " are refused");
  }
}

// A NOT NULL constraint of the table, as version 18 has it. That of a new column is told with it.
void named_not_null(Recorder& r, Relation const& table, Node node, bool down) {
  for (auto const& name : pg::names(node.list("keys"))) {
    for (auto const* one : tables_of(r, table, down && !node.flag("is_no_inherit"))) {
      r.lock(*one, LockMode::access_exclusive);
      auto const* column = one->column(name);
      bool const holds = column != nullptr && (column->not_null || proven_not_null(*one, name));
      if (!node.flag("skip_validation") && !holds) {
        r.scan(*one);
      }
    }
    r.breaks("column " + to_sql(table.name) + "." + quoted_identifier(name),
             "writes of the old application that leave it NULL are refused");
  }
}

// NOT NULL of the columns of a primary key.
void not_null(Recorder& r, Relation const& table, std::vector<std::string> const& columns,
              bool down) {
  for (auto const* one : tables_of(r, table, down)) {
    r.lock(*one, LockMode::access_exclusive);
    for (auto const& name : columns) {
      auto const* column = one->column(name);
      if (column != nullptr && !column->not_null && !proven_not_null(*one, name)) {
        r.scan(*one);
      }
    }
  }
}

void indexed(Recorder& r, Relation const& table, Node node, bool down, std::string const& column) {
  bool const primary = node.text("contype") == "CONSTR_PRIMARY";
  auto columns = pg::names(node.list("keys"));
  if (auto const name = node.text("indexname"); !name.empty()) {
    if (auto const* index = table.index(name)) {
      r.lock_index(table, *index, LockMode::share_update_exclusive);
      columns = index->columns;
    } else if (!r.catalog.complete && primary) {
      r.assume("the columns of index " + quoted_identifier(name) + " are taken for NOT NULL");
    }
  } else {
    auto const named = node.text("conname");
    auto const label = primary                                      ? "pkey"
                       : node.text("contype") == "CONSTR_EXCLUSION" ? "excl"
                                                                    : "key";
    auto const keys = primary                              ? std::vector<std::string>{}
                      : columns.empty() && !column.empty() ? std::vector{column}
                                                           : columns;
    r.create({table.name.schema, named.empty() ? free_name(r.catalog, table, keys, label) : named});
    bool const parts = down && table.kind == RelationKind::partitioned_table;
    for (auto const* one : tables_of(r, table, parts)) {
      r.lock(*one, LockMode::share);
      auto const there = std::ranges::any_of(one->indexes, [&](Index const& i) {
        return one != &table && i.unique && i.columns == columns && i.parent.empty() && i.valid;
      });
      if (!there) {
        r.scan(*one);
      }
    }
  }
  if (primary) {
    not_null(r, table, columns, down);
  }
  r.breaks(words(table), "writes of the old application that make duplicates are refused");
}

}  // namespace

// A dependency on a relation is recorded under a lock on it by version 15 alone.
bool locks_dependencies(Recorder const& r) {
  constexpr int version = 15;
  return r.major == version;
}

void lock_sequences(Recorder& r, Expression const& value) {
  for (auto const& name : value.relations) {
    auto const* sequence = r.catalog.find(name);
    if (locks_dependencies(r) && sequence != nullptr) {
      r.lock(*sequence, LockMode::access_share);
    }
  }
}

void add_key_triggers(Recorder& r, Relation const& table, Relation const& other,
                      std::vector<std::string> const& columns) {
  constexpr int partitioned_too = 15;
  if (table.kind != RelationKind::partitioned_table || r.major >= partitioned_too) {
    if (r.catalog.relations().contains(table.name)) {
      r.lock(table, LockMode::access_share);
    }
    r.lock(other, LockMode::access_share);
  }
  for (auto const& index : other.indexes) {
    bool const named = !columns.empty() && index.columns == columns;
    auto const* key = other.constraint(index.name.name);
    bool const primary =
        columns.empty() && key != nullptr && key->kind == Constraint::Kind::primary_key;
    if (locks_dependencies(r) && index.unique && (named || primary)) {
      r.lock_index(other, index, LockMode::access_share);
    }
  }
}

void check_keys(Recorder& r, Relation const& table, Relation const& other) {
  r.lock_with_indexes(table, LockMode::access_share);
  r.lock_with_indexes(other, LockMode::access_share);
  r.lock(other, LockMode::row_share);
}

void lock_referenced(Recorder& r, RelationName const& name, LockMode mode) {
  auto const* other = r.catalog.find(name);
  if (other == nullptr) {
    return;
  }
  r.lock(*other, mode);
  for (auto const* part : r.catalog.descendants(name)) {
    if (part->partition) {
      r.lock(*part, mode);
    }
  }
}

std::vector<Relation const*> referencing_above(Catalog const& catalog, Relation const& table) {
  auto found = catalog.referencing(table.name);
  for (auto const& name : table.parents) {
    auto const* parent = catalog.find(name);
    if (table.partition && parent != nullptr) {
      auto const above = referencing_above(catalog, *parent);
      found.insert(found.end(), above.begin(), above.end());
    }
  }
  return found;
}

bool inherits_key_to(Relation const& partition, RelationName const& table) {
  return partition.partition && std::ranges::none_of(partition.constraints, [&](auto const& key) {
           return key.kind == Constraint::Kind::foreign_key && key.references == table &&
                  !key.inherited;
         });
}

void add_constraint_effects(Recorder& r, Relation const& table, Node node, bool down,
                            bool new_column, std::string const& column) {
  auto const type = node.text("contype");
  if (type == "CONSTR_CHECK") {
    check(r, table, node, down);
  } else if (type == "CONSTR_FOREIGN") {
    foreign_key(r, table, node, down, new_column, column);
  } else if (type == "CONSTR_NOTNULL") {
    named_not_null(r, table, node, down);
  } else if (type == "CONSTR_PRIMARY" || type == "CONSTR_UNIQUE" || type == "CONSTR_EXCLUSION") {
    indexed(r, table, node, down, column);
  }
}

}  // namespace runbookd::planner
