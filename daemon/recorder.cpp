#include "daemon/recorder.h"

#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

namespace runbookd::daemon {
namespace {
constexpr auto store_tried_again_after = std::chrono::seconds{1};
}

Recorder::Recorder(boost::asio::io_context& io, Clock& clock, store::Journal& journal)
    : io_(io), clock_(clock), journal_(journal) {}

planner::Result<void> Recorder::record_now(store::Append append) { return commit(&append); }

void Recorder::record_soon(store::Append append, std::function<void()> durable) {
  waiting_.push_back({.append = std::move(append), .durable = std::move(durable)});
  flush_later();
}

void Recorder::flush_later() {
  if (flush_posted_ || degraded_) {
    return;  // a failed store is tried again by the alarm
  }
  flush_posted_ = true;
  boost::asio::post(io_, [this] {
    flush_posted_ = false;
    flush();
  });
}

void Recorder::flush() {
  if (!waiting_.empty()) {
    (void)commit(nullptr);
  }
}

planner::Result<void> Recorder::commit(store::Append const* last) {
  if (broken_) {
    return tl::unexpected(*broken_);
  }
  std::vector<store::Append> appends;
  for (auto const& waiting : waiting_) {
    appends.push_back(waiting.append);
  }
  if (last != nullptr) {
    appends.push_back(*last);
  }
  auto const began = std::chrono::steady_clock::now();
  auto const written = last == nullptr ? journal_.append_facts(appends) : journal_.append(appends);
  if (!written) {
    auto const code = written.error().code;
    bool const asked = last != nullptr;
    if (code == planner::ErrorCode::store_unavailable) {
      failed(written.error());
    } else if (code == planner::ErrorCode::audit_unavailable) {
      flush_later();  // what waits needs no entry
    } else if (code != planner::ErrorCode::stale_revision || !asked) {
      // of what a person asks a stale revision is the answer; a fact that does not fit means that
      // somebody else wrote
      give_up(written.error());
    }
    return written;
  }
  if (on_durable && !appends.empty()) {
    on_durable(appends, std::chrono::steady_clock::now() - began);
  }
  if (degraded_) {
    degraded_ = false;
    again_.reset();
    if (on_trouble) {
      on_trouble("the store takes events again");
    }
  }
  for (auto& done : std::exchange(waiting_, {})) {
    boost::asio::post(io_, std::move(done.durable));
  }
  return {};
}

void Recorder::failed(planner::Error const& error) {
  if (!degraded_ && on_trouble) {
    on_trouble(error.detail);
  }
  degraded_ = true;
  again_ = clock_.wake_at(clock_.now() + store_tried_again_after, [this] {
    if (waiting_.empty()) {
      degraded_ = false;  // nothing is owed; the next command finds out whether the store works
    } else {
      flush();
    }
  });
}

void Recorder::give_up(planner::Error const& error) {
  broken_ = error;
  degraded_ = true;
  again_.reset();
  if (on_broken) {
    on_broken(error);
  }
}

}  // namespace runbookd::daemon
