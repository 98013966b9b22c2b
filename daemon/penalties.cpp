#include "daemon/penalties.h"

#include <algorithm>

namespace runbookd::daemon {
namespace {

using planner::Duration;
using planner::Moment;

constexpr Duration each{5'000};
// A person mistypes, and a program restarts with an old token: the first ones cost nothing.
constexpr Duration forgiven{15'000};
constexpr Duration most_owed{600'000};

}  // namespace

void Penalties::add(std::string const& who, Moment now) {
  auto const known = free_at_.find(who);
  auto const from = known == free_at_.end() ? now : std::max(now, known->second);
  forget(who);
  make_room(now);
  auto const until = std::min(from + each, now + most_owed);
  free_at_[who] = until;
  by_time_.emplace(until, who);
}

Duration Penalties::owed(std::string const& who, Moment now) const {
  auto const known = free_at_.find(who);
  if (known == free_at_.end() || known->second - now < forgiven) {
    return Duration{};
  }
  return known->second - now - forgiven + Duration{1};
}

void Penalties::forget(std::string const& who) {
  if (auto const known = free_at_.find(who); known != free_at_.end()) {
    by_time_.erase({known->second, who});
    free_at_.erase(known);
  }
}

// Whoever owes least goes first.
void Penalties::make_room(Moment now) {
  while (!by_time_.empty() && (by_time_.begin()->first <= now || free_at_.size() >= most_)) {
    forget(std::string(by_time_.begin()->second));
  }
}

}  // namespace runbookd::daemon
