#include <doctest/doctest.h>
#include <sys/stat.h>

#include "store/schema.h"
#include "tests/store/scratch.h"

namespace runbookd::store {
namespace {

namespace fs = std::filesystem;

TEST_CASE("a new store is made where there is none") {
  Scratch const scratch;
  CHECK(scratch.open()->check());
  CHECK(fs::exists(scratch.path()));
}

TEST_CASE("only its owner may read a store") {
  Scratch const scratch;
  auto const store = scratch.open();
  for (auto const* name : {"runbookd.db", "runbookd.db-wal", "runbookd.db.lock"}) {
    CAPTURE(name);
    CHECK(fs::status(scratch.path(name)).permissions() == fs::perms(0600));
  }
}

TEST_CASE("a store keeps its id, and another one has another") {
  Scratch const scratch, other;
  auto const id = scratch.open()->id();
  CHECK(id.size() == 18);
  CHECK(id.starts_with("store_"));
  CHECK(scratch.open()->id() == id);
  CHECK(other.open()->id() != id);
}

TEST_CASE("an empty file becomes a store") {
  Scratch const scratch;
  write_file(scratch.path(), "");
  CHECK(refusal_of(scratch.path()) == "opened");
}

TEST_CASE("a path may be relative") {
  Scratch const scratch;
  auto const before = fs::current_path();
  fs::current_path(scratch.folder());
  CHECK(refusal_of("runbookd.db") == "opened");
  fs::current_path(before);
  CHECK(fs::exists(scratch.path()));
}

TEST_CASE("a second daemon is refused and told who holds the store") {
  Scratch const scratch;
  auto const store = scratch.open();
  auto const refused = Store::open({.path = scratch.path()});
  REQUIRE_FALSE(refused);
  auto const pid = std::to_string(::getpid());
  CHECK(contains(refused.error().detail, "in use by another runbookd, process " + pid));
  CHECK(refused.error().next == "ps -fp " + pid);
}

TEST_CASE("a second daemon that comes by another name is refused as well") {
  Scratch const scratch;
  auto const store = scratch.open();
  fs::create_symlink(scratch.path(), scratch.path("link.db"));
  CHECK(contains(refusal_of(scratch.path("link.db")), "in use by another runbookd"));
}

TEST_CASE("a second process is kept out even when somebody removed the lock file") {
  Scratch const scratch;
  auto const store = scratch.open();
  fs::remove(scratch.path("runbookd.db.lock"));
  auto const seen = in_child([&] { return refusal_of(scratch.path()); });
  CHECK(contains(seen, "another process uses it"));
}

TEST_CASE("a store is free again when its daemon is gone") {
  Scratch const scratch;
  auto const seen = in_child([&] { return scratch.open()->id(); });
  CHECK(scratch.open()->id() == seen);
}

TEST_CASE("a missing folder is named, with the command that makes it") {
  Scratch const scratch;
  auto const refused = Store::open({.path = scratch.path("no/where/store.db")});
  REQUIRE_FALSE(refused);
  CHECK(contains(refused.error().detail,
                 "the folder " + scratch.path("no/where") + " does not exist"));
  CHECK(refused.error().next == "mkdir -p -m 0700 '" + scratch.path("no/where") + "'");
}

TEST_CASE("a folder in the store's place is refused") {
  Scratch const scratch;
  CHECK(contains(refusal_of(scratch.folder()), "it is a folder"));
}

TEST_CASE("a pipe in the store's place is refused") {
  Scratch const scratch;
  REQUIRE(::mkfifo(scratch.path().c_str(), 0600) == 0);
  CHECK(contains(refusal_of(scratch.path()), "not an ordinary file"));
}

TEST_CASE("no path at all is refused") { CHECK(contains(refusal_of(""), "no path")); }

TEST_CASE("a folder that cannot be written is refused") {
  Scratch const scratch;
  fs::permissions(scratch.folder(), fs::perms(0555));
  auto const seen = in_child([&] { return refusal_of(scratch.path()); }, true);
  CHECK(seen == scratch.folder() + " cannot be written: Permission denied");
}

TEST_CASE("a file that cannot be written is refused") {
  Scratch const scratch;
  fs::permissions(scratch.folder(), fs::perms(0777));
  write_file(scratch.path(), "");
  fs::permissions(scratch.path(), fs::perms(0444));
  auto const seen = in_child([&] { return refusal_of(scratch.path()); }, true);
  CHECK(seen == scratch.path() + " cannot be written: Permission denied");
}

// Refused, and not a byte of it changed.
void expect_untouched(Scratch const& scratch, std::string const& words) {
  auto const before = contents_of(scratch.path());
  CHECK(contains(refusal_of(scratch.path()), words));
  CHECK((contents_of(scratch.path()) == before));  // in brackets: bytes are not for a terminal
  CHECK_FALSE(fs::exists(scratch.path("runbookd.db-wal")));
}

TEST_CASE("a text file is no store") {
  Scratch const scratch;
  write_file(scratch.path(), "hello\n");
  expect_untouched(scratch, "not an SQLite database");
}

TEST_CASE("a file full of anything is no store") {
  Scratch const scratch;
  write_file(scratch.path(), std::string(9000, '\x7f'));
  expect_untouched(scratch, "not an SQLite database");
}

TEST_CASE("another program's database is no store") {
  Scratch const scratch;
  write_file(scratch.path(), "");
  Connection(scratch.path()).run_script("CREATE TABLE song (title TEXT)");
  expect_untouched(scratch, "another program");
}

TEST_CASE("a store of a newer version is refused with both numbers") {
  Scratch const scratch;
  (void)scratch.open();
  Connection(scratch.path()).run_script("PRAGMA user_version = 99");
  expect_untouched(
      scratch, "has schema version 99, made by a newer runbookd; this one knows versions up to " +
                   std::to_string(schema_files().size()));
}

TEST_CASE("a newer store that its daemon left in the middle of work is not even recovered") {
  Scratch const scratch, other;
  (void)scratch.open();
  Connection newer(scratch.path());
  newer.run_script(
      "PRAGMA user_version = 99; PRAGMA wal_checkpoint; UPDATE store SET created_at = 1");
  for (auto const* name : {"runbookd.db", "runbookd.db-wal"}) {
    write_file(other.path(name), contents_of(scratch.path(name)));
  }
  auto const log = contents_of(other.path("runbookd.db-wal"));
  REQUIRE_FALSE(log.empty());
  CHECK(contains(refusal_of(other.path()), "schema version 99"));
  CHECK((contents_of(other.path("runbookd.db-wal")) == log));
}

// A store of some size, closed.
void make_large_store(Scratch const& scratch) {
  auto const store = scratch.open();
  REQUIRE(store->plans().put(plan_of('a')));
  auto const event = event_of(planner::RunResumed{}, std::string(2000, 'x'));
  for (planner::EventSeq revision = 0; revision < 100; ++revision) {
    REQUIRE(store->journal().append({append_of("run_1", revision, {event})}));
  }
}

TEST_CASE("a damaged store is refused") {
  Scratch const scratch;
  make_large_store(scratch);
  auto bytes = contents_of(scratch.path());
  REQUIRE(bytes.size() > 100'000);
  for (std::size_t page = 4096; page < bytes.size(); page += 4096)
    bytes.replace(page, 64, 64, '\xee');
  write_file(scratch.path(), bytes);
  auto const refused = Store::open({.path = scratch.path()});
  REQUIRE_FALSE(refused);
  CHECK(contains(refused.error().detail, "damaged"));
  CHECK(contains(refused.error().next, "runbookd store restore"));
}

TEST_CASE("damage in a place that nothing reads at the start is refused all the same") {
  Scratch const scratch;
  make_large_store(scratch);
  auto bytes = contents_of(scratch.path());
  bytes.replace(bytes.size() - 4096, 16, 16, '\xee');  // the head of the last page
  write_file(scratch.path(), bytes);
  CHECK(contains(refusal_of(scratch.path()), "damaged"));
}

TEST_CASE("a store that was cut off is refused") {
  Scratch const scratch;
  make_large_store(scratch);
  fs::resize_file(scratch.path(), 20'000);
  CHECK(contains(refusal_of(scratch.path()), "damaged"));
}

TEST_CASE("a file with our mark and nothing else becomes a store") {
  Scratch const scratch;
  write_file(scratch.path(), "");
  Connection(scratch.path()).run_script("PRAGMA application_id = 0x52424b44");
  CHECK(refusal_of(scratch.path()) == "opened");
}

TEST_CASE("a store without its tables is refused") {
  Scratch const scratch;
  (void)scratch.open();
  Connection(scratch.path()).run_script("DROP TABLE fingerprint");
  CHECK(contains(refusal_of(scratch.path()), "no such table: fingerprint"));
}

}  // namespace
}  // namespace runbookd::store
