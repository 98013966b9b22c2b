// The line to one backend as other threads see it. A network can forget a connection without a word
// to either side; whoever waits for an answer on it would wait for ever.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "planner/time.h"

namespace runbookd::daemon {

class Line {
 public:
  explicit Line(int socket);
  ~Line();
  Line(Line const&) = delete;
  Line& operator=(Line const&) = delete;

  // Whoever waits for an answer on this line hears that it is lost. Any thread.
  void cut();
  bool is_cut() const;
  // An answer that takes longer is not waited for; zero: it may take any time. A process that was
  // stopped has not waited meanwhile.
  void answer_within(planner::Duration limit);

  // From a question to its answer.
  class Asking {
   public:
    explicit Asking(Line& line) : line_(line) { line_.asks(true); }
    ~Asking() { line_.asks(false); }
    Asking(Asking const&) = delete;
    Asking& operator=(Asking const&) = delete;

   private:
    Line& line_;
  };

 private:
  void asks(bool now);
  void watch(std::stop_token const& stop);

  int const socket_;  // our own descriptor of it: never closed under a thread that is about to cut
  mutable std::mutex mutex_;  // guards all below
  bool asking_ = false, cut_ = false;
  planner::Duration limit_{}, waited_{};
  std::condition_variable_any tick_;
  std::jthread watch_;  // last: it uses all of the above
};

}  // namespace runbookd::daemon
