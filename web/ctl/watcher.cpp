#include "web/ctl/watcher.h"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace runbookd::ctl {

namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds between_fetches = 200ms;
constexpr milliseconds clock_tick = 1000ms;  // elapsed times move without events

}  // namespace

Watcher::Watcher(Session& session, std::string run, Goal goal, std::string document)
    : session_(session),
      run_(std::move(run)),
      document_(std::move(document)),
      goal_(std::move(goal)) {
  if (session.global.timeout) {
    deadline_ = steady_clock::now() + *session.global.timeout;
  }
}

std::optional<Exit> Watcher::verdict() const {
  if (auto const exit = goal_(parse_json(document_))) {
    return exit;
  }
  return steady_clock::now() >= deadline_ ? std::optional(Exit::timed_out) : std::nullopt;
}

void Watcher::refresh(bool wanted) {
  wanted_ = wanted_ || wanted;
  auto const now = steady_clock::now();
  if (!wanted_ || now - fetched_ < between_fetches) {
    return;
  }
  fetched_ = now;
  auto answer = session_.client.get(run_path(run_), "watch " + run_);
  stale_ = !answer;
  wanted_ = stale_;
  if (answer) {
    take(std::move(answer->body));
  } else if (answer.error().exit != Exit::unreachable) {
    refusal_ = answer.error();
  }
}

milliseconds Watcher::patience() const {
  auto const nap = wanted_ ? between_fetches : clock_tick;
  if (deadline_ == steady_clock::time_point::max()) {
    return nap;
  }
  auto const left = std::chrono::ceil<milliseconds>(deadline_ - steady_clock::now());
  return std::clamp(left, 0ms, nap);
}

std::int64_t Watcher::revision() const { return number_of(parse_json(document_), "revision"); }

void Watcher::take(std::string document) {
  auto const fresh = parse_json(document);
  if (fresh.is_object() && number_of(fresh, "revision") >= revision()) {
    document_ = std::move(document);
  }
}

}  // namespace runbookd::ctl
