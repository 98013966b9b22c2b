#include "planner/time.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

using namespace runbookd::planner;
using namespace std::chrono_literals;

TEST_CASE("a duration is a sum of units from long to short") {
  CHECK(parse_duration("200ms") == 200ms);
  CHECK(parse_duration("30s") == 30s);
  CHECK(parse_duration("10m") == 10min);
  CHECK(parse_duration("72h") == 72h);
  CHECK(parse_duration("7d") == 168h);
  CHECK(parse_duration("1h30m") == 90min);
  CHECK(parse_duration("1d2h3m4s5ms") == 26h + 3min + 4s + 5ms);
}

TEST_CASE("zero needs no unit and every other number does") {
  CHECK(parse_duration("0") == 0ms);
  CHECK(parse_duration("0s") == 0ms);
  CHECK_FALSE(parse_duration("30"));
  CHECK_FALSE(parse_duration("00"));
}

TEST_CASE("what is not a duration is refused") {
  for (auto const* text :
       {"", " ", "s", "-5s", "+5s", "1.5s", "5 s", " 5s", "5s ", "5S", "5sec", "1m1h", "1s1s",
        "5ms5s", "five", "1h30", "9999999999999999s", "\xC2\xB2s"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_duration(text));
  }
}

TEST_CASE("a duration too long for the clock is refused, not wrapped") {
  CHECK(parse_duration("36500d"));
  CHECK_FALSE(parse_duration("999999999999999d"));
  CHECK_FALSE(parse_duration("106752d"));
}

TEST_CASE("a duration is written with the largest unit that is exact") {
  CHECK(to_text(Duration{0}) == "0s");
  CHECK(to_text(200ms) == "200ms");
  CHECK(to_text(90s) == "90s");
  CHECK(to_text(120s) == "2m");
  CHECK(to_text(72h) == "3d");
  CHECK(to_text(Duration{-1500}) == "-1500ms");
}

TEST_CASE("every duration is read back as it was written") {
  CHECK(rc::check([] {
    Duration const duration{*rc::gen::inRange<std::int64_t>(0, 1'000'000'000'000)};
    RC_ASSERT(parse_duration(to_text(duration)) == duration);
  }));
}

TEST_CASE("a moment is written in UTC with milliseconds") {
  CHECK(to_rfc3339(Moment{Duration{0}}) == "1970-01-01T00:00:00.000Z");
  CHECK(to_rfc3339(Moment{Duration{1'782'864'000'007}}) == "2026-07-01T00:00:00.007Z");
  CHECK(to_rfc3339(Moment{Duration{-1}}) == "1969-12-31T23:59:59.999Z");
}

TEST_CASE("a moment with an offset is the same moment in UTC") {
  CHECK(parse_rfc3339("2026-07-01T02:00:00+02:00") == parse_rfc3339("2026-07-01T00:00:00Z"));
  CHECK(parse_rfc3339("2026-06-30T19:00:00-05:00") == parse_rfc3339("2026-07-01T00:00:00Z"));
}

TEST_CASE("fractions of a second are cut to milliseconds") {
  CHECK(parse_rfc3339("1970-01-01T00:00:00.5Z") == Moment{500ms});
  CHECK(parse_rfc3339("1970-01-01t00:00:00.123999z") == Moment{123ms});
}

TEST_CASE("what is not a moment is refused") {
  for (auto const* text :
       {"", "2026-07-01", "2026-07-01T00:00:00", "2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z",
        "2026-07-01T24:00:00Z", "2026-07-01T00:60:00Z", "2026-07-01T00:00:60Z",
        "2026-07-01T00:00:00.Z", "2026-07-01T00:00:00+0200", "2026-07-01T00:00:00+25:00",
        "2026-07-01T00:00:00Zx", "26-07-01T00:00:00Z"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_rfc3339(text));
  }
}

TEST_CASE("every moment is read back as it was written") {
  CHECK(rc::check([] {
    Moment const moment{
        Duration{*rc::gen::inRange<std::int64_t>(-2'000'000'000'000, 250'000'000'000'000)}};
    RC_ASSERT(parse_rfc3339(to_rfc3339(moment)) == moment);
  }));
}
