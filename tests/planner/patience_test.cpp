#include "planner/patience.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <rapidcheck.h>

using namespace runbookd::planner;
using namespace std::chrono_literals;

namespace {

constexpr LockPolicy policy{.stall_budget = 200ms, .give_up_after = 10min};

Look held_by(std::vector<Holder> holders) { return {.holders = std::move(holders)}; }
Holder aged(std::string id, Duration age) { return {.id = std::move(id), .age = age}; }

// A table with sessions that come and go, on a clock that is only counted.
class World {
 public:
  explicit World(unsigned seed, int readers, Duration shortest, Duration longest)
      : dice_(seed), length_(shortest.count(), longest.count()) {
    for (int i = 0; i < readers; ++i) {
      readers_.push_back({.free_at = Duration(length_(dice_))});
    }
  }
  // `rests`: between two transactions of a reader, as a share of their length.
  Look look(Duration now, double rests) {
    Look seen;
    for (std::size_t i = 0; i < readers_.size(); ++i) {
      advance(readers_[i], now, rests);
      if (readers_[i].begins <= now && now < readers_[i].ends) {
        seen.holders.push_back(aged(std::to_string(i) + "/" + std::to_string(readers_[i].number),
                                    now - readers_[i].begins));
      }
    }
    return seen;
  }
  // When everybody who holds now has ended.
  Duration free_at(Duration now) const {
    Duration last = now;
    for (auto const& reader : readers_) {
      last = reader.begins <= now ? std::max(last, reader.ends) : last;
    }
    return last;
  }
  double jitter() { return std::uniform_real_distribution<>(0, 1)(dice_); }

 private:
  struct Reader {
    Duration free_at{}, begins{-1}, ends{-1};
    int number = 0;
  };
  void advance(Reader& reader, Duration now, double rests) {
    while (reader.free_at <= now) {
      Duration const length(length_(dice_));
      reader.begins = reader.free_at;
      reader.ends = reader.begins + length;
      reader.free_at =
          reader.ends + Duration(1 + std::llround(rests * static_cast<double>(length_(dice_))));
      ++reader.number;
    }
  }
  std::mt19937 dice_;
  std::uniform_int_distribution<Duration::rep> length_;
  std::vector<Reader> readers_;
};

struct Told {
  bool got = false, gave_up = false;
  Duration took{}, queued{}, longest{};
  double worst_share = 0;  // of the time since the first attempt, at the end of any rest
};

// What a transaction goes through that waits for a table of that world.
Told live_through(World& world, LockPolicy const& limits, double rests) {
  constexpr Duration begin = 10s;  // when everybody has come
  Patience patience(limits);
  Told told;
  Duration now = begin, first{};
  for (;;) {
    auto const seen = world.look(now, rests);
    auto const move = patience.next(seen, now, now - begin, world.jitter());
    switch (move.kind) {
      case Move::Kind::give_up:
        told.gave_up = true;
        told.took = now - begin;
        return told;
      case Move::Kind::evict:
      case Move::Kind::look:
        now += std::max(move.time, 1ms);
        break;
      case Move::Kind::attempt: {
        auto const free = world.free_at(now);
        auto const waited = std::min(free - now, move.time);
        told.longest = std::max(told.longest, waited);
        if (move.time > 0ms && told.queued > 0ms) {
          told.worst_share =
              std::max(told.worst_share, static_cast<double>(told.queued.count()) /
                                             static_cast<double>((now - first).count()));
        }
        first = told.queued > 0ms ? first : now;
        told.queued += waited;
        now += waited;
        if (free - now <= 0ms) {
          told.got = true;
          told.took = now - begin;
          return told;
        }
        patience.failed(now, waited, world.jitter());
        now += 1ms;
        break;
      }
    }
  }
}

}  // namespace

TEST_CASE("what nobody holds is taken at once") {
  Patience patience(policy);
  CHECK(patience.next({}, 0ms, 0ms, 0.5).kind == Move::Kind::attempt);
}

TEST_CASE("sessions that hold for a millisecond are waited for, with a part of the budget") {
  Patience patience(policy);
  auto const move = patience.next(held_by({aged("a", 1ms), aged("b", 2ms)}), 0ms, 0ms, 0.5);
  CHECK(move == Move{.kind = Move::Kind::attempt, .time = 100ms});
}

TEST_CASE("while somebody holds for long nobody queues, until that one has gone") {
  Patience patience(policy);
  for (Duration now = 0ms; now < 60s; now += 20ms) {
    auto const look =
        held_by({aged("dump", 5min + now), aged("app" + std::to_string(now.count()), 1ms)});
    auto const move = patience.next(look, now, now, 0.5);
    CHECK(move.kind == Move::Kind::look);
    CHECK(move.time <= 500ms);
  }
  CHECK(patience.next(held_by({aged("last", 1ms)}), 60s, 60s, 0.5).kind == Move::Kind::attempt);
}

