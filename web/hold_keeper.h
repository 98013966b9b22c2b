// The brake on all runs. daemon/ implements it; called on the I/O thread only, and answers at once.
#pragma once

#include <optional>
#include <string>

#include "planner/error.h"
#include "planner/time.h"

namespace runbookd::web {

struct HoldRequest {
  std::string reason;
  std::optional<planner::Duration> lasts;
};

class HoldKeeper {
 public:
  virtual ~HoldKeeper() = default;

  // Documents: whether one stands; its reason, who set it, since when and until when.
  virtual std::string show_hold() = 0;
  // Takes the place of one that stands. All runs that work are being paused when this returns, also
  // where the store did not take it.
  virtual planner::Result<std::string> set_hold(HoldRequest const& wanted,
                                                std::string const& by) = 0;
  // Nothing goes on by itself.
  virtual planner::Result<std::string> lift_hold(std::string const& by) = 0;
};

}  // namespace runbookd::web
