#include "planner/retry.h"

#include <algorithm>
#include <cmath>

namespace runbookd::planner {
namespace {

constexpr Duration longest{30'000};
constexpr Duration shortest{10};  // a budget of 0 must not make a busy loop

}  // namespace

Duration lock_backoff(LockPolicy const& policy, int tries_so_far, double jitter) {
  auto base = std::clamp(policy.stall_budget, shortest / 2, longest) * 2;
  for (int doubled = 1; doubled < tries_so_far && base < longest; ++doubled) {
    base *= 2;
  }
  base = std::min(base, longest);
  auto const factor = 0.5 + std::clamp(jitter, 0.0, 1.0);
  return Duration(std::llround(static_cast<double>(base.count()) * factor));
}

std::optional<Moment> next_try(LockPolicy const& policy, Moment first_try, Moment now,
                               Duration pause) {
  auto const next = now + pause;
  if (next - first_try > policy.give_up_after) {
    return std::nullopt;
  }
  return next;
}

}  // namespace runbookd::planner
