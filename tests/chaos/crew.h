// Workers that share a heap of cases: each has a database of its own, and one daemon at a time.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "tests/chaos/trial.h"

namespace runbookd::chaos {

class Crew {
 public:
  Crew(testing::PostgresCluster& cluster, int workers);

  // Each worker calls `work(site, worker)` until it says that nothing is left.
  void each(std::function<bool(Site&, int)> const& work);

  // Safe from every worker.
  void say(std::string const& line);
  void failed(std::string const& what);  // counts, and tells it
  int failures() const { return failures_; }
  std::mutex& mutex() { return mutex_; }

 private:
  std::vector<Site> sites_;
  std::mutex mutex_;
  int failures_ = 0;
};

}  // namespace runbookd::chaos
