#include "daemon/hold_desk.h"

#include <algorithm>
#include <utility>

#include "daemon/documents.h"

namespace runbookd::daemon {

using planner::Error;
using planner::ErrorCode;
using planner::Hold;
using planner::Result;

namespace {

constexpr auto store_tried_again_after = std::chrono::seconds{1};
constexpr auto looked_at_least_every = std::chrono::hours{1};

}  // namespace

Result<void> HoldDesk::begin() {
  auto stored = holds_.standing();
  if (!stored) {
    return tl::unexpected(std::move(stored.error()));
  }
  hold_ = std::move(*stored);
  if (hold_) {
    on_set(*hold_);
    end_in_time();
  }
  return {};
}

std::string HoldDesk::show_hold() { return hold_json(hold_, recorded_); }

// Written first, so that all runs end up paused wherever the daemon dies among the pauses; and a
// store that takes nothing keeps nobody from stopping.
Result<std::string> HoldDesk::set_hold(web::HoldRequest const& wanted, std::string const& by) {
  auto const now = clock_.now();
  hold_ = Hold{.reason = wanted.reason,
               .by = by,
               .since = now,
               .until = wanted.lasts ? std::optional{now + *wanted.lasts} : std::nullopt};
  auto const written = told(holds_.put(*hold_));
  recorded_ = written.has_value();
  on_set(*hold_);
  if (!written && written.error().code != ErrorCode::store_unavailable) {
    return tl::unexpected(written.error());
  }
  wake();
  return show_hold();
}

Result<std::string> HoldDesk::lift_hold(std::string const& by) {
  if (!hold_) {
    return show_hold();
  }
  if (auto written = told(holds_.end(clock_.now(), by)); !written) {
    return tl::unexpected(std::move(written.error()));
  }
  auto const ended = *std::exchange(hold_, std::nullopt);
  recorded_ = true;
  alarm_.reset();
  on_end(ended, by);
  return show_hold();
}

Result<void> HoldDesk::told(Result<void> written) const {
  if (!written) {
    on_trouble(written.error());
  }
  return written;
}

// Whatever lies behind is caught up with; what lies ahead wakes us again.
void HoldDesk::end_in_time() {
  auto const now = clock_.now();
  if (hold_ && !recorded_) {
    recorded_ = told(holds_.put(*hold_)).has_value();
  }
  bool const over = hold_ && hold_->until && *hold_->until <= now;
  if (over && recorded_ && told(holds_.end(now, "")).has_value()) {
    on_end(*std::exchange(hold_, std::nullopt), "");
  }
  wake();
}

void HoldDesk::wake() {
  alarm_.reset();
  if (!hold_ || (recorded_ && !hold_->until)) {
    return;
  }
  auto const now = clock_.now();
  auto at = recorded_ ? std::min(*hold_->until, now + looked_at_least_every)
                      : now + store_tried_again_after;
  if (at <= now) {
    at = now + store_tried_again_after;
  }
  alarm_ = clock_.wake_at(at, [this] { end_in_time(); });
}

}  // namespace runbookd::daemon
