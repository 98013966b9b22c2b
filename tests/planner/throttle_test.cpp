#include "planner/throttle.h"

#include <algorithm>

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "planner/size.h"
#include "planner/throttle_words.h"

using namespace runbookd::planner;
using namespace std::chrono_literals;

namespace {

Moment const begun{std::chrono::hours{1}};

Sample sample(Duration after) {
  Sample one;
  one.at = begun + after;
  one.wal_position = 0;
  one.lock_waiters = 0;
  one.active_sessions = 0;
  one.max_connections = 100;
  one.vacuum = false;
  one.wraparound_vacuum = false;
  return one;
}
Sample lagging(Duration after, Duration lag) {
  auto one = sample(after);
  one.standbys = {{.name = "standby-a", .lag = 0ms, .bytes_behind = 1},
                  {.name = "standby-b", .lag = lag, .bytes_behind = 1}};
  return one;
}
Sample crowded(Duration after, std::int64_t sessions) {
  auto one = sample(after);
  one.active_sessions = sessions;
  return one;
}

// A sample each second, told by its number.
template <typename Make>
Governor after_samples(Governor from, int first, int count, Make make) {
  for (int i = first; i < first + count; ++i) {
    from = observe(std::move(from), make(i * 1s));
  }
  return from;
}
Speed speed_at(Governor const& governor, Duration after) {
  return speed(governor, std::nullopt, begun + after);
}
HandThrottle hand(int percent, std::optional<Moment> until = std::nullopt) {
  return {.percent = percent, .since = begun, .until = until, .actor = "ben", .reason = "p99"};
}

}  // namespace

