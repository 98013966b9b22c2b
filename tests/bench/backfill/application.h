// An application on the bench's table: short transactions at a fixed rate, each with its latency.
#pragma once

#include <atomic>
#include <chrono>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace runbookd::bench {

struct Latency {
  double at = 0;  // seconds since the application began
  double ms = 0;
};

class Application {
 public:
  // Reads one user and writes to another, `rate` times a second over all connections.
  Application(std::string const& dsn, long users, double rate);
  ~Application();
  Application(Application const&) = delete;
  Application& operator=(Application const&) = delete;

  // Ends it.
  std::vector<Latency> latencies();

 private:
  void work(std::string const& dsn, long users, double rate, unsigned seed);

  std::atomic<bool> over_ = false;
  std::mutex mutex_;
  std::vector<Latency> seen_;
  std::chrono::steady_clock::time_point const began_ = std::chrono::steady_clock::now();
  std::vector<std::thread> lanes_;
};

double share_of(std::vector<double> values, double share);  // 0.5: the median

struct Curve {
  std::string name;
  std::vector<Latency> points;
};
// The worst and the median latency of each second, one curve per way to fill.
std::string svg_of(std::vector<Curve> const& curves);

}  // namespace runbookd::bench
