// ALTER TABLE: the lock is that of its strongest command, and each command has its own reach.
#include <algorithm>
#include <iterator>

#include "planner/effects_recorder.h"
#include "planner/sql_expression.h"

namespace runbookd::planner {
namespace {

using pg::Node;

struct Alter {
  Recorder& r;
  Relation const& table;
  Node command;
  LockMode mode;
  bool down;  // not ONLY
  std::vector<Node> const& all;
  std::string name() const { return command.text("name"); }
  std::string column_words() const {
    return "column " + to_sql(table.name) + "." + quoted_identifier(name());
  }
};

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
// Partitions have copies of row triggers only.
void triggers(Alter const& a) {
  bool const copied = std::ranges::any_of(
      a.table.triggers, [&](Trigger const& trigger) { return fits(trigger, a.name()); });
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

void each_table(Alter const& a, void (*visit)(Alter const&, Relation const&)) {
  visit(a, a.table);
  if (a.down) {
    for (auto const* below : a.r.catalog.descendants(a.table.name)) {
      visit(a, *below);
    }
  }
}

std::vector<Node> constraints_of(Node column, std::string_view type) {
  auto list = column.list("constraints");
  std::erase_if(list, [&](Node c) { return c.text("contype") != type; });
  return list;
}

bool is_serial(std::string const& type) {
  return type.ends_with("serial") || (type.starts_with("serial") && type.size() == 7);
}

enum class Filled { null, stored_default, rewritten };

// What the rows that are there get for a new column.
Filled filled(Recorder& r, Node column) {
  auto const type = pg::type_of(column["typeName"], r.catalog);
  if (is_serial(type.name) || !constraints_of(column, "CONSTR_GENERATED").empty() ||
      !constraints_of(column, "CONSTR_IDENTITY").empty() || domain_constrains(r.catalog, type)) {
    return Filled::rewritten;
  }
  auto const defaults = constraints_of(column, "CONSTR_DEFAULT");
  if (!defaults.empty()) {
    auto const value = defaults.front()["raw_expr"];
    if (!r.catalog.complete) {
      for (auto const node : pg::every(value)) {
        auto const name = node.is("FuncCall") ? pg::name_of(node.list("funcname")) : RelationName{};
        if (!name.empty() && r.catalog.find_functions(name).empty() &&
            !pg::calls_volatile(node, r.catalog)) {
          r.assume(to_sql(name) + "() is taken for a function of the server");
        }
      }
    }
    bool const null = value.is("A_Const") && value.flag("isnull");
    return null                                   ? Filled::null
           : pg::calls_volatile(value, r.catalog) ? Filled::rewritten
                                                  : Filled::stored_default;
  }
  for (auto const* domain = r.catalog.find_type(type); domain != nullptr;
       domain = r.catalog.find_type(domain->base)) {
    if (domain->value) {
      return domain->value->is_volatile ? Filled::rewritten : Filled::stored_default;
    }
  }
  return Filled::null;
}

void add_column(Alter const& a) {
  auto const column = a.command["def"];
  auto const name = column.text("colname");
  if (a.table.column(name) != nullptr) {  // IF NOT EXISTS; otherwise it fails
    return;
  }
  lock_tree(a.r, a.table, a.mode, a.down);
  auto const fill = filled(a.r, column);
  bool const verified =
      fill == Filled::null && (!constraints_of(column, "CONSTR_NOTNULL").empty() ||
                               !constraints_of(column, "CONSTR_PRIMARY").empty());
  std::vector<Relation const*> tables{&a.table};
  if (a.down) {
    auto const below = a.r.catalog.descendants(a.table.name);
    tables.insert(tables.end(), below.begin(), below.end());
  }
  for (auto const* table : tables) {
    if (table->column(name) != nullptr) {
      continue;
    }
    if (fill == Filled::rewritten) {
      a.r.rewrite(*table);
    } else if (verified) {
      a.r.scan(*table);
    }
  }
  for (auto const constraint : column.list("constraints")) {
    bool const with_default = !constraints_of(column, "CONSTR_DEFAULT").empty();
    add_constraint_effects(a.r, a.table, constraint, a.down, !with_default, name);
  }
  for (auto const* constraint : {"CONSTR_NOTNULL", "CONSTR_PRIMARY"}) {
    if (!constraints_of(column, constraint).empty() && fill == Filled::null) {
      a.r.breaks("column " + to_sql(a.table.name) + "." + quoted_identifier(name),
                 "INSERT of the old application does not give it a value, and NULL is refused");
      break;
    }
  }
}

void drop_column(Alter const& a) {
  Fallout fallout(a.r.catalog, a.command.text("behavior") == "DROP_CASCADE");
  fallout.drop_column(a.table.name, a.name());
  a.r.drop(fallout);
}

void drop_constraint(Alter const& a) {
  Fallout fallout(a.r.catalog, a.command.text("behavior") == "DROP_CASCADE");
  fallout.drop_constraint(a.table.name, a.name());
  if (fallout.constraints.empty() && a.r.major >= 18) {
    with_children(a);  // a NOT NULL constraint by its name
  }
  a.r.drop(fallout);
}

// From version 18 on a NOT NULL can be there without having been checked.
bool unvalidated_not_null(Relation const& table, std::string const& column) {
  return std::ranges::any_of(table.constraints, [&](Constraint const& c) {
    return c.kind == Constraint::Kind::not_null && !c.validated &&
           std::ranges::find(c.columns, column) != c.columns.end();
  });
}

void set_not_null(Alter const& a) {
  each_table(a, [](Alter const& alter, Relation const& table) {
    auto const* column = table.column(alter.name());
    bool const already =
        column != nullptr && column->not_null && !unvalidated_not_null(table, alter.name());
    bool const above =
        alter.table.column(alter.name()) != nullptr && alter.table.column(alter.name())->not_null;
    if (&table != &alter.table && above) {
      return;  // it was handed down before
    }
    alter.r.lock(table, alter.mode);
    if (already || (column != nullptr && proven_not_null(table, alter.name()))) {
      return;
    }
    bool const fresh = std::ranges::any_of(alter.all, [&](Node other) {
      return other.text("subtype") == "AT_AddColumn" &&
             other["def"].text("colname") == alter.name();
    });
    if (!fresh) {
      alter.r.scan(table);
    }
    if (!alter.r.catalog.complete && alter.r.catalog.find(table.name) == nullptr) {
      alter.r.assume("no CHECK constraint proves that " + alter.column_words() + " holds no NULL");
    }
  });
  a.r.breaks(a.column_words(), "writes of the old application that leave it NULL are refused");
}

void set_default(Alter const& a) { lock_tree(a.r, a.table, a.mode, a.down); }

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
  for (auto const* sequence : a.r.catalog.sequences_of(a.table.name)) {
    a.r.lock(*sequence, LockMode::access_exclusive);
  }
}

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
    {"AT_AlterConstraint", strongest, with_partitions},
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
    {"AT_ResetRelOptions", options_level, itself},
    {"AT_SetAccessMethod", strongest, set_access_method},
    {"AT_SetCompression", strongest, with_indexes},
    {"AT_SetIdentity", strongest, identity},
    {"AT_SetLogged", strongest, set_logged},
    {"AT_SetNotNull", strongest, set_not_null},
    {"AT_SetOptions", maintenance, itself},
    {"AT_SetRelOptions", options_level, itself},
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

LockMode level_of(std::vector<Node> const& commands) {
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

bool proven_not_null(Relation const& table, std::string const& column) {
  return std::ranges::any_of(table.constraints, [&](Constraint const& c) {
    return c.kind == Constraint::Kind::check && c.validated && c.enforced &&
           std::ranges::find(c.expression.never_null, column) != c.expression.never_null.end();
  });
}

bool domain_constrains(Catalog const& catalog, TypeName const& type) {
  for (auto const* domain = catalog.find_type(type);
       domain != nullptr && domain->kind == TypeInfo::Kind::domain;
       domain = catalog.find_type(domain->base)) {
    if (domain->not_null || !domain->checks.empty()) {
      return true;
    }
  }
  return false;
}

void effects_of_alter_table(Recorder& r, Node statement) {
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
  auto const mode = level_of(commands);
  r.lock(*table, mode);
  bool const down = statement["relation"].flag("inh");
  for (auto const command : commands) {
    auto const* known = find(command);
    if (known == nullptr) {
      r.assume("the reach of " + command.text("subtype") + " is not known");
      continue;
    }
    known->reach({r, *table, command, mode, down, commands});
  }
}

}  // namespace runbookd::planner
