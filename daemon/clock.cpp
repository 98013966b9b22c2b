#include "daemon/clock.h"

#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/system_timer.hpp>

namespace runbookd::daemon {
namespace {

class TimerAlarm final : public Alarm {
 public:
  TimerAlarm(boost::asio::io_context& io, planner::Moment moment, std::function<void()> ring)
      : ring_(std::make_shared<std::function<void()>>(std::move(ring))), timer_(io) {
    timer_.expires_at(moment);
    // a timer that has fired may still have its handler queued when the alarm is destroyed
    timer_.async_wait([weak = std::weak_ptr(ring_)](boost::system::error_code error) {
      auto const ring_now = weak.lock();
      if (!error && ring_now) {
        (*ring_now)();
      }
    });
  }

 private:
  std::shared_ptr<std::function<void()>> ring_;
  boost::asio::system_timer timer_;
};

}  // namespace

planner::Moment wall_clock() {
  return std::chrono::time_point_cast<planner::Duration>(std::chrono::system_clock::now());
}

std::string compact_stamp(planner::Moment moment) {
  auto text = planner::to_rfc3339(moment);  // 2026-11-23T06:29:07.123Z
  std::erase_if(text, [](char c) { return c == '-' || c == ':' || c == '.'; });
  return text;
}

planner::Moment SystemClock::now() const { return wall_clock(); }

std::unique_ptr<Alarm> SystemClock::wake_at(planner::Moment moment, std::function<void()> ring) {
  return std::make_unique<TimerAlarm>(io_, moment, std::move(ring));
}

}  // namespace runbookd::daemon
