#include "daemon/penalties.h"

#include <string>

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using runbookd::daemon::Penalties;
using runbookd::planner::Duration;
using runbookd::planner::Moment;

TEST_CASE("two wrong tokens are forgiven, and from the third on the wait grows") {
  Penalties penalties;
  Moment const now{};
  Duration last{};
  for (int i = 1; i <= 10; ++i) {
    penalties.add("a", now);
    auto const owed = penalties.owed("a", now);
    CAPTURE(i);
    CHECK((owed > Duration{}) == (i >= 3));
    CHECK((i < 4 || owed > last));
    last = owed;
  }
  CHECK(penalties.owed("b", now) == Duration{});
}

TEST_CASE("what is owed runs off, and is never more than ten minutes") {
  Penalties penalties;
  Moment const now{};
  for (int i = 0; i < 1'000; ++i) {
    penalties.add("a", now);
  }
  auto const owed = penalties.owed("a", now);
  CHECK(owed <= 10min);
  CHECK(owed > 9min);
  CHECK(penalties.owed("a", now + owed) == Duration{});
}

TEST_CASE("whoever owes least is forgotten first, and memory stays bounded") {
  Penalties penalties(3);
  Moment const now{};
  for (int i = 0; i < 4; ++i) {
    penalties.add("persistent", now);
  }
  for (int i = 0; i < 100; ++i) {
    penalties.add("stranger " + std::to_string(i), now + Duration{i});
  }
  CHECK(penalties.size() == 3);
  CHECK(penalties.owed("persistent", now) > Duration{});
}
