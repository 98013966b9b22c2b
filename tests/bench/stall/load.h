// The application of the stall bench: transactions at a fixed rate, each timed from the moment it
// was due, so that waiting is never left out; and readers that hold the table for a while.
#pragma once

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

namespace runbookd::bench {

using Clock = std::chrono::steady_clock;

struct LoadPlan {
  int clients = 16;
  double rate = 1'500;  // transactions a second over all clients; 0 = as fast as they can
  bool two_statements = true;
  int rows = 1'000'000;
  int readers = 0;
};
struct Transaction {
  Clock::time_point due, done;
};

class Load {
 public:
  Load(std::string dsn, LoadPlan const& plan);
  ~Load();
  // All that were committed, in the order of their ends.
  std::vector<Transaction> stop();

 private:
  void work(int client);
  void read(int reader);

  std::string dsn_;
  LoadPlan plan_;
  Clock::time_point began_ = Clock::now();
  std::atomic<bool> over_{false};
  std::vector<std::vector<Transaction>> done_;  // by client
  std::vector<std::thread> threads_;
};

}  // namespace runbookd::bench
