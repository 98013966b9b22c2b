// ALTER TABLE: the lock is that of its strongest command, and each command has its own reach.
#include "planner/effects_alter.h"

#include <algorithm>
#include <iterator>

#include "planner/sql_expression.h"

namespace runbookd::planner {
namespace {

using pg::Node;

// Options that change nothing of what a reader or writer under way relies on.
constexpr std::string_view harmless_options[] = {"autovacuum_analyze_scale_factor",
                                                 "autovacuum_analyze_threshold",
                                                 "autovacuum_enabled",
                                                 "autovacuum_freeze_max_age",
                                                 "autovacuum_freeze_min_age",
                                                 "autovacuum_freeze_table_age",
                                                 "autovacuum_multixact_freeze_max_age",
                                                 "autovacuum_multixact_freeze_min_age",
                                                 "autovacuum_multixact_freeze_table_age",
                                                 "autovacuum_vacuum_cost_delay",
                                                 "autovacuum_vacuum_cost_limit",
                                                 "autovacuum_vacuum_insert_scale_factor",
                                                 "autovacuum_vacuum_insert_threshold",
                                                 "autovacuum_vacuum_max_threshold",
                                                 "autovacuum_vacuum_scale_factor",
                                                 "autovacuum_vacuum_threshold",
                                                 "deduplicate_items",
                                                 "fillfactor",
                                                 "log_autovacuum_min_duration",
                                                 "n_distinct",
                                                 "n_distinct_inherited",
                                                 "parallel_workers",
                                                 "toast_tuple_target",
                                                 "vacuum_index_cleanup",
                                                 "vacuum_max_eager_freeze_failure_rate",
                                                 "vacuum_truncate"};

LockMode options_level(Node command) {
  auto const options = command["def"] ? command["def"].list("items") : command.list("def");
  bool const harmless = std::ranges::all_of(options, [](Node option) {
    return std::ranges::binary_search(harmless_options, option.text("defname"));
  });
  return harmless ? LockMode::share_update_exclusive : LockMode::access_exclusive;
}

LockMode constraint_level(Node command) {
  return command["def"].text("contype") == "CONSTR_FOREIGN" ? LockMode::share_row_exclusive
                                                            : LockMode::access_exclusive;
}

LockMode detach_level(Node command) {
  return command["def"].flag("concurrent") ? LockMode::share_update_exclusive
                                           : LockMode::access_exclusive;
}

LockMode strongest(Node) { return LockMode::access_exclusive; }
LockMode maintenance(Node) { return LockMode::share_update_exclusive; }
LockMode writes(Node) { return LockMode::share_row_exclusive; }

void itself(Alter const&) {}
void with_children(Alter const& a) { lock_tree(a.r, a.table, a.mode, a.down); }
void with_partitions(Alter const& a) {
  lock_tree(a.r, a.table, a.mode, a.down && a.table.kind == RelationKind::partitioned_table);
}
bool fits(Trigger const& trigger, std::string const& name) {
  return trigger.each_row && (name.empty() || trigger.name == name);
}
bool has_key_triggers(Alter const& a) {
  return !a.r.catalog.referencing(a.table.name).empty() ||
         std::ranges::any_of(a.table.constraints, [](Constraint const& constraint) {
           return constraint.kind == Constraint::Kind::foreign_key;
         });
}
// Partitions have copies of row triggers only; those of foreign keys are meant by ALL.
void triggers(Alter const& a) {
  bool const all = a.command.text("subtype").ends_with("TrigAll");
  bool const copied = (all && a.r.major >= 15 && has_key_triggers(a)) ||
                      std::ranges::any_of(a.table.triggers, [&](Trigger const& trigger) {
                        return fits(trigger, a.name());
                      });
  lock_tree(a.r, a.table, a.mode,
            a.down && copied && a.table.kind == RelationKind::partitioned_table);
}
void with_indexes(Alter const& a) {
  if (a.r.major >= 14) {
    a.r.lock_indexes(a.table, a.mode);
  }
}
void storage(Alter const& a) {
  with_children(a);
  with_indexes(a);
}

void drop_constraint(Alter const& a) {
  Fallout fallout(a.r.catalog, a.command.text("behavior") == "DROP_CASCADE", a.r.major);
  fallout.drop_constraint(a.table.name, a.name());
  auto const* found = a.table.constraint(a.name());
  bool const not_null = found != nullptr && found->kind == Constraint::Kind::not_null;
  if (not_null || (found == nullptr && a.r.major >= 18)) {
    with_children(a);  // a NOT NULL constraint by its name
  }
  a.r.drop(fallout);
  if (found != nullptr && found->kind == Constraint::Kind::foreign_key) {
    if (auto const* other = a.r.catalog.find(found->references)) {
      a.r.lock(*other, LockMode::access_exclusive);
    }
  }
}

// From version 18 on whether children have a NOT NULL constraint too, and whether rows are held
// against a foreign key, can be changed.
void alter_constraint(Alter const& a) {
  auto const becomes = a.command["def"].text("becomes");
  auto const* found = a.table.constraint(a.command["def"].text("conname"));
  if (becomes.ends_with("inherit")) {
    with_children(a);
    for (auto const* below : a.r.catalog.descendants(a.table.name)) {
      for (auto const& name : found != nullptr ? found->columns : std::vector<std::string>{}) {
        auto const* column = below->column(name);
        if (becomes == "inherit" && column != nullptr && !column->not_null &&
            !proven_not_null(*below, name)) {
          a.r.scan(*below);
        }
      }
    }
    return;
  }
  with_partitions(a);
  if (becomes.empty() || found == nullptr || found->enforced == (becomes == "enforced")) {
    return;
  }
  lock_referenced(
      a.r, found->references,
      becomes == "enforced" ? LockMode::share_row_exclusive : LockMode::access_exclusive);
  if (becomes == "enforced") {
    each_table(a, [](Alter const& alter, Relation const& table) { alter.r.scan(table); });
    if (auto const* other = a.r.catalog.find(found->references); other != &a.table) {
      a.r.maybe_scan(*other);
    }
  }
}

void set_expression(Alter const& a) {
  each_table(a, [](Alter const& alter, Relation const& table) {
    alter.r.lock(table, alter.mode);
    auto const* column = table.column(alter.name());
    bool const computed = column != nullptr && column->generated == 'v';  // when it is read
    if (!computed) {
      alter.r.rewrite(table);
    } else if (column->not_null) {
      alter.r.scan(table);
    }
  });
  a.r.breaks(a.column_words(), "the old application reads other values in it");
}

void set_default(Alter const& a) {
  lock_tree(a.r, a.table, a.mode, a.down);
  if (auto const value = a.command["def"]) {
    lock_sequences(a.r, pg::expression_of(value, a.r.catalog));
  }
}

void identity(Alter const& a) {
  auto const subtype = a.command.text("subtype");
  if (a.r.major >= 17) {
    with_partitions(a);
  }
  for (auto const* sequence : a.r.catalog.sequences_of(a.table.name)) {
    if (sequence->owner_column == a.name()) {
      a.r.lock(*sequence, subtype == "AT_DropIdentity" ? LockMode::access_exclusive
                                                       : LockMode::share_row_exclusive);
    }
  }
}

void validate(Alter const& a) {
  auto const* constraint = a.table.constraint(a.name());
  if (constraint == nullptr) {
    if (!a.r.catalog.complete) {
      a.r.assume("constraint " + quoted_identifier(a.name()) +
                 " is taken for a CHECK that is not valid yet");
    }
    bool const added_here = std::ranges::any_of(
        a.all, [&](Node other) { return other["def"].text("conname") == a.name(); });
    if (added_here || !a.r.catalog.complete) {
      each_table(a, [](Alter const& alter, Relation const& table) {
        alter.r.lock(table, alter.mode);
        alter.r.scan(table);
      });
    }
    return;
  }
  if (constraint->validated) {
    return;
  }
  if (constraint->kind == Constraint::Kind::foreign_key) {
    lock_tree(a.r, a.table, a.mode, a.table.kind == RelationKind::partitioned_table);
    lock_referenced(a.r, constraint->references, LockMode::access_share);
    if (auto const* other = a.r.catalog.find(constraint->references)) {
      a.r.lock(*other, LockMode::row_share);
    }
    a.r.scan(a.table);
    if (auto const* other = a.r.catalog.find(constraint->references)) {
      check_keys(a.r, a.table, *other);
    }
    if (auto const* other = a.r.catalog.find(constraint->references);
        other != nullptr && other != &a.table) {
      a.r.maybe_scan(*other);
    }
    return;
  }
  each_table(a, [](Alter const& alter, Relation const& table) {
    alter.r.lock(table, alter.mode);
    auto const* own = table.constraint(alter.name());
    if (own == nullptr || !own->validated) {
      alter.r.scan(table);
    }
  });
}

void change_owner(Alter const& a) {
  a.r.lock_indexes(a.table, LockMode::access_exclusive);
  a.r.lock_toast(a.table, LockMode::access_exclusive, LockMode::access_exclusive);
  for (auto const* sequence : a.r.catalog.sequences_of(a.table.name)) {
    a.r.lock(*sequence, LockMode::access_exclusive);
  }
}

void set_options(Alter const& a) { a.r.lock_toast(a.table, a.mode, std::nullopt); }

void set_logged(Alter const& a) {
  bool const unlogged = a.command.text("subtype") == "AT_SetUnLogged";
  if (a.table.unlogged == unlogged || a.table.temporary) {
    return;
  }
  a.r.rewrite(a.table);
  for (auto const* sequence : a.r.catalog.sequences_of(a.table.name)) {
    if (a.r.major >= 15) {
      a.r.lock(*sequence, LockMode::access_exclusive);
    }
  }
  if (unlogged) {
    a.r.loses("table " + to_sql(a.table.name),
              "it is emptied after a crash of the server, and replicas do not have its rows");
  }
}

bool same_place(std::string const& one, std::string const& other) {
  auto const standard = [](std::string const& name) {
    return name.empty() || name == "pg_default";
  };
  return one == other || (standard(one) && standard(other));
}

void set_tablespace(Alter const& a) {
  if (!same_place(a.table.tablespace, a.name()) &&
      a.table.kind != RelationKind::partitioned_table) {
    a.r.rewrite_alone(a.table);
    a.r.lock_toast(a.table, LockMode::access_exclusive, LockMode::access_exclusive);
  }
}

void set_access_method(Alter const& a) {
  auto const wanted = a.name().empty() ? "heap" : a.name();
  if (wanted != a.table.access_method && a.table.kind != RelationKind::partitioned_table) {
    a.r.rewrite(a.table);
  }
}

void change_parent(Alter const& a) {
  if (auto const* parent = a.r.relation(a.command["def"])) {
    a.r.lock(*parent, a.command.text("subtype") == "AT_AddInherit"
                          ? LockMode::share_update_exclusive
                          : LockMode::access_share);
  }
  if (a.command.text("subtype") == "AT_AddInherit") {
    lock_tree(a.r, a.table, LockMode::access_exclusive, true);
  }
}

void add_constraint(Alter const& a) {
  if (a.r.major >= 18) {  // whatever becomes of it there
    lock_tree(a.r, a.table, a.mode, a.down);
  }
  add_constraint_effects(a.r, a.table, a.command["def"], a.down, false, "");
}

void attach(Alter const& a) { attach_partition(a.r, a.table, a.command["def"]); }
void detach(Alter const& a) { detach_partition(a.r, a.table, a.command["def"], false); }
void finalize(Alter const& a) { detach_partition(a.r, a.table, a.command["def"], true); }
void change_type(Alter const& a) { alter_column_type(a.r, a.table, a.command); }

struct Subcommand {
  std::string_view subtype;
  LockMode (*level)(Node);
  void (*reach)(Alter const&);
};
constexpr Subcommand subcommands[] = {
    {"AT_AddColumn", strongest, add_column},
    {"AT_AddConstraint", constraint_level, add_constraint},
    {"AT_AddIdentity", strongest, identity},
    {"AT_AddInherit", strongest, change_parent},
    {"AT_AddOf", strongest, itself},
    {"AT_AlterColumnGenericOptions", strongest, itself},
    {"AT_AlterColumnType", strongest, change_type},
    {"AT_AlterConstraint", strongest, alter_constraint},
    {"AT_AttachPartition", maintenance, attach},
    {"AT_ChangeOwner", strongest, change_owner},
    {"AT_ClusterOn", maintenance, itself},
    {"AT_ColumnDefault", strongest, set_default},
    {"AT_DetachPartition", detach_level, detach},
    {"AT_DetachPartitionFinalize", maintenance, finalize},
    {"AT_DisableRowSecurity", strongest, itself},
    {"AT_DisableRule", strongest, itself},
    {"AT_DisableTrig", writes, triggers},
    {"AT_DisableTrigAll", writes, triggers},
    {"AT_DisableTrigUser", writes, triggers},
    {"AT_DropCluster", maintenance, itself},
    {"AT_DropColumn", strongest, drop_column},
    {"AT_DropConstraint", strongest, drop_constraint},
    {"AT_DropExpression", strongest, with_children},
    {"AT_DropIdentity", strongest, identity},
    {"AT_DropInherit", strongest, change_parent},
    {"AT_DropNotNull", strongest, with_children},
    {"AT_DropOf", strongest, itself},
    {"AT_EnableAlwaysRule", strongest, itself},
    {"AT_EnableAlwaysTrig", writes, triggers},
    {"AT_EnableReplicaRule", strongest, itself},
    {"AT_EnableReplicaTrig", writes, triggers},
    {"AT_EnableRowSecurity", strongest, itself},
    {"AT_EnableRule", strongest, itself},
    {"AT_EnableTrig", writes, triggers},
    {"AT_EnableTrigAll", writes, triggers},
    {"AT_EnableTrigUser", writes, triggers},
    {"AT_ForceRowSecurity", strongest, itself},
    {"AT_GenericOptions", strongest, itself},
    {"AT_NoForceRowSecurity", strongest, itself},
    {"AT_ReplicaIdentity", strongest, itself},
    {"AT_ResetOptions", maintenance, itself},
    {"AT_ResetRelOptions", options_level, set_options},
    {"AT_SetAccessMethod", strongest, set_access_method},
    {"AT_SetCompression", strongest, with_indexes},
    {"AT_SetExpression", strongest, set_expression},
    {"AT_SetIdentity", strongest, identity},
    {"AT_SetLogged", strongest, set_logged},
    {"AT_SetNotNull", strongest, set_not_null},
    {"AT_SetOptions", maintenance, itself},
    {"AT_SetRelOptions", options_level, set_options},
    {"AT_SetStatistics", maintenance, with_children},
    {"AT_SetStorage", strongest, storage},
    {"AT_SetTableSpace", strongest, set_tablespace},
    {"AT_SetUnLogged", strongest, set_logged},
    {"AT_ValidateConstraint", maintenance, validate},
};

Subcommand const* find(Node command) {
  auto const found =
      std::ranges::lower_bound(subcommands, command.text("subtype"), {}, &Subcommand::subtype);
  return found != std::end(subcommands) && found->subtype == command.text("subtype") ? found
                                                                                     : nullptr;
}

LockMode level_of(pg::Nodes commands) {
  auto level = LockMode::share_update_exclusive;
  for (auto const command : commands) {
    auto const* known = find(command);
    level = std::max(level, known != nullptr ? known->level(command) : LockMode::access_exclusive);
  }
  return level;
}

RelationKind kind_of(std::string const& object) {
  return object == "OBJECT_VIEW"            ? RelationKind::view
         : object == "OBJECT_MATVIEW"       ? RelationKind::materialized_view
         : object == "OBJECT_SEQUENCE"      ? RelationKind::sequence
         : object == "OBJECT_FOREIGN_TABLE" ? RelationKind::foreign_table
                                            : RelationKind::table;
}

}  // namespace

void lock_tree(Recorder& recorder, Relation const& top, LockMode mode, bool down) {
  recorder.lock(top, mode);
  if (down) {
    for (auto const* below : recorder.catalog.descendants(top.name)) {
      recorder.lock(*below, mode);
    }
  }
}

void record_commands(Recorder& r, Node statement, Node only) {
  auto const name = pg::name_of(statement["relation"]);
  if (r.catalog.find(name) == nullptr && r.catalog.find_index(name)) {
    effects_of_alter_index(r, statement);  // ALTER TABLE takes an index too
    return;
  }
  auto const* table = r.relation(statement["relation"], kind_of(statement.text("objtype")));
  auto const commands = statement.list("cmds");
  if (table == nullptr) {
    return;
  }
  auto const mine = only ? pg::Nodes::of(only) : commands;
  auto const mode = level_of(mine);
  r.lock(*table, mode);
  bool const down = statement["relation"].flag("inh");
  for (auto const command : mine) {
    auto const* known = find(command);
    if (known == nullptr) {
      r.not_analysed("not analysed: what " + command.text("subtype") + " reaches is not known");
      continue;
    }
    known->reach({r, *table, command, mode, down, commands});
  }
}

void effects_of_alter_table(Recorder& r, Node statement) { record_commands(r, statement, {}); }

}  // namespace runbookd::planner
