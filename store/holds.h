// The brake on all runs, over restarts. Same thread and same failures as the journal.
#pragma once

#include <optional>
#include <string>

#include "planner/house_rules.h"
#include "store/file.h"
#include "store/sqlite.h"

namespace runbookd::store {

class Holds {
 public:
  explicit Holds(Connection& connection);

  planner::Result<std::optional<planner::Hold>> standing() const;
  // Takes the place of the one that stands.
  planner::Result<void> put(planner::Hold const& hold);
  planner::Result<void> end(planner::Moment when, std::string const& by);

 private:
  Connection& connection_;
  OpenFile file_;
  Statement insert_, end_;
  mutable Statement standing_;
};

}  // namespace runbookd::store
