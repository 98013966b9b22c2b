// A thread that runs jobs one after the other. Made on and used from the I/O thread; a job brings
// its answer back with `answer`, which runs a function on the I/O thread.
#pragma once

#include <functional>
#include <memory>

namespace boost::asio {
class io_context;
}

namespace runbookd::daemon {

class Worker {
 public:
  explicit Worker(boost::asio::io_context& io);
  // Waits for the job that is running; jobs that have not begun are dropped.
  ~Worker();
  Worker(Worker const&) = delete;
  Worker& operator=(Worker const&) = delete;

  void post(std::function<void()> job);
  // May be called on any thread.
  void answer(std::function<void()> on_io_thread);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace runbookd::daemon
