// LOCK, comments, rights, sequences, statistics and publications.
#include <algorithm>

#include "planner/effects_recorder.h"
#include "planner/sql_expression.h"

namespace runbookd::planner {
namespace {

using pg::Node;

LockMode mode_of(std::int64_t number) {
  return static_cast<LockMode>(std::clamp<std::int64_t>(number, 1, 8) - 1);
}

void lock_view(Recorder& r, Relation const& view, LockMode mode) {
  r.lock(view, mode);
  for (auto const& use : view.uses) {
    if (auto const* below = r.catalog.find(use.relation)) {
      if (below->kind == RelationKind::view) {
        lock_view(r, *below, mode);
      } else {
        lock_tree(r, *below, mode, true);
      }
    }
  }
}

}  // namespace

void lock_named(Recorder& r, Node variable, LockMode mode) {
  if (auto const* relation = r.relation(variable)) {
    r.lock(*relation, mode);
  }
}

void effects_of_lock(Recorder& r, Node statement) {
  auto const mode = mode_of(statement.number("mode"));
  for (auto const variable : statement.list("relations")) {
    auto const* relation = r.relation(variable);
    if (relation == nullptr) {
      continue;
    }
    if (relation->kind == RelationKind::view) {
      lock_view(r, *relation, mode);
    } else {
      lock_tree(r, *relation, mode, variable.flag("inh"));
    }
  }
}

// Comments and security labels.
void effects_of_label(Recorder& r, Node statement) {
  auto const kind = statement.text("objtype");
  auto const object = statement["object"];
  auto words = pg::names(object.list(object.is("List") ? "items" : "names"));
  bool const part = kind == "OBJECT_TABCONSTRAINT" || kind == "OBJECT_TRIGGER" ||
                    kind == "OBJECT_RULE" || kind == "OBJECT_POLICY" || kind == "OBJECT_COLUMN";
  bool const whole = kind == "OBJECT_TABLE" || kind == "OBJECT_VIEW" || kind == "OBJECT_MATVIEW" ||
                     kind == "OBJECT_SEQUENCE" || kind == "OBJECT_FOREIGN_TABLE" ||
                     kind == "OBJECT_INDEX";
  if (words.empty() || (!part && !whole)) {
    return;
  }
  if (part) {
    words.pop_back();
  }
  if (words.empty()) {
    return;
  }
  RelationName const name{words.size() > 1 ? words[words.size() - 2] : "", words.back()};
  if (kind == "OBJECT_INDEX") {
    if (auto const found = r.index(name)) {
      r.lock_index(*found.table, *found.index, LockMode::share_update_exclusive);
    }
    return;
  }
  if (auto const* relation = r.relation(name)) {
    r.lock(*relation, whole || kind == "OBJECT_COLUMN" ? LockMode::share_update_exclusive
                                                       : LockMode::access_share);
  }
}

// From version 18 on rights are given under a lock.
void effects_of_grant(Recorder& r, Node statement) {
  auto const kind = statement.text("objtype");
  if (r.major < 18 || (kind != "OBJECT_TABLE" && kind != "OBJECT_SEQUENCE")) {
    return;
  }
  if (statement.text("targtype") == "ACL_TARGET_ALL_IN_SCHEMA") {
    return;  // the server finds those by their schema, without a lock
  }
  auto const assumed = kind == "OBJECT_SEQUENCE" ? RelationKind::sequence : RelationKind::table;
  for (auto const object : statement.list("objects")) {
    if (auto const* relation = r.relation(object, assumed)) {
      r.lock(*relation, LockMode::access_share);
    }
  }
}

void effects_of_sequence(Recorder& r, Node statement) {
  bool const alter = statement.is("AlterSeqStmt");
  auto const* found = alter ? r.relation(statement["sequence"], RelationKind::sequence)
                            : r.catalog.find(pg::name_of(statement["sequence"]));
  if (alter && found != nullptr) {
    r.lock(*found, LockMode::share_row_exclusive);
  }
  if (!alter && found != nullptr && statement.flag("if_not_exists")) {
    return;
  }
  for (auto const option : statement.list("options")) {
    auto words = pg::names(option["arg"].list("items"));
    if (option.text("defname") == "owned_by" && words.size() > 1) {
      words.pop_back();
      if (auto const* table = r.relation(
              RelationName{words.size() > 1 ? words[words.size() - 2] : "", words.back()})) {
        r.lock(*table, LockMode::access_share);
      }
    }
  }
}

void effects_of_statistics(Recorder& r, Node statement) {
  for (auto const variable : statement.list("relations")) {
    lock_named(r, variable, LockMode::share_update_exclusive);
  }
}

void effects_of_publication(Recorder& r, Node statement) {
  for (auto const object : statement.list("pubobjects")) {
    auto const variable = object["pubtable"]["relation"];
    if (auto const* table = variable ? r.relation(variable) : nullptr) {
      lock_tree(r, *table, LockMode::share_update_exclusive,
                variable.flag("inh") && table->kind != RelationKind::partitioned_table);
    }
  }
  auto const before = r.catalog.publications.find(statement.text("pubname"));
  if (statement.text("action") == "AP_SetObjects" && before != r.catalog.publications.end()) {
    for (auto const& name : before->second) {
      if (auto const* table = r.catalog.find(name)) {
        r.lock(*table, LockMode::share_update_exclusive);
      }
    }
  }
}

}  // namespace runbookd::planner
