#include "web/waiting.h"

#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace runbookd::web {

namespace asio = boost::asio;

namespace {
constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
}

WaitingAnswer::WaitingAnswer(asio::any_io_executor const& executor, RunService& service, Wait wait)
    : wait_(std::move(wait)),
      wake_(executor),
      subscription_(service.when_grown(wait_.run, [this] { wake_.cancel(); })) {}

void WaitingAnswer::hurry() {
  over_ = true;
  wake_.cancel();
}

void WaitingAnswer::stop() {
  stopped_ = true;
  subscription_.reset();
  wake_.cancel();
}

// Nothing can come in between the question and the wait that follows it: all is one thread.
asio::awaitable<std::optional<Response>> WaitingAnswer::answer() {
  auto const until = std::chrono::steady_clock::now() + wait_.at_most;
  while (!stopped_) {
    over_ = over_ || std::chrono::steady_clock::now() >= until;
    auto answer = wait_.ask(over_);
    if (answer) {
      co_return answer;
    }
    wake_.expires_at(until);
    co_await wake_.async_wait(as_result);
  }
  co_return std::nullopt;
}

}  // namespace runbookd::web
