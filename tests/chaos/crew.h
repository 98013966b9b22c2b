// Workers that share a heap of cases: each has a database of its own, and one daemon at a time.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "tests/chaos/trial.h"

namespace runbookd::chaos {

class Crew {
 public:
  // `first`: the first violation ends all work.
  Crew(testing::PostgresCluster& cluster, int workers, bool first);

  // Each worker calls `work(site, worker)` until it says that nothing is left, or all work has
  // ended.
  void each(std::function<bool(Site&, int)> const& work);

  // Safe from every worker.
  void say(std::string const& line);
  void failed(std::string const& what);  // counts, and tells it
  int failures() const { return failures_; }
  bool ended() const { return first_ && failures_ > 0; }
  std::mutex& mutex() { return mutex_; }

 private:
  std::vector<Site> sites_;
  std::mutex mutex_;
  bool first_;
  std::atomic<int> failures_ = 0;
};

}  // namespace runbookd::chaos
