#include "planner/pacing.h"

#include <algorithm>

#include <doctest/doctest.h>
#include <rapidcheck.h>

using namespace runbookd::planner;
using namespace std::chrono_literals;

namespace {

Batch const batch{.target = 500ms, .max_rows = 20'000};

Progress progress(std::int64_t scanned, std::int64_t total, double lately, double mean) {
  return {.rows_scanned = scanned,
          .rows_total = total,
          .total_exact = true,
          .rows_per_second = lately,
          .mean_rows_per_second = mean};
}

}  // namespace

TEST_SUITE("batch sizes") {
  TEST_CASE("a batch that took its target time stays as it is") {
    CHECK(next_batch_rows(batch, 1'000, 500ms) == 1'000);
  }
  TEST_CASE("a fast batch grows by at most half again") {
    CHECK(next_batch_rows(batch, 1'000, 400ms) == 1'250);
    CHECK(next_batch_rows(batch, 1'000, 1ms) == 1'500);
    CHECK(next_batch_rows(batch, 1'000, 0ms) == 1'500);
  }
  TEST_CASE("a slow batch shrinks to what fits") {
    CHECK(next_batch_rows(batch, 1'000, 1s) == 500);
  }
  TEST_CASE("a batch of five times the target shrinks to a tenth at once") {
    CHECK(next_batch_rows(batch, 1'000, 2'500ms) == 100);
    CHECK(next_batch_rows(batch, 1'000, 1h) == 100);
  }
  TEST_CASE("max_rows is never exceeded, and a small one is obeyed") {
    CHECK(next_batch_rows(batch, 19'000, 1ms) == 20'000);
    CHECK(next_batch_rows({.target = 500ms, .max_rows = 3}, 500, 1ms) == 3);
  }
  TEST_CASE("a batch never gets too small to move on") {
    CHECK(next_batch_rows(batch, 12, 1h) == smallest_batch_rows);
    CHECK(smaller_batch_rows(batch, 12) == smallest_batch_rows);
  }
  TEST_CASE("for a shorter target a batch is smaller at once, for a longer one it has to grow") {
    CHECK(refitted_rows(batch, 1'000, 125ms) == 250);
    CHECK(refitted_rows(batch, 1'000, 2s) == 1'000);
    CHECK(refitted_rows(batch, 12, 1ms) == smallest_batch_rows);
  }
  TEST_CASE("after a lock timeout the batch is half as large") {
    CHECK(smaller_batch_rows(batch, 1'000) == 500);
  }
  TEST_CASE("sizes stay within their bounds whatever happens") {
    CHECK(rc::check(
        [](std::uint32_t most, std::uint32_t rows, std::uint32_t took, std::uint16_t target) {
          Batch const any{.target = Duration(target), .max_rows = most};
          for (auto const next :
               {next_batch_rows(any, rows, Duration(took)), smaller_batch_rows(any, rows)}) {
            RC_ASSERT(next >= 1);
            RC_ASSERT(next <= std::max<std::int64_t>(1, most));
            RC_ASSERT(next >= std::min<std::int64_t>(smallest_batch_rows, most));
          }
        }));
  }
  TEST_CASE("with a steady rate the batches settle near their target time") {
    CHECK(rc::check([](std::uint8_t speed) {
      auto const rows_per_ms = 1.0 + speed / 16.0;
      Batch const wide{.target = 500ms, .max_rows = 1'000'000};
      std::int64_t rows = first_batch_rows;
      Duration took{};
      for (int i = 0; i < 40; ++i) {
        took = Duration(static_cast<std::int64_t>(static_cast<double>(rows) / rows_per_ms));
        rows = next_batch_rows(wide, rows, took);
      }
      RC_ASSERT(took >= 400ms);
      RC_ASSERT(took <= 600ms);
    }));
  }
}

TEST_SUITE("remaining time") {
  TEST_CASE("it is a range between the slower and the faster rate") {
    auto const range = eta(progress(500, 1'000, 10, 50));
    REQUIRE(range);
    CHECK(range->soonest == 10s);
    CHECK(range->latest == 50s);
  }
  TEST_CASE("nothing is said before one per cent") {
    CHECK_FALSE(eta(progress(9, 1'000, 10, 10)));
    CHECK(eta(progress(10, 1'000, 10, 10)));
  }
  TEST_CASE("nothing is said without a rate") {
    CHECK_FALSE(eta(progress(500, 1'000, 0, 10)));
    CHECK_FALSE(eta(progress(500, 1'000, 10, 0)));
    CHECK_FALSE(eta(progress(500, 1'000, 1e-300, 10)));
  }
  TEST_CASE("nothing is said about an empty or unknown total") {
    CHECK_FALSE(eta(progress(0, 0, 10, 10)));
  }
  TEST_CASE("past a total that was an estimate nothing is known") {
    auto over = progress(1'100, 1'000, 10, 10);
    over.total_exact = false;
    CHECK_FALSE(eta(over));
    CHECK(eta(progress(1'000, 1'000, 10, 10))->latest == 0s);
  }
  TEST_CASE("the range is in order and never negative") {
    CHECK(rc::check(
        [](std::uint32_t scanned, std::uint32_t total, std::uint16_t lately, std::uint16_t mean) {
          if (auto const range = eta(progress(scanned, total, lately, mean))) {
            RC_ASSERT(range->soonest >= 0ms);
            RC_ASSERT(range->soonest <= range->latest);
          }
        }));
  }
}

TEST_SUITE("rates") {
  TEST_CASE("the rate of now is that of the last seconds") {
    Rates rates;
    CHECK(rates.now() == 0);
    for (int second = 0; second <= 20; ++second) {
      rates.add(second * 1s, second <= 10 ? second * 100 : 1'000 + (second - 10) * 500);
    }
    CHECK(rates.now() == doctest::Approx(500));
  }
  TEST_CASE("readings of one second count once") {
    Rates rates;
    rates.add(0s, 0);
    rates.add(1ms, 1'000'000);
    rates.add(1s, 100);
    CHECK(rates.now() == doctest::Approx(100));
  }
  TEST_CASE("slow and fast are what a tenth was below and above, once enough were seen") {
    Rates rates;
    std::int64_t rows = 0;
    for (int second = 0; second <= 9; ++second) {
      rates.add(second * 1s, rows);
      rows += 100;
    }
    CHECK(rates.slow() == 0);
    for (int second = 10; second <= 40; ++second) {
      rates.add(second * 1s, rows);
      rows += second < 25 ? 100 : 300;
    }
    CHECK(rates.slow() == doctest::Approx(100));
    CHECK(rates.fast() == doctest::Approx(300));
  }
  TEST_CASE("a stop counts for as long as it lasted") {
    Rates rates;
    std::int64_t rows = 0;
    Duration at{};
    for (int turn = 0; turn < 6; ++turn, at += 20s) {
      for (int second = 0; second < 5; ++second, at += 1s) {
        rows += 1'000;
        rates.add(at, rows);
      }
    }
    CHECK(rates.slow() < 300);  // 5,000 rows in 25 seconds
    CHECK(rates.fast() < 500);
  }
  TEST_CASE("what is minutes old is forgotten") {
    Rates rates;
    std::int64_t rows = 0;
    for (int second = 0; second <= 400; ++second) {
      rates.add(second * 1s, rows);
      rows += second < 200 ? 1'000 : 10;
    }
    CHECK(rates.fast() == doctest::Approx(10));
  }
  TEST_CASE("the remaining time goes by the spread of the rates where there is one") {
    auto spread = progress(500, 1'000, 10, 10);
    spread.slow_rows_per_second = 5;
    spread.fast_rows_per_second = 100;
    auto const range = eta(spread);
    REQUIRE(range);
    CHECK(range->soonest == 5s);
    CHECK(range->latest == 100s);
  }
}

TEST_SUITE("pauses") {
  TEST_CASE("the plan's pause is kept after each batch, and none before the first") {
    Batch const gentle{.pause = 50ms};
    CHECK(pause_left(gentle, {}) == 0ms);
    CHECK(pause_left(gentle, {.rows = 10, .rested = 20ms}) == 30ms);
    CHECK(pause_left(gentle, {.rows = 10, .rested = 70ms}) == 0ms);
  }
}
