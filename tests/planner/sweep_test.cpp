#include "planner/sweep.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

using namespace runbookd::planner;

TEST_SUITE("parts of a table") {
  TEST_CASE("one worker needs none") { CHECK(shards_of({}, 1'000'000, 1'000'000) == 1); }
  TEST_CASE("several workers get sixteen each") {
    CHECK(shards_of({.workers = 4}, 10'000'000, 10'000'000) == 64);
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
      RC_ASSERT(parts <= 16 * batch.workers);
    }));
  }
}

TEST_SUITE("looking through the table again") {
  TEST_CASE("after the first pass, where filled rows no longer satisfy the condition") {
    CHECK(sweeps_again({.pass = 1, .changed = 10, .changed_in_all = 10, .asked = 10}));
    CHECK(sweeps_again({.pass = 1}));
  }
  TEST_CASE("not where one of the filled rows still does, or may do so") {
    PassFacts const facts{.pass = 1, .changed = 10, .changed_in_all = 10, .asked = 10};
    auto again = facts;
    again.again = 1;
    CHECK_FALSE(sweeps_again(again));
    auto not_asked = facts;
    not_asked.asked = 9;
    CHECK_FALSE(sweeps_again(not_asked));
    auto unconditional = facts;
    unconditional.has_condition = false;
    CHECK_FALSE(sweeps_again(unconditional));
  }
  TEST_CASE("until nothing was found") {
    CHECK(sweeps_again({.pass = 2, .changed = 1, .changed_in_all = 11, .asked = 11}));
    CHECK_FALSE(sweeps_again({.pass = 2, .changed = 0, .changed_in_all = 10, .asked = 10}));
  }
  TEST_CASE("but not for ever") {
    PassFacts facts{.pass = most_sweeps, .changed = 1, .changed_in_all = 11, .asked = 11};
    CHECK(sweeps_again(facts));
    ++facts.pass;
    CHECK_FALSE(sweeps_again(facts));
  }
  TEST_CASE("a query in the condition is seen however it is written") {
    CHECK(has_subquery("id IN (SELECT 1)"));
    CHECK(has_subquery("EXISTS(select\n1)"));
    CHECK(has_subquery("Select"));
    CHECK_FALSE(has_subquery("org_id IS NULL AND kind = 'elect'"));
    CHECK_FALSE(has_subquery(""));
  }
}
