// Who stands in the way of the migration, from now until it leaves.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "tests/bench/stall/link.h"

namespace runbookd::bench {

struct Blocker {
  std::string name;
  // Begins to hold the table and gives what lets it go.
  std::function<std::function<void()>(std::string const& dsn)> begin;
  bool yields = false;  // it goes when somebody wants the table, and by itself only much later
};

Blocker idle_in_transaction();
std::vector<Blocker> all_blockers();

}  // namespace runbookd::bench
