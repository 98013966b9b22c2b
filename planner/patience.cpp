#include "planner/patience.h"

#include <algorithm>
#include <cmath>

namespace runbookd::planner {
namespace {

constexpr Duration shortest{1};  // to the server 0 would mean without end
constexpr Duration busy_look{20}, longest_look{100};
constexpr Duration between_attempts{10};
constexpr Duration between_evictions{5'000};
constexpr Duration longest_rest{15'000};
constexpr std::size_t remembered = 400;
constexpr std::size_t enough_looks = 50;
constexpr double growth = 1.05;
constexpr double hopeless = 0.02, good_enough = 0.9;
constexpr int vouchers = 3;  // transactions that grew older than this one and ended all the same

Duration scaled(Duration duration, double factor) {
  return Duration(std::llround(static_cast<double>(duration.count()) * factor));
}

template <typename T>
void remember(std::deque<T>& all, T value) {
  all.push_back(value);
  if (all.size() > remembered) {
    all.pop_front();
  }
}

}  // namespace

// At first half of the budget, then most of it: what is left is for the work itself.
Duration Patience::rung() const {
  double const share = failures_ == 0 ? 0.5 : 0.875;
  return std::max(shortest, scaled(policy_.stall_budget, share));
}

Duration Patience::age_of(Holder const& holder, Duration now) const {
  auto const seen = there_.find(holder.id);
  auto const since = seen == there_.end() ? now : seen->second.since;
  return std::max(holder.age, now - since);
}

// What has gone since the last look ended somewhere in between.
void Patience::observe(std::vector<Holder> const& holders, Duration now) {
  std::map<std::string, Seen> present;
  for (auto const& holder : holders) {
    auto const before = there_.find(holder.id);
    auto const since = before == there_.end() ? now : before->second.since;
    present[holder.id] = {.since = since, .age = age_of(holder, now), .last = now};
  }
  for (auto const& [id, seen] : there_) {
    if (!present.contains(id)) {
      remember(lifetimes_, seen.age + (now - seen.last) / 2);
    }
  }
  there_ = std::move(present);
}

// The share of those that grew as old which then ended in time. Of what is not known yet: whoever
// has been there long stays long.
double Patience::ends_within(Duration age, Duration time) const {
  auto const older = std::ranges::count_if(lifetimes_, [&](auto life) { return life > age; });
  if (age > 2 * time && older < vouchers) {
    return 0;
  }
  auto const in_time = std::ranges::count_if(
      lifetimes_, [&](auto life) { return life > age && life <= age + time; });
  auto const guess = static_cast<double>(time.count()) / static_cast<double>((age + time).count());
  return (static_cast<double>(in_time) + guess) / (static_cast<double>(older) + 1);
}

Patience::Odds Patience::odds(std::vector<Holder> const& holders, Duration now,
                              Duration time) const {
  Odds all;
  for (auto const& holder : holders) {
    double const one = holder.stays ? 0 : ends_within(age_of(holder, now), time);
    all.hopeless = all.hopeless || one == 0;
    all.of_the_rest *= one == 0 ? 1 : one;
  }
  return all;
}

// On a table that is never free there are better and worse moments.
bool Patience::as_good_as_it_gets(double odds) const {
  if (odds_.size() < enough_looks) {
    return odds >= 0.5;
  }
  std::vector<double> sorted(odds_.begin(), odds_.end());
  auto const high = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() * 49 / 50);
  std::nth_element(sorted.begin(), high, sorted.end());
  return odds >= std::clamp(*high, hopeless, good_enough);
}

Move Patience::next(Look const& look, Duration now, Duration waited, double jitter) {
  auto const around = [&](Duration time) { return scaled(time, 0.75 + jitter / 2); };
  if (waited >= policy_.give_up_after) {
    return {.kind = Move::Kind::give_up, .time = {}};
  }
  if (!look.informed) {
    return now >= queue_again_
               ? Move{.kind = Move::Kind::attempt, .time = std::max(shortest, policy_.stall_budget)}
               : Move{.kind = Move::Kind::look,
                      .time = std::min(*queue_again_ - now, longest_look)};
  }
  observe(look.holders, now);
  auto const& holders = look.holders;
  bool const blocked = std::ranges::any_of(holders, &Holder::stays);
  if (!blocked && std::ranges::any_of(holders, &Holder::yields) && now >= evict_again_) {
    evict_again_ = now + between_evictions;
    return {.kind = Move::Kind::evict, .time = {}};
  }
  auto const chance = odds(holders, now, rung());
  // also while somebody stays: to know a good moment when that one has gone
  remember(odds_, chance.of_the_rest);
  if (!chance.hopeless && now >= queue_again_ && now >= attempt_again_ &&
      as_good_as_it_gets(chance.of_the_rest)) {
    return {.kind = Move::Kind::attempt, .time = rung()};
  }
  if (holders.empty() && now >= attempt_again_) {
    return {.kind = Move::Kind::attempt, .time = {}};
  }
  Duration oldest{};
  for (auto const& holder : holders) {
    oldest = std::max(oldest, age_of(holder, now));
  }
  return {.kind = Move::Kind::look,
          .time = around(chance.hopeless ? std::clamp(oldest / 50, busy_look, longest_look)
                                         : busy_look)};
}

void Patience::failed(Duration now, Duration queued, double jitter, Waited which) {
  attempt_again_ = now + between_attempts;
  if (queued <= Duration{}) {
    return;
  }
  auto const rest = scaled(queued, (1 + jitter / 2) / queueing_share * std::pow(growth, failures_));
  auto const least = scaled(queued, 1 / queueing_share);
  queue_again_ = now + std::max(least, std::min(rest, longest_rest));
  if (which == Waited::for_another) {
    attempt_again_ = queue_again_;
  }
  ++failures_;
}

Duration sitting(int tries_so_far) {
  constexpr Duration first{1'000}, longest{60'000};
  auto length = first;
  for (int doubled = 1; doubled < tries_so_far && length < longest; ++doubled) {
    length *= 2;
  }
  return std::min(length, longest);
}

}  // namespace runbookd::planner
