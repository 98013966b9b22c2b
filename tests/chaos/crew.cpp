#include "tests/chaos/crew.h"

#include <iostream>
#include <thread>

namespace runbookd::chaos {

Crew::Crew(testing::PostgresCluster& cluster, int workers, bool first) : first_(first) {
  for (int i = 0; i < workers; ++i) {
    sites_.emplace_back(cluster, "chaos_" + std::to_string(i));
  }
}

void Crew::each(std::function<bool(Site&, int)> const& work) {
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < sites_.size(); ++i) {
    threads.emplace_back([this, &work, i] {
      try {
        while (!ended() && work(sites_[i], static_cast<int>(i))) {
        }
      } catch (std::exception const& problem) {
        failed(std::string("the driver itself gave up: ") + problem.what());
      }
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
}

void Crew::say(std::string const& line) {
  std::lock_guard const lock(mutex_);
  std::cout << line << std::endl;
}

void Crew::failed(std::string const& what) {
  std::lock_guard const lock(mutex_);
  ++failures_;
  std::cout << "VIOLATION " << what << std::endl;
}

}  // namespace runbookd::chaos
