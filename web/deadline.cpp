#include "web/deadline.h"

#include <utility>

#include <boost/asio/steady_timer.hpp>

namespace runbookd::web {

// Shared with the timer's handler, which can be on its way when the owner is gone.
struct Deadline::State {
  State(boost::asio::any_io_executor const& executor, std::function<void()> action)
      : timer(executor), on_expiry(std::move(action)) {}

  boost::asio::steady_timer timer;
  std::function<void()> on_expiry;
  // An expiry that is queued already can no longer be cancelled, but it can be told from the
  // current one.
  unsigned generation = 0;
};

Deadline::Deadline(boost::asio::any_io_executor const& executor, std::function<void()> on_expiry)
    : state_(std::make_shared<State>(executor, std::move(on_expiry))) {}

Deadline::~Deadline() { lift(); }

void Deadline::set(std::chrono::milliseconds from_now) {
  auto const generation = ++state_->generation;
  state_->timer.expires_after(from_now);
  state_->timer.async_wait([state = state_, generation](boost::system::error_code error) {
    if (!error && state->generation == generation) {
      state->on_expiry();
    }
  });
}

void Deadline::lift() {
  ++state_->generation;
  state_->timer.cancel();
}

}  // namespace runbookd::web
