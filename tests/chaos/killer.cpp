#include "tests/chaos/killer.h"

#include <csignal>

namespace runbookd::chaos {

Killer::Killer(pid_t pid, std::chrono::milliseconds after)
    : thread_([this, pid, after] {
        std::unique_lock lock(mutex_);
        if (!called_off_.wait_for(lock, after, [this] { return done_; })) {
          ::kill(pid, SIGKILL);
          has_killed_ = true;
        }
      }) {}

Killer::~Killer() {
  if (thread_.joinable()) {
    call_off();
  }
}

bool Killer::call_off() {
  {
    std::lock_guard const lock(mutex_);
    done_ = true;
  }
  called_off_.notify_one();
  thread_.join();
  return !has_killed_;
}

}  // namespace runbookd::chaos
