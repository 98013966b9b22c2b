// How long whoever shows wrong tokens has to wait. Each wrong one adds to what is owed; what is
// owed runs off by itself. Pure, and of bounded size.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

#include "planner/time.h"

namespace runbookd::daemon {

class Penalties {
 public:
  explicit Penalties(std::size_t most = 65'536) : most_(most) {}

  void add(std::string const& who, planner::Moment now);
  // Zero: may try now.
  planner::Duration owed(std::string const& who, planner::Moment now) const;
  std::size_t size() const { return free_at_.size(); }

 private:
  void make_room(planner::Moment now);
  void forget(std::string const& who);

  std::size_t most_;
  std::unordered_map<std::string, planner::Moment> free_at_;
  std::set<std::pair<planner::Moment, std::string>> by_time_;
};

}  // namespace runbookd::daemon
