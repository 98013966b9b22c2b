// The only source of randomness: fresh ids and jitter.
#pragma once

#include <cstdint>
#include <random>

#include "planner/ids.h"

namespace runbookd::daemon {

class Chance {
 public:
  Chance();                             // seeded by the system
  explicit Chance(std::uint64_t seed);  // the same sequence each time
  planner::RunId run_id();
  double jitter();  // [0, 1)
  // Straight from the system, whatever the seed: `bytes` of them in hexadecimal digits.
  static std::string secret(std::size_t bytes);

 private:
  std::mt19937_64 engine_;
};

}  // namespace runbookd::daemon
