// Views, and what hangs on tables: triggers, rules, policies.
#include <algorithm>

#include "planner/effects_recorder.h"
#include "planner/sql_expression.h"

namespace runbookd::planner {

using pg::Node;

void effects_of_view(Recorder& r, Node statement) {
  auto const variable = statement["view"];
  record_query(r, statement["query"], QueryUse::looks);
  auto const* there = r.catalog.find(pg::name_of(variable));
  if (statement.flag("replace") && there != nullptr && variable.text("relpersistence") != "t") {
    r.lock(*there, LockMode::access_exclusive);
  }
}

void effects_of_refresh(Recorder& r, Node statement) {
  auto const* view = r.relation(statement["relation"], RelationKind::materialized_view);
  if (view == nullptr) {
    return;
  }
  bool const concurrent = statement.flag("concurrent");
  r.lock(*view, LockMode::exclusive);
  constexpr int looks_no_more = 16;
  if (!concurrent && r.major < looks_no_more) {
    r.lock(*view, LockMode::access_share);
  }
  if (!concurrent) {
    r.lock(*view, LockMode::access_exclusive);
    r.lock(*view, LockMode::share);
  }
  if (statement.flag("skipData")) {
    r.empty(*view);
    return;
  }
  if (concurrent) {
    r.scan(*view);
  } else {
    r.refill(*view);
  }
  std::vector<Relation const*> open{view};
  for (std::size_t i = 0; i < open.size(); ++i) {
    for (auto const& use : open[i]->uses) {
      auto const* below = r.catalog.find(use.relation);
      if (below == nullptr) {
        continue;
      }
      r.lock(*below, LockMode::access_share);
      if (below->kind == RelationKind::view) {
        open.push_back(below);
      } else {
        r.lock_with_indexes(*below, LockMode::access_share);
        for (auto const* part : r.catalog.descendants(below->name)) {
          r.lock_with_indexes(*part, LockMode::access_share);
          r.scan(*part);
        }
        r.scan(*below);
      }
    }
  }
}

void effects_of_trigger(Recorder& r, Node statement) {
  auto const* table = r.relation(statement["relation"]);
  if (table == nullptr) {
    return;
  }
  lock_tree(r, *table, LockMode::share_row_exclusive,
            statement.flag("row") && table->kind == RelationKind::partitioned_table);
  if (statement["constrrel"]) {
    lock_named(r, statement["constrrel"], LockMode::access_share);
  }
}

void effects_of_rule(Recorder& r, Node statement) {
  lock_named(r, statement["relation"], LockMode::access_exclusive);
  for (auto const action : statement.list("actions")) {
    record_query(r, action, QueryUse::looks);
  }
}

void effects_of_policy(Recorder& r, Node statement) {
  lock_named(r, statement["table"], LockMode::access_exclusive);
  record_query(r, statement["qual"], QueryUse::looks);
  record_query(r, statement["with_check"], QueryUse::looks);
}

}  // namespace runbookd::planner
