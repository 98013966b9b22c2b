// The only clock. Everything that decides gets its moment from here as an argument; tests bring
// their own.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "planner/time.h"

namespace boost::asio {
class io_context;
}

namespace runbookd::daemon {

// Destroying it takes the wake-up back.
class Alarm {
 public:
  virtual ~Alarm() = default;
};

class Clock {
 public:
  virtual ~Clock() = default;
  virtual planner::Moment now() const = 0;
  // Calls `ring` once, on the I/O thread and never from inside this call.
  virtual std::unique_ptr<Alarm> wake_at(planner::Moment moment, std::function<void()> ring) = 0;
};

planner::Moment wall_clock();
// For names of files: "20261123T062907123Z".
std::string compact_stamp(planner::Moment moment);

class SystemClock final : public Clock {
 public:
  explicit SystemClock(boost::asio::io_context& io) : io_(io) {}
  planner::Moment now() const override;
  std::unique_ptr<Alarm> wake_at(planner::Moment moment, std::function<void()> ring) override;

 private:
  boost::asio::io_context& io_;
};

}  // namespace runbookd::daemon
