// SIGKILL at a moment of its own, from a thread of its own: the driver may be waiting for an answer
// just then.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include <sys/types.h>

namespace runbookd::chaos {

class Killer {
 public:
  Killer(pid_t pid, std::chrono::milliseconds after);
  ~Killer();
  // False where it was too late.
  bool call_off();
  Killer(Killer const&) = delete;
  Killer& operator=(Killer const&) = delete;

 private:
  std::mutex mutex_;
  std::condition_variable called_off_;
  bool done_ = false, has_killed_ = false;
  std::thread thread_;
};

}  // namespace runbookd::chaos
