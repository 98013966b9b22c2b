#include "daemon/target/lock_wishes.h"

#include "planner/effects.h"

namespace runbookd::daemon {

std::vector<LockWish> lock_wishes(Session& session, planner::SqlAction const& action) {
  constexpr int major = 10'000;
  planner::Catalog catalog;
  std::vector<LockWish> wishes;
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
