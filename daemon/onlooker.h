// What the eyes see beside the wait of our own session: who waits for it, and how far the server is
// with a long statement. People read this and nothing is decided by it, so it is asked once in a
// second.
#pragma once

#include <chrono>
#include <optional>

#include "daemon/target/procedures.h"

namespace runbookd::daemon {

class Onlooker {
 public:
  struct Seen {
    std::optional<planner::Behind> behind;
    std::optional<planner::ServerWork> work;
    bool operator==(Seen const&) const = default;
  };
  // Nothing where it is not time yet, or nothing has changed.
  std::optional<Seen> look(Session& eyes, int pid);
  // The most that waited for us in this attempt.
  std::optional<planner::Behind> const& most_behind() const { return most_behind_; }
  void saw(std::optional<planner::Behind> const& behind);

 private:
  std::optional<std::chrono::steady_clock::time_point> looked_;
  Seen told_;
  std::optional<planner::Behind> most_behind_;
};

}  // namespace runbookd::daemon
