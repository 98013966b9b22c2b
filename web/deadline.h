// Does something when time is up, unless told in time that all is well.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include <boost/asio/any_io_executor.hpp>

namespace runbookd::web {

class Deadline {
 public:
  Deadline(boost::asio::any_io_executor const& executor, std::function<void()> on_expiry);
  // After this, `on_expiry` is not called any more.
  ~Deadline();
  Deadline(Deadline const&) = delete;
  Deadline& operator=(Deadline const&) = delete;

  // Replaces the deadline set before.
  void set(std::chrono::milliseconds from_now);
  void lift();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace runbookd::web
