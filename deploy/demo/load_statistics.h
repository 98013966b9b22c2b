// What the application saw: how many transactions, how long they took, which errors. Thread-safe;
// at a few hundred transactions a second one mutex is plenty.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

namespace runbookd::demo {

struct Transaction {
  char const* kind = "";
  std::chrono::system_clock::time_point due;  // when the application wanted it
  std::chrono::microseconds took{};           // from then to the answer
  std::string sqlstate;                       // empty: it went well
  std::string message;
};

class LoadStatistics {
 public:
  void record(Transaction const& transaction);
  // A JSON object, one member per line so that a shell script can pick one.
  std::string summary(std::string const& version) const;

 private:
  // Sixteen buckets for each power of two: a percentile is at most one part in sixteen too long.
  static constexpr std::size_t buckets_per_power = 16;
  using Buckets = std::array<std::uint64_t, 64 * buckets_per_power>;

  static std::size_t bucket_of(std::chrono::microseconds took);
  static double upper_bound_ms(std::size_t bucket);
  double percentile_ms(double share) const;

  mutable std::mutex mutex_;
  Buckets buckets_{};
  std::uint64_t count_ = 0;
  std::uint64_t slow_ = 0;
  Transaction longest_;
  std::map<std::string, std::uint64_t> errors_;  // by SQLSTATE
  std::string last_error_;
};

}  // namespace runbookd::demo
