#pragma once

#include <condition_variable>
#include <mutex>
#include <stop_token>

#include "planner/time.h"

namespace runbookd::daemon {

// Sleeps, but wakes at once when it is to stop.
inline void rest(planner::Duration duration, std::stop_token const& stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  wake.wait_for(lock, stop, duration, [] { return false; });
}

}  // namespace runbookd::daemon
