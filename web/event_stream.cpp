#include "web/event_stream.h"

#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "web/redaction.h"

namespace runbookd::web {

namespace asio = boost::asio;

namespace {

constexpr int batch = 64;
constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr auto greeting = "retry: 3000\n\n";
// What is live changes with every batch; nobody reads that fast.
constexpr std::chrono::seconds live_every{1};
constexpr auto still_here = ": still here\n\n";

}  // namespace

std::string to_stream_text(EventLine const& event) {
  std::string text;
  if (event.seq > 0) {
    text += "id: " + std::to_string(event.seq) + "\n";
  }
  text += "event: " + event.kind + "\ndata: ";
  for (char const c : event.json) {
    // a bare line break would end the field in the middle of the document
    text += c == '\n' ? std::string("\ndata: ") : std::string(1, c);
  }
  return text + "\n\n";
}

EventStream::EventStream(asio::any_io_executor const& executor, RunService& service, Follow follow,
                         std::chrono::milliseconds comment_every)
    : service_(service),
      follow_(std::move(follow)),
      comment_every_(comment_every),
      wake_(executor),
      subscription_(service.when_grown(follow_.run, [this] { wake_.cancel(); })) {}

void EventStream::stop() {
  over_ = true;
  subscription_.reset();
  wake_.cancel();
}

// What is there now. Nothing can come in between this and the wait that follows: all is one thread.
std::string EventStream::poll() {
  auto page = service_.events_after(follow_.run, follow_.after, batch);
  if (!page) {
    over_ = true;
    return {};
  }
  std::string text;
  for (auto& event : page->events) {
    if (!follow_.with_queries) {
      event.json = without_queries(event.json);
    }
    text += to_stream_text(event);
    follow_.after = event.seq;
  }
  if (!page->more && !page->run_is_final) {
    text += new_live_line();
  }
  complete_ = text.empty() && page->run_is_final;
  return text;
}

std::string EventStream::new_live_line() {
  auto const now = std::chrono::steady_clock::now();
  auto line = service_.live_line(follow_.run);
  live_waits_ = false;
  if (!line || line->json == last_live_) {
    return {};
  }
  if (now < next_live_) {
    live_waits_ = true;
    return {};
  }
  next_live_ = now + live_every;
  last_live_ = std::move(line->json);
  return to_stream_text({.kind = line->kind,
                         .json = follow_.with_queries ? last_live_ : without_queries(last_live_)});
}

asio::awaitable<std::string> EventStream::next() {
  if (!std::exchange(started_, true)) {
    co_return greeting;
  }
  while (!over_) {
    auto text = poll();
    if (!text.empty()) {
      co_return text;
    }
    if (complete_ || over_) {
      break;
    }
    auto const comment_at = std::chrono::steady_clock::now() + comment_every_;
    bool const for_live = live_waits_ && next_live_ < comment_at;
    wake_.expires_at(for_live ? next_live_ : comment_at);
    auto const [error] = co_await wake_.async_wait(as_result);
    if (!error && !over_ && !for_live) {
      co_return still_here;
    }
  }
  co_return std::string();
}

}  // namespace runbookd::web