TEST_SUITE("signals") {
  TEST_CASE("nothing slows a backfill on a target that bears it") {
    auto const governed = after_samples(governor({}, begun), 0, 5, sample);
    CHECK(speed_at(governed, 4s).share == 1);
    CHECK(speed_at(governed, 4s).cause == Speed::Cause::none);
  }

  TEST_CASE("a standby at the limit stops it, and is named with value and limit") {
    auto const governed = observe(governor({}, begun), lagging(1s, 7s));
    auto const now = speed_at(governed, 1s);
    CHECK(now.stopped());
    CHECK(now.cause == Speed::Cause::signal);
    CHECK(now.since == begun + 1s);
    REQUIRE(now.measure);
    CHECK(*now.measure == Measure{Signal::replica_lag, 7000, 5000, "standby-b"});
  }

  TEST_CASE("it goes on when the signal was below half its limit in two samples in a row") {
    auto const stopped = observe(governor({}, begun), lagging(1s, 5s));
    auto const once = observe(stopped, lagging(2s, 2s));
    CHECK(speed_at(once, 2s).stopped());
    CHECK_FALSE(speed_at(observe(once, lagging(3s, 2s)), 3s).stopped());
    auto const again = observe(once, lagging(3s, 3s));
    CHECK(speed_at(again, 3s).stopped());
    CHECK(speed_at(observe(again, lagging(4s, 2s)), 4s).stopped());
  }

  TEST_CASE("another signal that is only high keeps no stop alive") {
    auto busy = lagging(1s, 6s);
    busy.active_sessions = 60;
    auto governed = observe(governor({}, begun), busy);
    for (int i = 2; i < 4; ++i) {
      auto calm = crowded(i * 1s, 60);
      governed = observe(std::move(governed), calm);
    }
    CHECK_FALSE(speed_at(governed, 3s).stopped());
  }

  TEST_CASE("after a stop it goes on at half the speed, and gets faster again") {
    auto governed = observe(governor({}, begun), lagging(1s, 6s));
    governed =
        after_samples(std::move(governed), 2, 2, [](Duration at) { return lagging(at, 0s); });
    auto const first = speed_at(governed, 3s).share;
    CHECK(first < 1);
    CHECK(first >= 0.5);
    governed =
        after_samples(std::move(governed), 4, 5, [](Duration at) { return lagging(at, 0s); });
    CHECK(speed_at(governed, 8s).share == 1);
  }

  TEST_CASE("near its limit a signal slows, and is named") {
    auto const governed = observe(governor({}, begun), crowded(1s, 76));
    auto const now = speed_at(governed, 1s);
    CHECK(now.share < 1);
    CHECK_FALSE(now.stopped());
    REQUIRE(now.measure);
    CHECK(now.measure->signal == Signal::active_sessions);
    CHECK(now.measure->limit == 80);
  }

  TEST_CASE("load that others make and that stays the same does not bring it to a crawl") {
    auto const governed = after_samples(governor({}, begun), 1, 60,
                                        [](Duration at) { return crowded(at, 64); });  // 80 %
    auto const share = speed_at(governed, 60s).share;
    CHECK(share > 0.6);
    CHECK(share < 0.7);
  }

  TEST_CASE("active sessions may be limited by number") {
    ThrottlePolicy policy;
    policy.active_sessions = SessionLimit{.count = 3, .percent = false};
    CHECK(speed_at(observe(governor(policy, begun), crowded(1s, 3)), 1s).stopped());
  }

  TEST_CASE("WAL is counted between two samples") {
    ThrottlePolicy policy;
    policy.wal_rate = 10 << 20;
    auto const wal = [](Duration at, std::int64_t megabytes) {
      auto one = sample(at);
      one.wal_position = megabytes << 20;
      return one;
    };
    auto governed = observe(governor(policy, begun), wal(1s, 1'000));
    CHECK_FALSE(speed_at(governed, 1s).stopped());
    governed = observe(std::move(governed), wal(2s, 1'020));
    CHECK(speed_at(governed, 2s).stopped());
    CHECK(speed_at(governed, 2s).measure->value == 20 << 20);
  }

  TEST_CASE("a standby that nothing reaches falls behind all the same") {
    auto const stuck = [](Duration at) {
      auto one = sample(at);
      constexpr std::int64_t each_second = 20LL << 20;
      one.wal_position = each_second * (at / 1s);
      one.standbys = {
          {.name = "b", .lag = std::nullopt, .bytes_behind = *one.wal_position - each_second}};
      return one;
    };
    auto const governed = after_samples(governor({}, begun), 1, 7, stuck);  // since second 2
    CHECK(speed_at(governed, 7s).stopped());
    CHECK(speed_at(governed, 7s).measure->value == 5000);
  }

  TEST_CASE("a standby that has all of it has no lag, whatever was said before") {
    auto one = sample(1s);
    one.standbys = {{.name = "b", .lag = 60s, .bytes_behind = 0}};
    CHECK_FALSE(speed_at(observe(governor({}, begun), one), 1s).stopped());
  }

  TEST_CASE("what may not be seen is told and stops nothing") {
    auto one = sample(1s);
    one.standbys = {{.name = "pid 7"}};
    one.active_sessions.reset();
    one.vacuum.reset();
    one.wraparound_vacuum.reset();
    auto const governed = observe(governor({}, begun), one);
    CHECK(speed_at(governed, 1s).share == 1);
    CHECK(governed.unseen ==
          std::vector{Signal::replica_lag, Signal::active_sessions, Signal::autovacuum});
    CHECK(unseen_words(governed.unseen).find("pg_monitor") != std::string::npos);
  }

  TEST_CASE("only the autovacuum that the plan names is waited for") {
    auto one = sample(1s);
    one.vacuum = true;
    CHECK_FALSE(speed_at(observe(governor({}, begun), one), 1s).stopped());
    ThrottlePolicy any;
    any.autovacuum = YieldToVacuum::any;
    CHECK(speed_at(observe(governor(any, begun), one), 1s).stopped());
    one.wraparound_vacuum = true;
    CHECK(speed_at(observe(governor({}, begun), one), 1s).stopped());
    CHECK_FALSE(speed_at(observe(governor(unthrottled, begun), one), 1s).stopped());
  }

  TEST_CASE("WAL kept for a slot stops it") {
    auto one = sample(1s);
    one.slots = {{.name = "old", .bytes_kept = 6LL << 30}, {.name = "new", .bytes_kept = 1}};
    auto const now = speed_at(observe(governor({}, begun), one), 1s);
    CHECK(now.stopped());
    CHECK(now.measure->where == "old");
  }

  TEST_CASE("who does not hear of the target for a quarter of a minute stops") {
    auto const governed = observe(governor({}, begun), sample(1s));
    CHECK_FALSE(speed_at(governed, 15s).stopped());
    auto const later = speed_at(governed, 16s);
    CHECK(later.stopped());
    CHECK(later.cause == Speed::Cause::stale);
    CHECK(speed_at(governor({}, begun), 15s).cause == Speed::Cause::stale);
  }

  TEST_CASE("who looks at nothing never gets stale") {
    CHECK(speed_at(governor(unthrottled, begun), 1h).share == 1);
  }
}

TEST_SUITE("a person's word") {
  TEST_CASE("it slows, and the signals may slow further") {
    auto const calm = observe(governor({}, begun), sample(1s));
    auto const slowed = speed(calm, hand(30), begun + 1s);
    CHECK(slowed.share == doctest::Approx(0.3));
    CHECK(slowed.cause == Speed::Cause::hand);
    auto const lag = observe(calm, lagging(2s, 9s));
    CHECK(speed(lag, hand(30), begun + 2s).cause == Speed::Cause::signal);
    CHECK(speed(lag, hand(30), begun + 2s).stopped());
  }

  TEST_CASE("it stops, and its time is over at the moment that was said") {
    auto const calm = observe(governor({}, begun), sample(1s));
    HandThrottles words;
    auto const at = [&](Moment now) { return speed(calm, words.at(now), now); };
    words.say(hand(0, begun + 5s));
    CHECK(at(begun + 4999ms).stopped());
    CHECK(at(begun + 4999ms).since == begun);
    CHECK(at(begun + 5s).share == 1);
  }

  TEST_CASE("one for a time goes before the one that stands, which holds again after it") {
    HandThrottles words;
    words.say(hand(30));
    words.say(hand(0, begun + 5s));
    CHECK(words.at(begun + 4s) == hand(0, begun + 5s));
    CHECK(words.at(begun + 5s) == hand(30));
    words.say(hand(60, begun + 8s));
    CHECK(words.at(begun + 8s) == hand(30));
    words.say(hand(50));
    CHECK(words.at(begun + 1s) == hand(50));
  }

  TEST_CASE("it may let no signal count, not even that there is none") {
    auto const lag = observe(governor({}, begun), lagging(1s, 9s));
    auto word = hand(100);
    word.exempt = true;
    CHECK(speed(lag, word, begun + 1s).share == 1);
    CHECK(speed(lag, word, begun + 1h).share == 1);
  }
}

TEST_SUITE("properties") {
  TEST_CASE("whatever is seen, a speed is a stop or a share of full speed with its cause") {
    CHECK(rc::check(
        [](std::vector<std::uint16_t> const& lags, std::vector<std::uint8_t> const& sessions) {
          auto governed = governor({}, begun);
          for (std::size_t i = 0; i < lags.size(); ++i) {
            auto one = lagging(static_cast<int>(i) * 1s, Duration{lags[i]});
            one.active_sessions = i < sessions.size() ? sessions[i] : 0;
            governed = observe(std::move(governed), one);
            auto const now = speed_at(governed, static_cast<int>(i) * 1s);
            RC_ASSERT(now.stopped() || (now.share >= least_share && now.share <= 1));
            RC_ASSERT((now.share == 1) == (now.cause == Speed::Cause::none));
            RC_ASSERT((now.share == 1) || now.measure.has_value());
            bool const reached = lags[i] >= 5000 || one.active_sessions >= 80;
            RC_ASSERT(!reached || now.stopped());
          }
        }));
  }

  TEST_CASE("two calm samples always let it go on") {
    CHECK(rc::check([](std::vector<std::uint16_t> const& lags) {
      auto governed = governor({}, begun);
      int at = 0;
      for (auto const lag : lags) {
        governed = observe(std::move(governed), lagging(++at * 1s, Duration{lag}));
      }
      governed = after_samples(std::move(governed), at + 1, 2, sample);
      RC_ASSERT(!speed_at(governed, (at + 2) * 1s).stopped());
    }));
  }

  TEST_CASE("a person only ever slows, unless signals are not to count") {
    CHECK(rc::check([](std::uint16_t lag, std::uint8_t percent) {
      auto const governed = observe(governor({}, begun), lagging(1s, Duration{lag}));
      auto const alone = speed(governed, std::nullopt, begun + 1s).share;
      auto const told = speed(governed, hand(percent % 101), begun + 1s).share;
      RC_ASSERT(told <= alone);
      RC_ASSERT(told <= (percent % 101) / 100.0 + 1e-9);
    }));
  }

  TEST_CASE("rests make work the share of the time that was asked for") {
    CHECK(rest_after(300ms, 1) == 0ms);
    CHECK(rest_after(300ms, 0.3) == 700ms);
    CHECK(rest_after(100ms, 0.5) == 100ms);
    CHECK(rest_after(100ms, 0.01) == 9900ms);
  }
}

TEST_SUITE("words") {
  TEST_CASE("a stop says for how long, why, and when it ends") {
    auto governed = observe(governor({}, begun), lagging(1s, 7100ms));
    Throttling throttling{.speed = speed_at(governed, 13s)};
    CHECK(throttle_words(throttling, begun + 13s) ==
          "stopped for 12 s: replica lag 7.1 s on standby-b, above 5 s");
    governed = observe(std::move(governed), lagging(2s, 3s));
    throttling.speed = speed_at(governed, 3s);
    CHECK(
        throttle_words(throttling, begun + 3s) ==
        "stopped for 2 s: replica lag 3 s on standby-b, was at 5 s or above; goes on below 2.5 s");
  }

  TEST_CASE("a person's word says whose it is, how long it holds, and why") {
    CHECK(hand_words(hand(30, begun + 8min), begun) == "slowed to 30 % by ben for 8 min more: p99");
    CHECK(hand_words(hand(0), begun) == "stopped by ben: p99");
    auto exempt = hand(100);
    exempt.exempt = true;
    CHECK(hand_words(exempt, begun) == "no signal slows it by ben: p99");
  }

  TEST_CASE("sessions that wait for us are counted and one is named") {
    auto one = sample(1s);
    one.lock_waiters = 2;
    one.first_waiter = "pid 17 (psql)";
    Throttling const throttling{.speed = speed_at(observe(governor({}, begun), one), 1s)};
    CHECK(throttle_words(throttling, begun + 1s) ==
          "stopped for 0 s: 2 sessions wait for our locks (pid 17 (psql)), limit 1");
  }

  TEST_CASE("who cannot look says why") {
    Throttling const throttling{.speed = speed_at(governor({}, begun), 20s),
                                .blind_because = "connection refused"};
    CHECK(throttle_words(throttling, begun + 20s) ==
          "stopped for 5 s: the target could not be looked at for 20 s, so nobody knows what it "
          "can bear: connection refused");
  }
}

TEST_SUITE("courtesy") {
  Sample seen(Duration after, std::int64_t others, std::int64_t waiters = 0) {
    auto one = sample(after);
    one.lately_active = others;
    one.lock_waiters = waiters;
    return one;
  }
  Courtesy shown(Governor const& governor) { return courtesy(governor, std::nullopt); }

  TEST_CASE("while others are at work batches are short, with room between them") {
    auto const governed =
        after_samples(governor({}, begun), 0, 5, [](Duration at) { return seen(at, 1); });
    CHECK(shown(governed) == Courtesy{.hold = held_for_others, .rest = 0.1});
  }
  TEST_CASE("who cannot be seen is taken to be there") {
    CHECK(shown(governor({}, begun)) == Courtesy{.hold = held_for_others, .rest = 0.1});
    CHECK(shown(observe(governor({}, begun), sample(1s))).rest > 0);
  }
  TEST_CASE("nobody gives way to nobody") {
    auto const governed =
        after_samples(governor({}, begun), 0, 3, [](Duration at) { return seen(at, 0); });
    CHECK(shown(governed) == Courtesy{.hold = 1, .rest = 0});
    auto const again = observe(governed, seen(4s, 2));
    CHECK(shown(again) == Courtesy{.hold = held_for_others, .rest = 0.1});
  }
  TEST_CASE(
      "whoever waits for our locks makes batches shorter, and they grow again when nobody does") {
    ThrottlePolicy policy;
    policy.lock_waiters = 10;
    auto const one_waits = observe(governor(policy, begun), seen(1s, 1, 1));
    CHECK(shown(one_waits).hold == held_for_others / 2);
    auto const all_wait =
        after_samples(one_waits, 2, 20, [](Duration at) { return seen(at, 1, 10); });
    CHECK(shown(all_wait).hold == least_held);
    auto const calm = after_samples(all_wait, 22, 30, [](Duration at) { return seen(at, 1); });
    CHECK(shown(calm).hold == held_for_others);
  }
  TEST_CASE("a plan that heeds no signal and a person's exemption are not slowed by it") {
    CHECK(shown(governor(unthrottled, begun)) == Courtesy{});
    auto exempt = hand(100);
    exempt.exempt = true;
    CHECK(courtesy(governor({}, begun), exempt) == Courtesy{});
  }
}

TEST_SUITE("limits") {
  TEST_CASE("a plan's limits are told as the plan spells them") {
    CHECK(limit_words({}) ==
          "replica_lag 5s, slot_wal 5GB, lock_waiters 1, active_sessions 80%, autovacuum "
          "wraparound");
    CHECK(limit_words(unthrottled) == "nothing");
  }
}

TEST_SUITE("sizes") {
  TEST_CASE("an amount has a unit and its shortest exact spelling") {
    CHECK(parse_size("50MB") == 50 << 20);
    CHECK(parse_size("5 GB") == 5LL << 30);
    CHECK(size_text(5LL << 30) == "5GB");
    CHECK(size_text(1536) == "1536B");
    CHECK(size_text(3 << 19) == "1536kB");
  }
  TEST_CASE("what is no amount is none") {
    for (auto const* text : {"", "50", "MB", "-1MB", "1.5MB", "50mb", "9999999999TB", "5 GB "}) {
      CAPTURE(text);
      CHECK_FALSE(parse_size(text));
    }
  }
  TEST_CASE("every amount is read back from its spelling") {
    CHECK(rc::check([] {
      auto const bytes = *rc::gen::inRange<std::int64_t>(0, 1LL << 50);
      RC_ASSERT(parse_size(size_text(bytes)) == bytes);
    }));
  }
}
