// DROP, TRUNCATE and RENAME.
#include <algorithm>

#include "planner/effects_recorder.h"
#include "planner/replay.h"
#include "planner/sql_expression.h"

namespace runbookd::planner {
namespace {

using pg::Node;

RelationKind kind_of(std::string const& object) {
  return object == "OBJECT_VIEW"            ? RelationKind::view
         : object == "OBJECT_MATVIEW"       ? RelationKind::materialized_view
         : object == "OBJECT_SEQUENCE"      ? RelationKind::sequence
         : object == "OBJECT_FOREIGN_TABLE" ? RelationKind::foreign_table
                                            : RelationKind::table;
}

bool is_relation(std::string const& object) {
  return object == "OBJECT_TABLE" || object == "OBJECT_VIEW" || object == "OBJECT_MATVIEW" ||
         object == "OBJECT_SEQUENCE" || object == "OBJECT_FOREIGN_TABLE";
}

bool is_part(std::string const& object) {
  return object == "OBJECT_TRIGGER" || object == "OBJECT_RULE" || object == "OBJECT_POLICY";
}

RelationName name_of(Node object, bool part) {
  auto words = pg::names(object.list("items"));
  if (part && !words.empty()) {
    words.pop_back();
  }
  return words.empty()
             ? RelationName{}
             : RelationName{words.size() > 1 ? words[words.size() - 2] : "", words.back()};
}

void drop_concurrently(Recorder& r, Node statement) {
  for (auto const object : statement.list("objects")) {
    if (auto const found = r.index(name_of(object, false))) {
      r.lock(*found.table, LockMode::share_update_exclusive);
      r.lock_index(*found.table, *found.index, LockMode::access_exclusive);
      r.drop(*found.index);
      r.wait_for("readers");
      r.wait_for("row lockers");
      r.wait_for("writers");
    }
  }
}

// What the catalog does not know is taken for a plain relation; what it knows to be missing is not
// touched, and a part that is missing is looked for.
void drop_unknown(Recorder& r, Node statement, std::string const& kind) {
  for (auto const object : statement.list("objects")) {
    auto const name = name_of(object, is_part(kind));
    if (kind == "OBJECT_INDEX") {
      r.index(name);
    } else if (is_part(kind)) {
      if (auto const* table = r.relation(name)) {
        r.lock(*table,
               r.catalog.complete || statement.flag("missing_ok") ? LockMode::access_share
                                                                  : LockMode::access_exclusive,
               !r.catalog.complete);
      }
    } else if (is_relation(kind) && r.catalog.find(name) == nullptr) {
      if (auto const* relation = r.relation(name, kind_of(kind))) {
        r.lock(*relation, LockMode::access_exclusive);
        auto const what = std::string(to_text(relation->kind)) + " " + to_sql(relation->name);
        if (is_table(relation->kind)) {
          r.loses(what, "its rows are gone; a rollback can make it again, but empty");
        }
        r.breaks(what, "statements of the old application that name it fail");
      }
    }
  }
  if (!r.catalog.complete && !is_relation(kind) && !is_part(kind) && kind != "OBJECT_INDEX") {
    r.assume("nothing that is not known depends on it");
  }
}

bool has_rows_of(Relation const& relation) {
  return relation.kind == RelationKind::table || relation.kind == RelationKind::partitioned_table;
}

void truncate_with_keys(Recorder& r, std::vector<Relation const*>& tables) {
  for (std::size_t i = 0; i < tables.size(); ++i) {
    for (auto const* other : referencing_above(r.catalog, *tables[i])) {
      if (std::ranges::find(tables, other) == tables.end()) {
        tables.push_back(other);
        for (auto const* below : r.catalog.descendants(other->name)) {
          if (below->partition && std::ranges::find(tables, below) == tables.end()) {
            tables.push_back(below);
          }
        }
      }
    }
  }
}

// Loading a partition's bound asks its tables above for it.
void look_above(Recorder& r, Relation const& partition,
                std::vector<Relation const*> const& tables) {
  for (auto const& name : partition.parents) {
    auto const* parent = r.catalog.find(name);
    if (partition.partition && parent != nullptr &&
        std::ranges::find(tables, parent) == tables.end()) {
      r.lock(*parent, LockMode::access_share);
      look_above(r, *parent, tables);
    }
  }
}

void rename_constraint(Recorder& r, Relation const& table, std::string const& name, bool down) {
  auto const* constraint = table.constraint(name);
  bool const handed_down = constraint != nullptr && constraint->kind == Constraint::Kind::check &&
                           !constraint->no_inherit;
  lock_tree(r, table, LockMode::access_exclusive, down && handed_down);
  if (auto const* index = table.index(name)) {
    r.lock_index(table, *index, LockMode::share_update_exclusive);
  }
}

}  // namespace

void effects_of_drop(Recorder& r, Node statement) {
  auto const kind = statement.text("removeType");
  if (statement.flag("concurrent")) {
    drop_concurrently(r, statement);
    return;
  }
  auto const fallout = fallout_of(r.catalog, statement, r.major);
  if (kind == "OBJECT_STATISTIC_EXT") {
    for (auto const object : statement.list("objects")) {
      auto const found = r.catalog.statistics.find(r.catalog.made_as(name_of(object, false)));
      if (found != r.catalog.statistics.end()) {
        r.lock(*r.catalog.find(found->second), LockMode::share_update_exclusive);
      }
    }
  }
  for (auto const object : statement.list("objects")) {
    if (auto const* table = is_part(kind) ? r.catalog.find(name_of(object, true)) : nullptr) {
      r.lock(*table, LockMode::access_share, false);  // to find it there
    }
  }
  bool const part_missing = is_part(kind) && fallout.locked.empty();
  r.drop(fallout);
  if (!r.catalog.complete || part_missing) {
    drop_unknown(r, statement, kind);
  }
}

void effects_of_truncate(Recorder& r, Node statement) {
  std::vector<Relation const*> tables;
  for (auto const variable : statement.list("relations")) {
    auto const* table = r.relation(variable);
    if (table == nullptr) {
      continue;
    }
    tables.push_back(table);
    if (variable.flag("inh")) {
      for (auto const* below : r.catalog.descendants(table->name)) {
        if (std::ranges::find(tables, below) == tables.end()) {
          tables.push_back(below);
        }
      }
    }
  }
  if (statement.text("behavior") == "DROP_CASCADE") {
    truncate_with_keys(r, tables);
    if (!r.catalog.complete) {
      r.assume("no table references it that is not listed");
    }
  }
  for (auto const* table : tables) {
    r.lock(*table, LockMode::access_exclusive);
    r.empty(*table);
    if (has_rows_of(*table)) {
      r.loses("rows of " + to_sql(table->name), "all of them are gone; nothing brings them back");
    }
    if (statement.flag("restart_seqs")) {
      for (auto const* sequence : r.catalog.sequences_of(table->name)) {
        r.lock(*sequence, LockMode::access_exclusive);
      }
    }
    if (r.major < 14) {
      look_above(r, *table, tables);
    }
  }
}

void effects_of_rename(Recorder& r, Node statement) {
  auto const kind = statement.text("renameType");
  auto const variable = statement["relation"];
  bool const down = variable.flag("inh");
  if (kind == "OBJECT_ATTRIBUTE") {
    effects_of_types(r, statement);
    return;
  }
  if (!variable) {
    if (kind == "OBJECT_SCHEMA") {
      r.breaks("schema " + quoted_identifier(statement.text("subname")),
               "names with this schema no longer work");
    }
    return;
  }
  auto const name = pg::name_of(variable);
  if (r.catalog.find(name) == nullptr && (kind == "OBJECT_INDEX" || r.catalog.find_index(name))) {
    if (auto const found = r.index(name)) {
      r.lock_index(
          *found.table, *found.index,
          kind == "OBJECT_INDEX" ? LockMode::share_update_exclusive : LockMode::access_exclusive);
    }
    return;
  }
  auto const* relation = r.relation(variable, kind_of(kind));
  if (relation == nullptr) {
    return;
  }
  auto const what = std::string(to_text(relation->kind)) + " " + to_sql(relation->name);
  if (kind == "OBJECT_TABCONSTRAINT") {
    rename_constraint(r, *relation, statement.text("subname"), down);
  } else if (kind == "OBJECT_COLUMN") {
    lock_tree(r, *relation, LockMode::access_exclusive, down);
    r.breaks(
        "column " + to_sql(relation->name) + "." + quoted_identifier(statement.text("subname")),
        "it is called " + quoted_identifier(statement.text("newname")) + " afterwards");
  } else if (kind == "OBJECT_TRIGGER") {
    lock_tree(r, *relation, LockMode::access_exclusive,
              r.major >= 15 && relation->kind == RelationKind::partitioned_table);
  } else {
    r.lock(*relation, LockMode::access_exclusive);
    if (!is_part(kind)) {
      r.breaks(what,
               "it is called " + quoted_identifier(statement.text("newname")) + " afterwards");
    }
  }
}

}  // namespace runbookd::planner
