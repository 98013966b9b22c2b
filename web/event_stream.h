// A run's events as text/event-stream: a cursor that is pulled. It keeps a position and no queue,
// so a slow reader costs nothing and a client that comes back with its last id misses nothing.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include "web/http.h"
#include "web/service.h"

namespace runbookd::web {

class EventStream {
 public:
  EventStream(boost::asio::any_io_executor const& executor, RunService& service, Follow follow,
              std::chrono::milliseconds comment_every);

  // The next text to send; waits until there is some. Empty: the stream is over.
  boost::asio::awaitable<std::string> next();

  // Everything was given and the run will have no more events.
  bool complete() const { return complete_; }

  // Ends the wait and the subscription; the service is not called again.
  void stop();

 private:
  std::string poll();
  std::string new_live_line();

  RunService& service_;
  Follow follow_;
  std::chrono::milliseconds comment_every_;
  boost::asio::steady_timer wake_;
  std::unique_ptr<Subscription> subscription_;
  std::string last_live_;
  std::chrono::steady_clock::time_point next_live_{};  // live lines are at most one a second
  bool live_waits_ = false;                            // one is held back until then
  bool started_ = false;
  bool complete_ = false;
  bool over_ = false;
};

// One event in its wire form; a live line has no id.
std::string to_stream_text(EventLine const& event);

}  // namespace runbookd::web
