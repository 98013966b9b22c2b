#include "daemon/target/lock_wishes.h"

#include <algorithm>

#include "planner/effects.h"

namespace runbookd::daemon {

namespace {

// Statements about rows take no lock on a table that an application waits for.
bool may_lock_tables(planner::Statement const& statement) {
  return statement.changes_schema || statement.kind.starts_with("LOCK") ||
         statement.kind == "TRUNCATE";
}

// Where names without a schema lead to.
std::vector<std::string> search_path(Session& session) {
  std::vector<std::string> path;
  if (auto const asked = session.run("SELECT unnest(pg_catalog.current_schemas(false))")) {
    for (auto const& row : asked->rows) {
      path.push_back(row.front().value_or(""));
    }
  }
  return path;
}

}  // namespace

std::vector<LockWish> lock_wishes(Session& session, planner::SqlAction const& action) {
  constexpr int major = 10'000;
  std::vector<LockWish> wishes;
  if (std::ranges::none_of(action.statements, may_lock_tables)) {
    return wishes;
  }
  planner::Catalog catalog;
  catalog.search_path = search_path(session);
  for (auto const& statement : action.statements) {
    auto const effects = planner::effects_of(statement, catalog, session.server_version() / major);
    for (auto const* locks : {&effects.locks, &effects.other_locks}) {
      for (auto const& lock : *locks) {
        wishes.push_back({.relation = lock.name, .mode = lock.mode});
      }
    }
    catalog = planner::apply(std::move(catalog), statement);
  }
  return wishes;
}

}  // namespace runbookd::daemon
