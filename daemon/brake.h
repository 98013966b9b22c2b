// Holds a backfill back: between the eyes, which look at the target, a person's word, and the
// workers, which ask before each batch. One for each attempt; used by any thread.
#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "planner/pacing.h"
#include "planner/throttle.h"

namespace runbookd::daemon {

class Brake {
 public:
  Brake(planner::BackfillAction const& action, planner::HandThrottles hand);

  void set_hand(planner::HandThrottles hand);
  void saw(planner::Sample sample);
  void saw_nothing(std::string why);
  planner::Pace pace(planner::LastBatch const& last);
  planner::Throttling throttling();
  // "slowed or stopped for 3m of 20m"; empty where it never was for long.
  std::string account();

 private:
  planner::Speed speed_now();  // and the time since the last question goes to the account

  std::mutex mutex_;  // guards all below
  planner::Batch const batch_;
  planner::Governor governor_;
  std::string blind_because_;  // why the last look showed nothing
  planner::HandThrottles hand_;
  planner::Moment const began_;
  planner::Moment asked_;
  double share_ = 1;
  planner::Duration throttled_{};
};

}  // namespace runbookd::daemon
