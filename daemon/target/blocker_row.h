// The columns in which a look at locks names a session that stands in the way: pid (0 = a
// prepared transaction), user, application, state, query, age of its transaction in milliseconds,
// lock mode, relation.
#pragma once

#include <charconv>
#include <cstdint>
#include <vector>

#include "daemon/target/session.h"
#include "planner/outcome.h"

namespace runbookd::daemon {

inline std::int64_t number_in(Cell const& cell) {
  std::int64_t value = 0;
  if (cell) {
    std::from_chars(cell->data(), cell->data() + cell->size(), value);
  }
  return value;
}

inline planner::Blocker blocker_of(std::vector<Cell> const& row) {
  return {.pid = static_cast<int>(number_in(row[0])),
          .user = row[1].value_or(""),
          .application = row[2].value_or(""),
          .state = row[3].value_or(""),
          .query = row[4].value_or(""),
          .transaction_age = planner::Duration(number_in(row[5])),
          .lock_mode = row[6].value_or(""),
          .relation = row[7].value_or("")};
}

}  // namespace runbookd::daemon
