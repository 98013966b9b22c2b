#include "daemon/target/lock_wishes.h"

#include "planner/relation_name.h"
#include "planner/sql.h"

namespace runbookd::daemon {

std::vector<LockWish> lock_wishes(Session&, planner::SqlAction const& action) {
  std::vector<LockWish> wishes;
  for (auto const& statement : action.statements) {
    if (statement.kind != "ALTER TABLE" || statement.sql.text.find("COLUMN") == std::string::npos) {
      continue;
    }
    for (auto const& need : planner::needs_of(statement)) {
      if (need.kind == planner::Need::Kind::owner) {
        wishes.push_back({.relation = planner::to_sql({.schema = need.schema, .name = need.name}),
                          .mode = planner::LockMode::access_exclusive});
      }
    }
  }
  return wishes;
}

}  // namespace runbookd::daemon
