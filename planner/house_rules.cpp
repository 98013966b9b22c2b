#include "planner/house_rules.h"

namespace runbookd::planner {

std::string to_text(Hold const& hold) {
  return "everything is held since " + to_rfc3339(hold.since) + " by " + hold.by + ": " +
         hold.reason + (hold.until ? "; it ends at " + to_rfc3339(*hold.until) : "");
}

std::string pause_reason(Hold const& hold) { return "hold: " + hold.reason; }

}  // namespace runbookd::planner
