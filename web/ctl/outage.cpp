#include "web/ctl/outage.h"

#include "web/ctl/text.h"

namespace runbookd::ctl {

using planner::Duration;
using std::chrono::steady_clock;

Duration Outage::length() const {
  return std::chrono::duration_cast<Duration>(steady_clock::now() - *began_);
}

std::string Outage::words() const {
  return "the daemon at " + to_text(session_.client.address()) + " has not answered since " +
         clock_time(since_, session_.world.utc_offset);
}

void Outage::note(bool answered) {
  if (answered) {
    if (told_) {
      tell(session_, "the daemon answers again after " + short_duration(length()));
    }
    began_.reset();
    told_ = false;
    return;
  }
  if (!began_) {
    began_ = steady_clock::now();
    since_ = session_.world.now();
  }
  // a restart takes a moment and is nobody's concern
  if (!told_ && length() >= session_.world.outage_told_after) {
    told_ = true;
    auto const how_long =
        patience_ ? "trying for " + short_duration(*patience_ - length()) + " more" : "trying on";
    tell(session_, words() + "; " + how_long + " (Ctrl-C leaves)");
  }
}

}  // namespace runbookd::ctl
