#include "daemon/target/lock_wishes.h"

#include <algorithm>

#include "daemon/target/catalog.h"
#include "planner/effects.h"

namespace runbookd::daemon {
namespace {

// Statements about rows take no lock on a table that an application waits for.
bool may_lock_tables(planner::Statement const& statement) {
  return statement.changes_schema || statement.kind.starts_with("LOCK") ||
         statement.kind == "TRUNCATE";
}

planner::Catalog known(Session& session, Foresight foresight) {
  if (foresight == Foresight::catalog) {
    if (auto catalog = read_catalog(session)) {
      return std::move(*catalog);
    }
  }
  planner::Catalog nothing;
  nothing.search_path = {""};  // names stay as they are written: the server finds them
  return nothing;
}

}  // namespace

// What is dropped is often named without the tables that this locks.
Foresight first_foresight(planner::SqlAction const& action) {
  bool const drops = std::ranges::any_of(
      action.statements, [](auto const& statement) { return statement.kind.starts_with("DROP"); });
  return drops ? Foresight::catalog : Foresight::names;
}

std::vector<LockWish> lock_wishes(Session& session, planner::SqlAction const& action,
                                  Foresight foresight) {
  constexpr int major = 10'000;
  std::vector<LockWish> wishes;
  if (std::ranges::none_of(action.statements, may_lock_tables)) {
    return wishes;
  }
  auto catalog = known(session, foresight);
  for (std::size_t i = 0; i < action.statements.size(); ++i) {
    auto const& statement = action.statements[i];
    auto const effects = planner::effects_of(statement, catalog, session.server_version() / major);
    for (auto const* locks : {&effects.locks, &effects.other_locks}) {
      for (auto const& lock : *locks) {
        if (lock.kind != planner::RelationKind::toast_table &&
            lock.kind != planner::RelationKind::toast_index) {  // they follow their table
          wishes.push_back({.relation = lock.name, .mode = lock.mode, .statement = i});
        }
      }
    }
    catalog = planner::apply(std::move(catalog), statement);
  }
  return wishes;
}

}  // namespace runbookd::daemon
