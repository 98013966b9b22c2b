#include <doctest/doctest.h>

#include "daemon/eyes.h"

namespace runbookd::daemon {

TEST_CASE("a heart that has not beaten for long is not fresh, until it beats again") {
  Heartbeat heart;
  auto const now = std::chrono::steady_clock::now();
  CHECK(heart.fresh(now));
  CHECK(heart.fresh(now + Heartbeat::stale_after / 2));
  CHECK_FALSE(heart.fresh(now + 2 * Heartbeat::stale_after));
  heart.beat();
  CHECK(heart.fresh(std::chrono::steady_clock::now()));
  heart.leave();  // for as long as a connection takes
  CHECK(heart.fresh(now + 100 * Heartbeat::stale_after));
  heart.beat();
  CHECK_FALSE(heart.fresh(std::chrono::steady_clock::now() + 2 * Heartbeat::stale_after));
}

}  // namespace runbookd::daemon