TEST_CASE("a session whose age the server does not tell is as old as it has been seen") {
  Patience patience(policy);
  (void)patience.next(held_by({aged("hidden", 0ms)}), 0ms, 0ms, 0.5);
  patience.failed(50ms, 50ms, 0.5);
  CHECK(patience.next(held_by({aged("hidden", 0ms)}), 30s, 30s, 0.5).kind == Move::Kind::look);
}

TEST_CASE("a prepared transaction is never queued for, however young") {
  Patience patience(policy);
  for (Duration now = 0ms; now < 5s; now += 20ms) {
    CHECK(patience.next(held_by({{.id = "p", .age = 1ms, .stays = true}}), now, now, 0.5).kind ==
          Move::Kind::look);
  }
}

TEST_CASE("an autovacuum is made to yield, but not beside one that stays, and not all the time") {
  Patience patience(policy);
  Holder const vacuum{.id = "v", .age = 1min, .yields = true};
  Holder const prepared{.id = "p", .age = 1min, .stays = true};
  CHECK(patience.next(held_by({vacuum, prepared}), 0ms, 0ms, 0.5).kind == Move::Kind::look);
  CHECK(patience.next(held_by({vacuum}), 20ms, 20ms, 0.5).kind == Move::Kind::evict);
  CHECK(patience.next(held_by({vacuum}), 40ms, 40ms, 0.5).kind == Move::Kind::look);
  CHECK(patience.next(held_by({vacuum}), 10s, 10s, 0.5).kind == Move::Kind::evict);
}

TEST_CASE("what a step will ask for and nobody could foretell costs the budget, and then a rest") {
  Patience patience(policy);
  CHECK(patience.next({.informed = false}, 0ms, 0ms, 0.5) ==
        Move{.kind = Move::Kind::attempt, .time = 200ms});
  patience.failed(200ms, 200ms, 0.5);
  CHECK(patience.next({.informed = false}, 3s, 3s, 0.5).kind == Move::Kind::look);
  CHECK(patience.next({.informed = false}, 20s, 20s, 0.5).kind == Move::Kind::attempt);
}

TEST_CASE("a lock that nobody could foretell beside those that are free costs a rest as well") {
  Patience patience(policy);
  REQUIRE(patience.next(held_by({}), 0ms, 0ms, 0.5).kind == Move::Kind::attempt);
  patience.failed(200ms, 200ms, 0.5, Patience::Waited::for_another);
  for (auto now = 200ms; now < 200ms + 200ms / queueing_share; now += 10ms) {
    CHECK(patience.next(held_by({}), now, now, 0.5).kind == Move::Kind::look);
  }
  CHECK(patience.next(held_by({}), 20s, 20s, 0.5).kind == Move::Kind::attempt);
}

TEST_CASE("patience ends when the policy says so") {
  Patience patience(policy);
  CHECK(patience.next({}, 0ms, policy.give_up_after, 0.5).kind == Move::Kind::give_up);
  CHECK(patience.next({}, 0ms, policy.give_up_after - 1ms, 0.5).kind != Move::Kind::give_up);
}

TEST_CASE("the queue is never held for longer than the budget, nor for more than its share") {
  CHECK(rc::check([](unsigned seed, std::uint8_t readers, std::uint16_t budget) {
    World world(seed, readers % 30, 1ms, Duration(1 + seed % 3'000));
    LockPolicy const limits{.stall_budget = Duration(4 + budget % 1'000), .give_up_after = 60s};
    auto const told = live_through(world, limits, seed % 3);
    RC_ASSERT(told.longest <= limits.stall_budget);
    RC_ASSERT(told.worst_share <= queueing_share);
    RC_ASSERT(told.got || told.gave_up);
    RC_ASSERT(told.took <= limits.give_up_after + limits.stall_budget + 500ms);
  }));
}

TEST_CASE(
    "on a table that readers hold half of the time, the lock is had in a fraction of a minute") {
  std::vector<Duration> took, queued;
  for (unsigned seed = 1; seed <= 40; ++seed) {
    World world(seed, 12, 20ms, 400ms);
    auto const told = live_through(world, policy, 1);
    CHECK(told.got);
    took.push_back(told.took);
    queued.push_back(told.queued);
  }
  std::ranges::sort(took);
  std::ranges::sort(queued);
  MESSAGE("median ", took[20].count(), " ms, slowest ", took.back().count(), " ms, in the queue ",
          queued[20].count(), " ms, at most ", queued.back().count(), " ms");
  CHECK(took[20] <= 10s);
  CHECK(queued[20] <= 500ms);
}

TEST_CASE("sittings grow from a second to a minute") {
  CHECK(sitting(1) == 1s);
  CHECK(sitting(2) == 2s);
  CHECK(sitting(50) == 1min);
}
