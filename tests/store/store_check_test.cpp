#include <doctest/doctest.h>

#include "tests/store/scratch.h"

namespace runbookd::store {
namespace {

namespace fs = std::filesystem;
using planner::ErrorCode;

struct InUse {
  Scratch scratch;
  std::unique_ptr<Store> store = scratch.open();
  InUse() { REQUIRE(store->plans().put(plan_of('a'))); }

  void expect_refusals(std::string const& words) {
    auto const checked = store->check();
    REQUIRE_FALSE(checked);
    CHECK(checked.error().code == ErrorCode::store_broken);
    CHECK(contains(checked.error().detail, words));
    auto const appended = store->journal().append({append_of("run_1", 0)});
    REQUIRE_FALSE(appended);
    CHECK(contains(appended.error().detail, words));
    CHECK_FALSE(store->plans().put(plan_of('b')));
  }
};

TEST_CASE_FIXTURE(InUse, "a store that nobody touched is in order") { CHECK(store->check()); }

TEST_CASE_FIXTURE(InUse, "a store stays in order through many commits") {
  for (planner::EventSeq revision = 0; revision < 300; ++revision) {
    auto const event = event_of(planner::RunResumed{}, std::string(15'000, 'x'));
    REQUIRE(store->journal().append({append_of("run_1", revision, {event})}));
  }
  CHECK(store->check());
}

TEST_CASE_FIXTURE(InUse, "a deleted store is noticed, and nothing is recorded into it") {
  fs::remove(scratch.path());
  expect_refusals(scratch.path() + " was deleted");
}

TEST_CASE_FIXTURE(InUse, "a replaced store is noticed, and nothing is recorded into it") {
  write_file(scratch.path("other"), contents_of(scratch.path()));
  fs::rename(scratch.path("other"), scratch.path());
  expect_refusals(scratch.path() + " was replaced");
}

TEST_CASE_FIXTURE(InUse, "a deleted log is noticed, and nothing is recorded into it") {
  fs::remove(scratch.path("runbookd.db-wal"));
  expect_refusals("-wal was deleted");
}

TEST_CASE("a store that has become read-only is noticed") {
  Scratch const scratch;
  fs::permissions(scratch.folder(), fs::perms(0777));
  auto const seen = in_child(
      [&] {
        auto const store = scratch.open();
        fs::permissions(scratch.path(), fs::perms(0400));
        auto const checked = store->check();
        return checked ? std::string("in order") : checked.error().detail;
      },
      true);
  CHECK(contains(seen, "cannot be written: Permission denied"));
}

}  // namespace
}  // namespace runbookd::store
