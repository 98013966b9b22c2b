#include "planner/sweep.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

using namespace runbookd::planner;

TEST_SUITE("parts of a table") {
  TEST_CASE("one worker needs none") { CHECK(shards_of({}, 1'000'000, 1'000'000) == 1); }
  TEST_CASE("several workers get eight each") {
    CHECK(shards_of({.workers = 4}, 10'000'000, 10'000'000) == 32);
  }
  TEST_CASE("no part is smaller than a batch") {
    CHECK(shards_of({.max_rows = 20'000, .workers = 4}, 50'000, 50'000) == 2);
    CHECK(shards_of({.max_rows = 20'000, .workers = 4}, 500, 500) == 1);
  }
  TEST_CASE("a small partition of a large table stays whole") {
    CHECK(shards_of({.workers = 4}, 30'000, 10'000'000) == 1);
  }
  TEST_CASE("every relation has a part, and none more than there is use for") {
    CHECK(rc::check([](std::uint32_t rows, std::uint32_t others, std::uint8_t workers) {
      Batch const batch{.workers = 1 + workers % most_workers};
      auto const parts = shards_of(batch, rows, std::int64_t{rows} + others);
      RC_ASSERT(parts >= 1);
      RC_ASSERT(parts <= 8 * batch.workers);
    }));
  }
}

TEST_SUITE("looking through the table again") {
  TEST_CASE("after the first pass, where filled rows no longer satisfy the condition") {
    CHECK(sweeps_again({.pass = 1, .changed = 10, .asked = 10}));
    CHECK(sweeps_again({.pass = 1, .changed = 0}));
  }
  TEST_CASE("not where a filled row still does, or may do so") {
    CHECK_FALSE(sweeps_again({.pass = 1, .changed = 10, .asked = 10, .again = 1}));
    CHECK_FALSE(sweeps_again({.pass = 1, .changed = 10, .asked = 0}));
    CHECK_FALSE(sweeps_again({.pass = 1, .has_condition = false, .changed = 10, .asked = 10}));
  }
  TEST_CASE("until nothing was found") {
    CHECK(sweeps_again({.pass = 2, .changed = 1, .asked = 11}));
    CHECK_FALSE(sweeps_again({.pass = 2, .changed = 0, .asked = 10}));
  }
  TEST_CASE("but not for ever") {
    CHECK(sweeps_again({.pass = most_sweeps, .changed = 1, .asked = 11}));
    CHECK_FALSE(sweeps_again({.pass = most_sweeps + 1, .changed = 1, .asked = 11}));
  }
}
