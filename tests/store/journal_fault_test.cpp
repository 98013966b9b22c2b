#include <csignal>

#include <doctest/doctest.h>
#include <sys/resource.h>

#include "tests/store/scratch.h"

namespace runbookd::store {
namespace {

using planner::ErrorCode;

planner::Event large_event() { return event_of(planner::RunResumed{}, std::string(20'000, 'x')); }

// Appends large events until the store is full; the refusal, and how many got in.
struct Filled {
  planner::Error refusal;
  planner::EventSeq revision = 0;
};
Filled fill(Journal& journal, std::string const& run) {
  for (planner::EventSeq revision = 0;; ++revision) {
    auto const appended = journal.append({append_of(run, revision, {large_event()})});
    if (!appended)
      return {appended.error(), revision};
  }
}

struct Small {
  Scratch scratch;
  std::unique_ptr<Store> store = scratch.open(60);
  Journal& journal = store->journal();
  Small() { REQUIRE(store->plans().put(plan_of('a'))); }
};

TEST_CASE_FIXTURE(Small, "a full store says so and names the command that shows why") {
  auto const full = fill(journal, "run_1");
  CHECK(full.revision > 0);
  CHECK(full.refusal.code == ErrorCode::store_unavailable);
  CHECK(contains(full.refusal.detail, scratch.path()));
  CHECK(contains(full.refusal.detail, "no room left"));
  CHECK(full.refusal.next == "df -h '" + scratch.folder() + "'");
}

TEST_CASE_FIXTURE(Small, "an append that met a full store left nothing behind") {
  auto const full = fill(journal, "run_1");
  CHECK(journal.events_after({"run_1"}, 0, -1)->size() == static_cast<std::size_t>(full.revision));
  CHECK(journal.find({"run_1"})->revision == full.revision);
  CHECK(journal.verify({"run_1"}) == 0);
}

TEST_CASE_FIXTURE(Small, "of several runs that met a full store none is half recorded") {
  auto const full = fill(journal, "run_1");
  auto const batch = journal.append(
      {append_of("run_2", 0), append_of("run_1", full.revision, {large_event(), large_event()})});
  REQUIRE_FALSE(batch);
  CHECK_FALSE(journal.find({"run_2"}));
}

TEST_CASE_FIXTURE(Small, "after a full store a smaller append succeeds") {
  auto const full = fill(journal, "run_1");
  REQUIRE(journal.append({append_of("run_1", full.revision)}));
  CHECK(journal.find({"run_1"})->revision == full.revision + 1);
  CHECK(journal.verify({"run_1"}) == 0);
}

TEST_CASE_FIXTURE(Small, "a full store opens again with all it had") {
  auto const full = fill(journal, "run_1");
  store.reset();
  auto const again = scratch.open();
  CHECK(again->journal().find({"run_1"})->revision == full.revision);
  CHECK(again->journal().append({append_of("run_1", full.revision, {large_event()})}));
}

// The system call that writes fails while one of these lives.
class NoFileMayGrow {
 public:
  NoFileMayGrow() {
    std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    auto none = before_;
    none.rlim_cur = 0;
    ::setrlimit(RLIMIT_FSIZE, &none);
  }
  ~NoFileMayGrow() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, SIG_DFL);
  }
  NoFileMayGrow(NoFileMayGrow const&) = delete;
  NoFileMayGrow& operator=(NoFileMayGrow const&) = delete;

 private:
  rlimit before_{};
};

struct Broken {
  Scratch scratch;
  std::unique_ptr<Store> store = scratch.open();
  Journal& journal = store->journal();
  Broken() {
    REQUIRE(store->plans().put(plan_of('a')));
    REQUIRE(journal.append({append_of("run_1", 0)}));
  }
  planner::Result<void> append_while_writing_fails() {
    NoFileMayGrow const fault;
    return journal.append({append_of("run_1", 1), append_of("run_2", 0)});
  }
};

TEST_CASE_FIXTURE(Broken, "a write that the system refuses makes the store unavailable") {
  auto const refused = append_while_writing_fails();
  REQUIRE_FALSE(refused);
  CAPTURE(refused.error().detail);
  CHECK(refused.error().code == ErrorCode::store_unavailable);
  CHECK(contains(refused.error().detail, "no room left"));
}

TEST_CASE_FIXTURE(Broken, "a write that the system refuses leaves nothing behind") {
  REQUIRE_FALSE(append_while_writing_fails());
  CHECK(journal.find({"run_1"})->revision == 1);
  CHECK_FALSE(journal.find({"run_2"}));
}

TEST_CASE_FIXTURE(Broken, "once the system writes again the journal goes on") {
  REQUIRE_FALSE(append_while_writing_fails());
  REQUIRE(journal.append({append_of("run_1", 1)}));
  store.reset();
  auto const again = scratch.open();
  CHECK(again->journal().find({"run_1"})->revision == 2);
  CHECK(again->journal().verify({"run_1"}) == 0);
}

// A run of five events, changed behind the daemon's back by `statement`.
planner::EventSeq first_wrong_after(std::string const& statement) {
  Scratch const scratch;
  {
    auto const store = scratch.open();
    REQUIRE(store->plans().put(plan_of('a')));
    auto const event = event_of(planner::RunPaused{.why = "asked"});
    REQUIRE(store->journal().append(
        {append_of("run_1", 0, {event, event, event, event, event}), append_of("run_2", 0)}));
  }
  Connection(scratch.path())
      .run_script("DROP TRIGGER event_stays; DROP TRIGGER event_remains;" + statement);
  return scratch.open()->journal().verify({"run_1"});
}

TEST_CASE("a chain that nobody touched is whole") { CHECK(first_wrong_after("") == 0); }

TEST_CASE("a changed event is found") {
  CHECK(first_wrong_after(
            "UPDATE event SET body = '{\"why\":\"other\"}' WHERE run = 'run_1' AND seq = 3") == 3);
  CHECK(first_wrong_after("UPDATE event SET actor = 'bob' WHERE run = 'run_1' AND seq = 1") == 1);
  CHECK(first_wrong_after("UPDATE event SET at = at + 1 WHERE run = 'run_1' AND seq = 5") == 5);
}

TEST_CASE("a missing event is found") {
  CHECK(first_wrong_after("DELETE FROM event WHERE run = 'run_1' AND seq = 2") == 2);
}

TEST_CASE("events that are missing at the end are found") {
  CHECK(first_wrong_after("DELETE FROM event WHERE run = 'run_1' AND seq > 3") == 4);
}

TEST_CASE("an event that was put at the end is found") {
  CHECK(first_wrong_after(
            "INSERT INTO event SELECT run, 6, at, kind, actor, reason, body, hash FROM event"
            " WHERE run = 'run_1' AND seq = 5") == 6);
}

TEST_CASE("two events that changed places are found") {
  CHECK(first_wrong_after("UPDATE event SET seq = 99 WHERE run = 'run_1' AND seq = 2;"
                          "UPDATE event SET seq = 2 WHERE run = 'run_1' AND seq = 3;"
                          "UPDATE event SET seq = 3 WHERE run = 'run_1' AND seq = 99") == 2);
}

TEST_CASE("the tables themselves refuse to change or delete an event") {
  Scratch const scratch;
  {
    auto const store = scratch.open();
    REQUIRE(store->plans().put(plan_of('a')));
    REQUIRE(store->journal().append({append_of("run_1", 0)}));
  }
  Connection raw(scratch.path());
  CHECK_THROWS_AS(raw.run_script("UPDATE event SET actor = 'bob'"), std::logic_error);
  CHECK_THROWS_AS(raw.run_script("DELETE FROM event"), std::logic_error);
}

TEST_CASE(
    "an event of a kind that this version does not know is an error that names run and number") {
  Scratch const scratch;
  {
    auto const store = scratch.open();
    REQUIRE(store->plans().put(plan_of('a')));
    REQUIRE(store->journal().append({append_of("run_1", 0)}));
  }
  {
    Connection raw(scratch.path());
    raw.run_script("DROP TRIGGER event_stays; UPDATE event SET kind = 'run.teleported'");
  }
  auto const events = scratch.open()->journal().events_after({"run_1"}, 0, 10);
  REQUIRE_FALSE(events);
  CHECK(events.error().code == ErrorCode::store_unavailable);
  CHECK(contains(events.error().detail, "run run_1, number 1"));
  CHECK(contains(events.error().detail, "run.teleported"));
}

}  // namespace
}  // namespace runbookd::store
