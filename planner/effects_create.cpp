// CREATE TABLE: nothing sees the new table yet, but what it refers to does.
#include <algorithm>

#include "planner/effects_recorder.h"
#include "planner/sql_expression.h"

namespace runbookd::planner {
namespace {

using pg::Node;

void partition_of(Recorder& r, Relation const& parent, Node bound) {
  r.lock(parent, LockMode::access_exclusive);
  r.lock_indexes(parent, LockMode::share_update_exclusive);
  auto const conditions =
      pg::conditions_of_bound(bound, parent.partition_strategy, parent.partition_key);
  for (auto const* sibling : r.catalog.children(parent.name)) {
    if (!sibling->default_partition) {
      continue;
    }
    for (auto const* part : [&] {
           auto all = r.catalog.descendants(sibling->name);
           all.insert(all.begin(), sibling);
           return all;
         }()) {
      r.lock(*part, LockMode::access_exclusive);
      bool proven = false;
      for (auto const& check : part->constraints) {
        proven = proven || (check.kind == Constraint::Kind::check && check.validated &&
                            pg::excludes(check.expression.conditions, conditions));
      }
      if (!proven) {
        r.scan(*part);
      }
    }
  }
  for (auto const& key : parent.constraints) {
    if (key.kind == Constraint::Kind::foreign_key) {
      lock_referenced(r, key.references, LockMode::share_row_exclusive);
    }
  }
  for (auto const* other : referencing_above(r.catalog, parent)) {
    if (!other->partition) {  // the key stands on the table above
      r.lock(*other, r.major >= 15 ? LockMode::share_row_exclusive : LockMode::access_share);
    }
  }
  for (auto const& trigger : parent.triggers) {
    if (auto const* partner = r.catalog.find(trigger.partner); partner != nullptr) {
      r.lock(*partner, LockMode::access_share);
    }
  }
}

void refer(Recorder& r, Node constraint, RelationName const& made, RelationKind kind) {
  if (constraint.text("contype") != "CONSTR_FOREIGN") {
    return;
  }
  auto const name = pg::name_of(constraint["pktable"]);
  if (name.name == made.name && (name.schema.empty() || name.schema == made.schema)) {
    return;  // itself
  }
  if (auto const* other = r.relation(name)) {
    r.lock(*other, LockMode::share_row_exclusive);
    lock_referenced(r, other->name, LockMode::share_row_exclusive);
    Relation const table{.name = made, .kind = kind};
    add_key_triggers(r, table, *other, pg::names(constraint.list("pk_attrs")));
  }
}

}  // namespace

void effects_of_create_table(Recorder& r, Node statement) {
  auto const base = statement.is("CreateForeignTableStmt") ? statement["base"] : statement;
  auto const variable = base["relation"];
  bool const temporary = variable.text("relpersistence") == "t";
  auto const made = r.catalog.made_as(pg::name_of(variable), temporary);
  if (r.catalog.relations().contains(made)) {
    return;  // IF NOT EXISTS; otherwise it fails
  }
  for (auto const node : base.list("inhRelations")) {
    auto const* parent =
        r.relation(node, base["partbound"] ? RelationKind::partitioned_table : RelationKind::table);
    if (parent == nullptr) {
      continue;
    }
    if (base["partbound"]) {
      partition_of(r, *parent, base["partbound"]);
    } else {
      r.lock(*parent, LockMode::share_update_exclusive);
    }
  }
  auto const kind = base["partspec"] ? RelationKind::partitioned_table : RelationKind::table;
  for (auto const element : base.list("tableElts")) {
    if (element.is("TableLikeClause")) {
      if (auto const* source = r.relation(element["relation"])) {
        r.lock(*source, LockMode::access_share);
      }
    } else if (element.is("Constraint")) {
      refer(r, element, made, kind);
    } else {
      for (auto const constraint : element.list("constraints")) {
        refer(r, constraint, made, kind);
      }
    }
  }
}

}  // namespace runbookd::planner
