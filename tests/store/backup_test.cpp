#include "store/backup.h"

#include <doctest/doctest.h>

#include "store/schema.h"
#include "tests/store/scratch.h"

namespace runbookd::store {
namespace {

namespace fs = std::filesystem;

planner::Event large_event() { return event_of(planner::RunResumed{}, std::string(2'000, 'x')); }

void grow(Journal& journal, planner::EventSeq from, planner::EventSeq to) {
  for (auto revision = from; revision < to; ++revision) {
    auto append = append_of("run_1", revision, {large_event()});
    append.summary.plan = true_plan().digest;
    REQUIRE(journal.append({append}));
  }
}

// The plan's text has its digest here, as in real stores.
struct Filled {
  Scratch scratch;
  std::unique_ptr<Store> store = scratch.open();
  std::string file = scratch.path("copy.db");
  explicit Filled(planner::EventSeq events = 200) {
    REQUIRE(store->plans().put(true_plan()));
    grow(store->journal(), 0, events);
  }
};

struct Standing : Filled {
  Standing() { store.reset(); }
};

TEST_CASE_FIXTURE(Standing, "a sound store is in order, with its counts") {
  auto const report = check_store(scratch.path());
  REQUIRE(report);
  CHECK(report->problems == std::vector<std::string>{});
  CHECK(report->id.starts_with("store_"));
  CHECK(report->schema_version == std::ssize(schema_files()));
  CHECK(report->runs == 1);
  CHECK(report->unfinished == 1);
  CHECK(report->events == 200);
  CHECK(report->plans == 1);
}

TEST_CASE_FIXTURE(Filled, "a store that is in use is not looked at, and its holder is named") {
  auto const report = check_store(scratch.path());
  REQUIRE_FALSE(report);
  CHECK(contains(report.error().detail, "process " + std::to_string(::getpid())));
}

TEST_CASE("a store that is not there cannot be checked, and none is made") {
  Scratch const scratch;
  auto const report = check_store(scratch.path());
  REQUIRE_FALSE(report);
  CHECK(contains(report.error().detail, "there is no store at " + scratch.path()));
  CHECK_FALSE(fs::exists(scratch.path()));
}

std::string first_problem(std::string const& path) {
  auto const report = check_store(path);
  if (!report)
    return "refused: " + report.error().detail;
  return report->problems.empty() ? "in order" : report->problems.front();
}

TEST_CASE_FIXTURE(Standing, "a changed event, a changed plan and a lost plan are all found") {
  Connection(scratch.path())
      .run_script("DROP TRIGGER event_stays; UPDATE event SET actor = 'eve' WHERE seq = 17");
  CHECK(contains(first_problem(scratch.path()), "run_1 does not fit together from event 17 on"));
  Connection(scratch.path())
      .run_script("DROP TRIGGER plan_stays; UPDATE plan SET canonical = '[]'");
  CHECK(contains(first_problem(scratch.path()), "does not have its digest"));
  Connection(scratch.path()).run_script("DELETE FROM plan");
  CHECK(contains(first_problem(scratch.path()), "refers to one that is not there"));
}

TEST_CASE_FIXTURE(Standing, "damage anywhere in the file is found") {
  auto const sound = contents_of(scratch.path());
  constexpr std::size_t page = 4096;
  for (std::size_t at = page; at < sound.size(); at += sound.size() / page / 23 * page) {
    CAPTURE(at);
    auto bytes = sound;
    bytes.replace(at, page, page, '\xee');
    write_file(scratch.path(), bytes);
    CHECK(first_problem(scratch.path()) != "in order");
    CHECK((contents_of(scratch.path()) == bytes));
  }
}

TEST_CASE_FIXTURE(Standing, "looking at a copy leaves nothing beside it") {
  REQUIRE(back_up(scratch.path(), file));
  CHECK(first_problem(file) == "in order");
  for (auto const* more : {"-wal", "-shm", "-journal", ".lock", ".mark", ".part"}) {
    CAPTURE(more);
    CHECK_FALSE(fs::exists(file + more));
  }
}

TEST_CASE_FIXTURE(Filled,
                  "a copy that is made while events come in is sound and holds a beginning") {
  auto const begun = Backup::begin(store->connection(), file);
  REQUIRE(begun);
  planner::EventSeq revision = 200;
  while (!*(*begun)->step(7)) {
    CHECK_FALSE(fs::exists(file));
    grow(store->journal(), revision, revision + 3);
    revision += 3;
  }
  grow(store->journal(), revision, revision + 3);
  auto const report = check_store(file);
  REQUIRE(report);
  CHECK(report->problems == std::vector<std::string>{});
  CHECK(report->events == revision);
  auto const theirs = Journal(*open_at_rest(file)->connection).events_after({"run_1"}, 0, -1);
  auto const ours = store->journal().events_after({"run_1"}, 0, static_cast<int>(revision));
  REQUIRE(theirs->size() == ours->size());
  CHECK(theirs->back().hash == ours->back().hash);
}

TEST_CASE_FIXTURE(Filled, "a copy that is given up leaves nothing") {
  {
    auto const begun = Backup::begin(store->connection(), file);
    REQUIRE(begun);
    CHECK_FALSE(*(*begun)->step(1));
  }
  CHECK_FALSE(fs::exists(file));
  CHECK_FALSE(fs::exists(file + ".part"));
  CHECK(store->check());
}

TEST_CASE_FIXTURE(Standing, "a backup overwrites nothing") {
  write_file(file, "mine");
  auto const refused = back_up(scratch.path(), file);
  REQUIRE_FALSE(refused);
  CHECK(contains(refused.error().detail, "nothing is overwritten"));
  CHECK(contents_of(file) == "mine");
}

Result<Restored> put_back(Standing const& here, Force force = Force::no) {
  return restore(here.file, here.scratch.path(), force, "now");
}

TEST_CASE_FIXTURE(Standing, "a lost store comes back from its backup") {
  REQUIRE(back_up(scratch.path(), file));
  fs::remove(scratch.path());
  REQUIRE(contains(refusal_of(scratch.path()), "missing or empty"));
  auto const restored = put_back(*this);
  REQUIRE(restored);
  CHECK(restored->replaced.empty());
  CHECK(scratch.open()->journal().find({"run_1"})->revision == 200);
}

TEST_CASE_FIXTURE(Standing, "the log of a lost store is not played back into its backup") {
  REQUIRE(back_up(scratch.path(), file));
  {
    auto const open = scratch.open();
    grow(open->journal(), 200, 900);
    fs::copy_file(scratch.path() + "-wal", scratch.path() + ".log");
  }
  fs::remove(scratch.path());
  fs::rename(scratch.path() + ".log", scratch.path() + "-wal");
  auto const refused = put_back(*this);
  REQUIRE_FALSE(refused);
  CHECK(contains(refused.error().detail,
                 "is gone, and the backup is older: it holds 200 events, and 900"));
  auto const restored = put_back(*this, Force::yes);
  REQUIRE(restored);
  CHECK(restored->replaced == scratch.path() + ".replaced-now-wal");
  CHECK(first_problem(scratch.path()) == "in order");
  CHECK(scratch.open()->journal().find({"run_1"})->revision == 200);
}

TEST_CASE_FIXTURE(Standing,
                  "a store that went on after the backup is replaced only by force, and kept") {
  REQUIRE(back_up(scratch.path(), file));
  grow(scratch.open()->journal(), 200, 203);
  auto const refused = put_back(*this);
  REQUIRE_FALSE(refused);
  CHECK(contains(refused.error().detail, "without --force"));
  CHECK(contains(refused.error().detail, "holds 200 events, and 203 had been recorded"));
  CHECK(scratch.open()->journal().find({"run_1"})->revision == 203);
  auto const restored = put_back(*this, Force::yes);
  REQUIRE(restored);
  CHECK(scratch.open()->journal().find({"run_1"})->revision == 200);
  CHECK(check_store(restored->replaced)->events == 203);
}

TEST_CASE_FIXTURE(Standing, "a damaged backup is not restored, whatever is said") {
  REQUIRE(back_up(scratch.path(), file));
  Connection(file).run_script("DROP TRIGGER event_stays; UPDATE event SET at = 0 WHERE seq = 3");
  for (auto const force : {Force::no, Force::yes}) {
    auto const refused = put_back(*this, force);
    REQUIRE_FALSE(refused);
    CHECK(contains(refused.error().detail, "is not in order"));
  }
  CHECK(scratch.open()->journal().find({"run_1"})->revision == 200);
}

TEST_CASE_FIXTURE(Standing, "a store that a daemon holds is never replaced") {
  REQUIRE(back_up(scratch.path(), file));
  auto const held = scratch.open();
  auto const refused = put_back(*this, Force::yes);
  REQUIRE_FALSE(refused);
  CHECK(contains(refused.error().detail, "in use by another runbookd"));
  CHECK(held->check());
}

TEST_CASE_FIXTURE(Standing, "a backup of another store is restored only by force") {
  Standing const other;
  REQUIRE(back_up(other.scratch.path(), file));
  CHECK(contains(put_back(*this).error().detail, "is another store"));
  CHECK(put_back(*this, Force::yes));
}

TEST_CASE_FIXTURE(Standing, "a damaged store is kept aside when its backup comes back") {
  REQUIRE(back_up(scratch.path(), file));
  auto const damaged = contents_of(scratch.path()).substr(0, 20'000);
  write_file(scratch.path(), damaged);
  auto const restored = put_back(*this, Force::yes);
  REQUIRE(restored);
  CHECK((contents_of(restored->replaced) == damaged));
  CHECK(first_problem(scratch.path()) == "in order");
}

}  // namespace
}  // namespace runbookd::store
