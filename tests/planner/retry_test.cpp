#include "planner/retry.h"

#include <algorithm>

#include <doctest/doctest.h>
#include <rapidcheck.h>

using namespace runbookd::planner;
using namespace std::chrono_literals;

namespace {

LockPolicy policy(Duration stall, Duration give_up = 10min) {
  return {.stall_budget = stall, .give_up_after = give_up};
}
double fraction(std::uint16_t number) { return number / 65536.0; }
constexpr Moment start{};

}  // namespace

TEST_CASE("the first pause is twice the stall budget") {
  CHECK(lock_backoff(policy(200ms), 1, 0.5) == 400ms);
}

TEST_CASE("each further pause is twice the one before") {
  CHECK(lock_backoff(policy(200ms), 2, 0.5) == 800ms);
  CHECK(lock_backoff(policy(200ms), 5, 0.5) == 6'400ms);
}

TEST_CASE("no pause is planned longer than 30 s before jitter") {
  CHECK(lock_backoff(policy(200ms), 50, 0.5) == 30s);
  CHECK(lock_backoff(policy(20min), 1, 0.5) == 30s);
}

TEST_CASE("jitter spreads a pause from half to one and a half") {
  CHECK(lock_backoff(policy(200ms), 1, 0.0) == 200ms);
  CHECK(lock_backoff(policy(200ms), 1, 1.0) == 600ms);
}

TEST_CASE("a stall budget of nothing does not make a busy loop") {
  CHECK(lock_backoff(policy(0ms), 1, 0.0) > 0ms);
}

TEST_CASE("a try that would come after give_up_after does not come") {
  CHECK(next_try(policy(200ms, 1s), start, start + 600ms, 400ms) == start + 1s);
  CHECK_FALSE(next_try(policy(200ms, 1s), start, start + 601ms, 400ms));
}

TEST_CASE("pauses stay within their bounds and never shrink with the number of tries") {
  CHECK(rc::check([](std::uint16_t stall, std::uint8_t tries, std::uint16_t dice) {
    auto const pause = lock_backoff(policy(Duration(stall)), tries, fraction(dice));
    RC_ASSERT(pause > 0ms);
    RC_ASSERT(pause <= 45s);
    RC_ASSERT(pause >= std::min<Duration>(Duration(stall), 15s));
    RC_ASSERT(lock_backoff(policy(Duration(stall)), tries + 1, fraction(dice)) >= pause);
  }));
}

TEST_CASE("the next try is in the future and inside the policy, and there is a last one") {
  CHECK(rc::check([](std::uint16_t stall, std::uint16_t give_up, std::uint16_t dice) {
    auto const limits = policy(Duration(stall), Duration(give_up));
    Moment now = start;
    int tries = 1;
    while (auto const next =
               next_try(limits, start, now, lock_backoff(limits, tries, fraction(dice)))) {
      RC_ASSERT(*next > now);
      RC_ASSERT(*next <= start + limits.give_up_after);
      now = *next;
      RC_ASSERT(++tries < 100'000);
    }
  }));
}
