#include "daemon/brake.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "daemon/clock.h"

namespace runbookd::daemon {

using namespace planner;

namespace {

// A worker that stands still asks again so soon.
constexpr Duration asked_again_after{100};

}  // namespace

Brake::Brake(BackfillAction const& action, HandThrottles hand)
    : batch_(action.batch),
      governor_(governor(action.throttle, wall_clock())),
      hand_(std::move(hand)),
      began_(wall_clock()),
      asked_(began_) {}

void Brake::set_hand(HandThrottles hand) {
  std::lock_guard const lock(mutex_);
  speed_now();
  hand_ = std::move(hand);
}

void Brake::saw(Sample sample) {
  std::lock_guard const lock(mutex_);
  speed_now();
  sample.at = wall_clock();
  governor_ = observe(std::move(governor_), sample);
  blind_because_.clear();
}

void Brake::saw_nothing(std::string why) {
  std::lock_guard const lock(mutex_);
  speed_now();
  blind_because_ = std::move(why);
}

Pace Brake::pace(LastBatch const& last) {
  std::lock_guard const lock(mutex_);
  auto const speed = speed_now();
  if (speed.stopped()) {
    return {.wait = asked_again_after};
  }
  auto const manners = courtesy(governor_, hand_.at(asked_));
  Pace pace{.hold = manners.hold};
  if (last.rows > 0) {
    auto const for_others = static_cast<double>(last.took.count()) * manners.rest;
    auto const pause = std::max(batch_.pause, Duration{std::llround(for_others)});
    // the pause is part of full speed
    auto const rest = pause + rest_after(last.took + pause, speed.share);
    pace.wait = std::max(Duration{}, rest - last.rested);
  }
  return pace;
}

Throttling Brake::throttling() {
  std::lock_guard const lock(mutex_);
  auto const speed = speed_now();
  return {.speed = speed,
          .hand = hand_.at(asked_),
          .unseen = governor_.unseen,
          .blind_because = blind_because_,
          .running = asked_ - began_,
          .throttled = throttled_};
}

std::string Brake::account() {
  std::lock_guard const lock(mutex_);
  speed_now();
  auto const whole_seconds = [](Duration span) {
    return to_text(std::chrono::round<std::chrono::seconds>(span));
  };
  return throttled_ < std::chrono::seconds{1}
             ? ""
             : "slowed or stopped for " + whole_seconds(throttled_) + " of " +
                   whole_seconds(asked_ - began_);
}

Speed Brake::speed_now() {
  auto const now = std::max(asked_, wall_clock());
  throttled_ += share_ < 1 ? now - asked_ : Duration{};
  asked_ = now;
  auto const found = speed(governor_, hand_.at(now), now);
  share_ = found.share;
  return found;
}

}  // namespace runbookd::daemon
