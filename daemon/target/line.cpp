#include "daemon/target/line.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace runbookd::daemon {
namespace {

using planner::Duration;

constexpr Duration looks_every{500};

}  // namespace

Line::Line(int socket)
    : socket_(::fcntl(socket, F_DUPFD_CLOEXEC, 0)),
      watch_([this](std::stop_token const& stop) { watch(stop); }) {}

Line::~Line() {
  watch_ = {};
  ::close(socket_);
}

void Line::cut() {
  std::lock_guard const lock(mutex_);
  cut_ = true;
  ::shutdown(socket_, SHUT_RDWR);
}

bool Line::is_cut() const {
  std::lock_guard const lock(mutex_);
  return cut_;
}

void Line::answer_within(Duration limit) {
  std::lock_guard const lock(mutex_);
  limit_ = limit;
}

void Line::asks(bool now) {
  std::lock_guard const lock(mutex_);
  asking_ = now;
  waited_ = {};
}

void Line::watch(std::stop_token const& stop) {
  while (!stop.stop_requested()) {
    bool overdue = false;
    {
      std::unique_lock lock(mutex_);
      tick_.wait_for(lock, stop, looks_every, [] { return false; });
      waited_ += asking_ ? looks_every : Duration{};
      overdue = asking_ && limit_ > Duration{} && waited_ > limit_;
    }
    if (overdue && !stop.stop_requested()) {
      cut();
    }
  }
}

}  // namespace runbookd::daemon
