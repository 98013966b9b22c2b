#include "planner/fallout.h"

#include <algorithm>

namespace runbookd::planner {
namespace {

template <typename List, typename Item>
bool has(List const& list, Item const& item) {
  return std::ranges::find(list, item) != std::ranges::end(list);
}

bool backs(Index const& index, Constraint const& constraint) {
  return index.constraint && index.name.name == constraint.name;
}

bool is_key(Constraint const& constraint) {
  return constraint.kind == Constraint::Kind::primary_key ||
         constraint.kind == Constraint::Kind::unique;
}

}  // namespace

// A key to a partitioned table is one to each of its partitions.
void Fallout::drop_keys_above(Relation const& partition) {
  for (auto const& name : partition.parents) {
    auto const* parent = catalog_->find(name);
    if (partition.partition && parent != nullptr && !relations.contains(name)) {
      drop_keys_to(name, nullptr);
      drop_keys_above(*parent);
    }
  }
}

bool Fallout::dependents(RelationName const& name) {
  if (!cascade_) {
    refused.insert(name);
  }
  return cascade_;
}

// The triggers of a foreign key stand on both tables, from version 15 on on partitioned ones too.
// The key of a partition relies on those of the table above.
void Fallout::drop_foreign_key(Relation const& table, Constraint const& key) {
  locked.insert(table.name);
  if (table.partition && key.inherited) {
    return;
  }
  auto const has_triggers = [this](Relation const* one) {
    return major_ >= 15 || one == nullptr || one->kind != RelationKind::partitioned_table;
  };
  if (has_triggers(catalog_->find(key.references))) {
    locked.insert(key.references);
  }
  for (auto const* part : catalog_->descendants(key.references)) {
    if (part->partition && has_triggers(part)) {
      locked.insert(part->name);
    }
  }
}

void Fallout::drop_keys_to(RelationName const& table, Constraint const* key) {
  for (auto const* other : catalog_->referencing(table)) {
    for (auto const& constraint : other->constraints) {
      bool const this_key = key == nullptr || constraint.referenced_columns == key->columns;
      if (constraint.kind == Constraint::Kind::foreign_key && constraint.references == table &&
          this_key && !relations.contains(other->name) && other->name != table &&
          dependents(other->name)) {
        drop_constraint(other->name, constraint.name);
      }
    }
  }
}

void Fallout::drop_constraint(RelationName const& name, std::string const& constraint) {
  auto const* table = catalog_->find(name);
  auto const* found = table == nullptr ? nullptr : table->constraint(constraint);
  if (found == nullptr || !constraints.insert({name, constraint}).second) {
    return;
  }
  locked.insert(name);
  if (found->kind == Constraint::Kind::foreign_key) {
    drop_foreign_key(*table, *found);
  }
  if (is_key(*found)) {
    drop_keys_to(name, found);
  }
  for (auto const& index : table->indexes) {
    if (backs(index, *found)) {
      drop_index(name, index.name.name);
    }
  }
  for (auto const* child : catalog_->children(name)) {
    if (!found->no_inherit && child->constraint(constraint) != nullptr &&
        (found->kind == Constraint::Kind::check || found->kind == Constraint::Kind::not_null ||
         child->partition)) {
      drop_constraint(child->name, constraint);
    }
  }
}

void Fallout::drop_index(RelationName const& name, std::string const& index) {
  auto const* table = catalog_->find(name);
  auto const* found = table == nullptr ? nullptr : table->index(index);
  if (found == nullptr || !indexes.insert({name, index}).second) {
    return;
  }
  locked.insert(name);
  for (auto const* child : catalog_->children(name)) {
    for (auto const& part : child->indexes) {
      if (part.parent == found->name) {
        drop_index(child->name, part.name.name);
        if (part.constraint) {
          drop_constraint(child->name, part.name.name);
        }
      }
    }
  }
}

void Fallout::drop_trigger(RelationName const& name, std::string const& trigger) {
  auto const* table = catalog_->find(name);
  if (table == nullptr ||
      std::ranges::none_of(table->triggers, [&](auto& t) { return t.name == trigger; }) ||
      !triggers.insert({name, trigger}).second) {
    return;
  }
  locked.insert(name);
  for (auto const* child : catalog_->children(name)) {
    if (child->partition) {
      drop_trigger(child->name, trigger);
    }
  }
}

void Fallout::drop_users_of_column(Relation const& table, std::string const& column) {
  for (auto const* view : catalog_->readers(table.name)) {
    for (auto const& use : view->uses) {
      if (use.relation == table.name && has(use.columns, column) && dependents(view->name)) {
        drop_relation(view->name);
      }
    }
  }
  for (auto const* other : catalog_->referencing(table.name)) {
    for (auto const& key : other->constraints) {
      if (key.kind == Constraint::Kind::foreign_key && key.references == table.name &&
          has(key.referenced_columns, column) && dependents(other->name)) {
        drop_constraint(other->name, key.name);
      }
    }
  }
  for (auto const& user : table.columns) {
    if (user.generated != 0 && user.value && has(user.value->columns, column) &&
        user.name != column && dependents(table.name)) {
      drop_column(table.name, user.name);
    }
  }
}

void Fallout::drop_column(RelationName const& name, std::string const& column) {
  auto const* table = catalog_->find(name);
  if (table == nullptr || table->column(column) == nullptr ||
      !columns.insert({name, column}).second) {
    return;
  }
  drop_own_column(*table, column, Checks::of_all);
  for (auto const* child : catalog_->children(name)) {
    drop_column(child->name, column);
  }
}

void Fallout::drop_column_alone(RelationName const& name, std::string const& column) {
  auto const* table = catalog_->find(name);
  if (table == nullptr || table->column(column) == nullptr) {
    return;
  }
  columns.insert({name, column});
  drop_own_column(*table, column, Checks::own);
  for (auto const* child : catalog_->children(name)) {
    locked.insert(child->name);
  }
}

void Fallout::drop_own_column(Relation const& table, std::string const& column, Checks checks) {
  auto const& name = table.name;
  locked.insert(name);
  for (auto const& index : table.indexes) {
    if (has(index.columns, column) || has(index.expression.columns, column)) {
      drop_index(name, index.name.name);
    }
  }
  for (auto const& constraint : table.constraints) {
    if (has(constraint.columns, column) || has(constraint.expression.columns, column)) {
      if (checks == Checks::own && constraint.kind == Constraint::Kind::check) {
        constraints.insert({name, constraint.name});
        continue;
      }
      drop_constraint(name, constraint.name);
    }
  }
  for (auto const* sequence : catalog_->sequences_of(name)) {
    if (sequence->owner_column == column) {
      drop_relation(sequence->name);
    }
  }
  drop_users_of_column(table, column);
}

void Fallout::drop_users_of_sequence(RelationName const& name) {
  for (auto const& [table, relation] : catalog_->relations()) {
    for (auto const& column : relation.columns) {
      if (column.value && has(column.value->relations, name) && !relations.contains(table) &&
          !columns.contains({table, column.name}) && dependents(table)) {
        defaults.insert({table, column.name});
        locked.insert(table);
      }
    }
  }
}

void Fallout::drop_relation(RelationName const& name) {
  auto const* relation = catalog_->find(name);
  if (relation == nullptr || !relations.insert(name).second) {
    return;
  }
  locked.insert(name);
  for (auto const& index : relation->indexes) {
    indexes.insert({name, index.name.name});
  }
  for (auto const& constraint : relation->constraints) {
    if (constraint.kind == Constraint::Kind::foreign_key) {
      drop_foreign_key(*relation, constraint);
    }
  }
  for (auto const* sequence : catalog_->sequences_of(name)) {
    drop_relation(sequence->name);
  }
  for (auto const* child : catalog_->children(name)) {
    if (child->partition || dependents(child->name)) {
      drop_relation(child->name);
    }
  }
  drop_keys_to(name, nullptr);
  drop_keys_above(*relation);
  for (auto const* view : catalog_->readers(name)) {
    if (!relations.contains(view->name) && dependents(view->name)) {
      drop_relation(view->name);
    }
  }
  if (relation->kind == RelationKind::sequence) {
    drop_users_of_sequence(name);
  }
  for (auto const& parent : relation->parents) {
    if (relation->partition && !relations.contains(parent)) {
      locked.insert(parent);
      for (auto const* sibling : catalog_->children(parent)) {
        if (sibling->default_partition) {
          locked.insert(sibling->name);
        }
      }
    }
  }
  for (auto const& [table, other] : catalog_->relations()) {
    for (auto const& rule : other.rules) {
      if (table != name && has(rule.relations, name) && dependents(table)) {
        rules.insert({table, rule.name});
        locked.insert(table);
      }
    }
    for (auto const& policy : other.policies) {
      if (table != name && has(policy.relations, name) && dependents(table)) {
        policies.insert({table, policy.name});
        locked.insert(table);
      }
    }
  }
}

void Fallout::drop_users_of_function(RelationName const& function) {
  auto const uses = [&](Expression const& expression) {
    return has(expression.functions, function);
  };
  for (auto const& [name, relation] : catalog_->relations()) {
    for (auto const& column : relation.columns) {
      if (column.value && uses(*column.value) && dependents(name)) {
        if (column.generated != 0) {
          drop_column(name, column.name);
        }
        defaults.insert({name, column.name});
        locked.insert(name);
      }
    }
    for (auto const& constraint : relation.constraints) {
      if (uses(constraint.expression) && dependents(name)) {
        drop_constraint(name, constraint.name);
      }
    }
    for (auto const& index : relation.indexes) {
      if (uses(index.expression) && dependents(name)) {
        drop_index(name, index.name.name);
      }
    }
    for (auto const& trigger : relation.triggers) {
      if (trigger.function == function && dependents(name)) {
        drop_trigger(name, trigger.name);
      }
    }
    for (auto const& policy : relation.policies) {
      if (has(policy.functions, function) && dependents(name)) {
        policies.insert({name, policy.name});
        locked.insert(name);
      }
    }
    for (auto const& rule : relation.rules) {
      if (has(rule.functions, function) && dependents(name)) {
        rules.insert({name, rule.name});
        locked.insert(name);
      }
    }
    if (has(relation.functions, function) && dependents(name)) {
      drop_relation(name);
    }
  }
}

void Fallout::drop_function(RelationName const& name) {
  if (functions.insert(name).second) {
    drop_users_of_function(name);
  }
}

void Fallout::drop_type(RelationName const& name) {
  if (!types.insert(name).second) {
    return;
  }
  for (auto const& [table, relation] : catalog_->relations()) {
    for (auto const& column : relation.columns) {
      if (RelationName{column.type.schema, column.type.name} == name && dependents(table)) {
        if (relation.kind == RelationKind::view ||
            relation.kind == RelationKind::materialized_view) {
          drop_relation(table);
        } else {
          drop_column(table, column.name);
        }
      }
    }
    if (relation.of_type == name && dependents(table)) {
      drop_relation(table);
    }
  }
  for (auto const& [other, info] : catalog_->types) {
    if (RelationName{info.base.schema, info.base.name} == name && dependents(other)) {
      drop_type(other);
    }
  }
}

void Fallout::drop_schema(std::string const& schema) {
  if (!schemas.insert(schema).second) {
    return;
  }
  for (auto const& [name, relation] : catalog_->relations()) {
    if (name.schema == schema && dependents(name)) {
      drop_relation(name);
    }
  }
  for (auto const& [name, type] : catalog_->types) {
    if (name.schema == schema && dependents(name)) {
      drop_type(name);
    }
  }
  for (auto const& [name, function] : catalog_->functions) {
    if (name.schema == schema && dependents(name)) {
      drop_function(name);
    }
  }
}

void Fallout::drop_extension(std::string const& name) {
  if (auto const members = catalog_->extensions.find(name); members != catalog_->extensions.end()) {
    for (auto const& member : members->second) {
      if (catalog_->types.contains(member)) {
        drop_type(member);
      }
      if (catalog_->functions.contains(member)) {
        drop_function(member);
      }
    }
  }
}

}  // namespace runbookd::planner
