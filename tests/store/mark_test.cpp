#include <doctest/doctest.h>

#include "tests/store/scratch.h"

namespace runbookd::store {
namespace {

namespace fs = std::filesystem;

// A store with so many events, closed.
void make_store(Scratch const& scratch, planner::EventSeq events) {
  auto const store = scratch.open();
  REQUIRE(store->plans().put(plan_of('a')));
  for (planner::EventSeq revision = 0; revision < events; ++revision)
    REQUIRE(store->journal().append({append_of("run_1", revision)}));
}

// As kill -9 leaves it: file, log and mark, copied from under a working store.
void copy_as_killed(Scratch const& from, Scratch const& to) {
  for (auto const* name : {"runbookd.db", "runbookd.db-wal", "runbookd.db.mark"})
    write_file(to.path(name), contents_of(from.path(name)));
}

void expect_refused(Scratch const& scratch, std::string const& words) {
  auto const before = contents_of(scratch.path());
  auto const log = contents_of(scratch.path("runbookd.db-wal"));
  auto const refused = Store::open({.path = scratch.path()});
  REQUIRE_FALSE(refused);
  CAPTURE(refused.error().detail);
  CHECK(contains(refused.error().detail, words));
  CHECK(contains(refused.error().detail, scratch.path()));
  CHECK(contains(refused.error().next, "runbookd store"));
  CHECK((contents_of(scratch.path()) == before));
  CHECK((contents_of(scratch.path("runbookd.db-wal")) == log));
}

TEST_CASE("a mark reads as it was written, and nothing else does") {
  MarkFacts const facts{.store_id = "store_0123456789ab", .events = 1'000'000};
  auto const text = to_text(facts);
  CHECK(*read_mark(text) == facts);
  for (std::size_t size = 0; size < text.size(); ++size)
    CHECK_FALSE(read_mark(text.substr(0, size)));
  CHECK_FALSE(read_mark(text + " "));
  CHECK_FALSE(read_mark(std::string(text.size(), '\0')));
  CHECK_FALSE(read_mark("store_0123456789ab -00000000000000001\n"));
}

TEST_CASE("the mark goes with every commit") {
  Scratch const scratch;
  make_store(scratch, 3);
  CHECK((*marked(scratch.path()))->events == 3);
  auto const store = scratch.open();
  REQUIRE(store->journal().append({append_of("run_1", 3), append_of("run_2", 0)}));
  CHECK((*marked(scratch.path()))->events == 5);
}

TEST_CASE("a store that is gone is refused, not made anew") {
  Scratch const scratch;
  make_store(scratch, 3);
  fs::remove(scratch.path());
  expect_refused(scratch, "is missing or empty");
  CHECK_FALSE(fs::exists(scratch.path()));
}

TEST_CASE("an emptied store is refused, not made anew") {
  Scratch const scratch;
  make_store(scratch, 3);
  fs::resize_file(scratch.path(), 0);
  expect_refused(scratch, "is missing or empty");
}

TEST_CASE("without its mark a path is free, which is how a person says so") {
  Scratch const scratch;
  make_store(scratch, 3);
  fs::remove(scratch.path());
  fs::remove(scratch.path("runbookd.db.mark"));
  CHECK(refusal_of(scratch.path()) == "opened");
}

TEST_CASE("another store in its place is refused") {
  Scratch const scratch, other;
  make_store(scratch, 3);
  make_store(other, 5);
  fs::copy_file(other.path(), scratch.path(), fs::copy_options::overwrite_existing);
  expect_refused(scratch, "is another store");
}

TEST_CASE("an older copy in its place is refused") {
  Scratch const scratch;
  make_store(scratch, 3);
  auto const yesterday = contents_of(scratch.path());
  REQUIRE(scratch.open()->journal().append({append_of("run_1", 3)}));
  write_file(scratch.path(), yesterday);
  expect_refused(scratch, "it holds 3 events, and 4 had been recorded");
}

TEST_CASE("a store whose log was removed after a crash is refused") {
  Scratch const scratch, killed;
  {
    auto const store = scratch.open();
    REQUIRE(store->plans().put(plan_of('a')));
    REQUIRE(store->journal().append({append_of("run_1", 0)}));
    store->connection().run_script("PRAGMA wal_checkpoint(TRUNCATE)");
    REQUIRE(store->journal().append({append_of("run_1", 1)}));
    copy_as_killed(scratch, killed);
  }
  fs::remove(killed.path("runbookd.db-wal"));
  expect_refused(killed, "its log");
}

TEST_CASE("a store whose log is of an earlier moment is refused, and the log stays as it was") {
  Scratch const scratch, killed;
  {
    auto const store = scratch.open();
    REQUIRE(store->plans().put(plan_of('a')));
    REQUIRE(store->journal().append({append_of("run_1", 0)}));
    auto const earlier = contents_of(scratch.path("runbookd.db-wal"));
    REQUIRE(store->journal().append({append_of("run_1", 1)}));
    copy_as_killed(scratch, killed);
    write_file(killed.path("runbookd.db-wal"), earlier);
  }
  expect_refused(killed, "is older than it was");
}

TEST_CASE("what a crash leaves is not refused") {
  Scratch const scratch, killed;
  {
    auto const store = scratch.open();
    REQUIRE(store->plans().put(plan_of('a')));
    REQUIRE(store->journal().append({append_of("run_1", 0)}));
    copy_as_killed(scratch, killed);
  }
  CHECK(killed.open()->journal().find({"run_1"})->revision == 1);
}

TEST_CASE("a mark that stayed behind, as after a power cut, is no reason to refuse") {
  Scratch const scratch;
  make_store(scratch, 3);
  auto const mark = contents_of(scratch.path("runbookd.db.mark"));
  REQUIRE(scratch.open()->journal().append({append_of("run_1", 3)}));
  write_file(scratch.path("runbookd.db.mark"), mark);
  CHECK(refusal_of(scratch.path()) == "opened");
}

TEST_CASE("a damaged mark is refused: it says something, and nobody knows what") {
  Scratch const scratch;
  make_store(scratch, 3);
  write_file(scratch.path("runbookd.db.mark"), "store_");
  expect_refused(scratch, "is damaged");
}

TEST_CASE("a run whose record does not fit is not handed out to go on from") {
  Scratch const scratch;
  make_store(scratch, 3);
  Connection(scratch.path())
      .run_script("DROP TRIGGER event_stays; UPDATE event SET actor = 'bob' WHERE seq = 2");
  auto const store = scratch.open();
  auto const refused = store->journal().history({"run_1"});
  REQUIRE_FALSE(refused);
  CHECK(contains(refused.error().detail, "run run_1 does not fit together from event 2 on"));
  CHECK(contains(refused.error().next, "runbookd store check"));
  REQUIRE(store->journal().append({append_of("run_2", 0)}));
  CHECK(store->journal().history({"run_2"})->size() == 1);
}

TEST_CASE("a store that was replaced while in use is not closed over its successor's log") {
  Scratch const scratch, other;
  make_store(other, 2);
  {
    auto const store = scratch.open();
    REQUIRE(store->plans().put(plan_of('a')));
    fs::rename(other.path(), scratch.path());
    write_file(scratch.path("runbookd.db-wal.new"), "the successor's");
    fs::rename(scratch.path("runbookd.db-wal.new"), scratch.path("runbookd.db-wal"));
    auto const refused = store->journal().append({append_of("run_1", 0)});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == planner::ErrorCode::store_broken);
  }
  CHECK(contents_of(scratch.path("runbookd.db-wal")) == "the successor's");
}

}  // namespace
}  // namespace runbookd::store
