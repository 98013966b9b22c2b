#include <doctest/doctest.h>

#include "tests/store/scratch.h"

namespace runbookd::store {
namespace {

using planner::ErrorCode;

struct Opened {
  Scratch scratch;
  std::unique_ptr<Store> store = scratch.open();
  Journal& journal = store->journal();
  Opened() { REQUIRE(store->plans().put(plan_of('a'))); }
};

TEST_CASE_FIXTURE(Opened, "what was appended is read back in order") {
  auto const first = event_of(planner::RunCreated{.plan = digest_of('a'), .target = "main"}, "go");
  auto const second = event_of(planner::PhaseEntered{.phase = 3});
  REQUIRE(journal.append({append_of("run_1", 0, {first, second})}));
  auto const events = journal.events_after({"run_1"}, 0, 10);
  REQUIRE(events);
  REQUIRE(events->size() == 2);
  CHECK(events->at(0).seq == 1);
  CHECK(events->at(0).event.at == first.at);
  CHECK(events->at(0).event.actor == "ann");
  CHECK(events->at(0).event.reason == "go");
  CHECK(std::get<planner::RunCreated>(events->at(0).event.body).target == "main");
  CHECK(events->at(1).seq == 2);
  CHECK(std::get<planner::PhaseEntered>(events->at(1).event.body).phase == 3);
}

TEST_CASE_FIXTURE(Opened, "what was appended is there after the store was closed and opened") {
  REQUIRE(journal.append({append_of("run_1", 0)}));
  store.reset();
  auto const again = scratch.open();
  CHECK(again->journal().events_after({"run_1"}, 0, 10)->size() == 1);
}

TEST_CASE_FIXTURE(Opened, "numbers go on where the run stood") {
  REQUIRE(journal.append({append_of("run_1", 0)}));
  REQUIRE(journal.append({append_of("run_1", 1)}));
  CHECK(journal.events_after({"run_1"}, 1, 10)->front().seq == 2);
}

TEST_CASE_FIXTURE(Opened, "a wrong expectation is refused with both numbers") {
  REQUIRE(journal.append({append_of("run_1", 0)}));
  auto const refused = journal.append({append_of("run_1", 5)});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::stale_revision);
  CHECK(refused.error().detail ==
        "run run_1 is at revision 1, not 5: something else was recorded in between");
}

TEST_CASE_FIXTURE(Opened, "a new run that exists already is refused") {
  REQUIRE(journal.append({append_of("run_1", 0)}));
  CHECK(journal.append({append_of("run_1", 0)}).error().code == ErrorCode::stale_revision);
}

TEST_CASE_FIXTURE(Opened, "one refused run keeps all others of the batch out") {
  auto const refused = journal.append({append_of("run_1", 0), append_of("run_2", 9)});
  REQUIRE_FALSE(refused);
  CHECK(journal.events_after({"run_1"}, 0, 10)->empty());
  CHECK_FALSE(journal.find({"run_1"}));
}

TEST_CASE_FIXTURE(Opened, "several runs are recorded together") {
  REQUIRE(journal.append({append_of("run_1", 0), append_of("run_2", 0)}));
  CHECK(journal.find({"run_1"})->revision == 1);
  CHECK(journal.find({"run_2"})->revision == 1);
}

TEST_CASE_FIXTURE(Opened, "one run may stand twice in a batch") {
  REQUIRE(journal.append({append_of("run_1", 0), append_of("run_1", 1)}));
  CHECK(journal.find({"run_1"})->revision == 2);
  CHECK(journal.verify({"run_1"}) == 0);
}

TEST_CASE_FIXTURE(Opened, "the summary changes with its events") {
  REQUIRE(journal.append({append_of("run_1", 0)}));
  auto next = append_of("run_1", 1);
  next.summary.state = "paused";
  next.summary.message = "waiting for a person";
  next.summary.revision = 77;  // the journal knows better
  REQUIRE(journal.append({next}));
  auto const found = journal.find({"run_1"});
  REQUIRE(found);
  CHECK(found->state == "paused");
  CHECK(found->message == "waiting for a person");
  CHECK(found->revision == 2);
}

TEST_CASE_FIXTURE(Opened, "a run that comes to its end is not unfinished any more") {
  REQUIRE(journal.append({append_of("run_1", 0)}));
  CHECK(journal.unfinished().size() == 1);
  auto last = append_of("run_1", 1);
  last.summary.final = true;
  REQUIRE(journal.append({last}));
  CHECK(journal.unfinished().empty());
  CHECK(journal.find({"run_1"})->final);
}

TEST_CASE_FIXTURE(Opened, "who created a run, when and from which plan never changes") {
  auto first = append_of("run_1", 0);
  first.summary.created_by = "ann";
  first.summary.created = planner::Moment(planner::Duration(5));
  REQUIRE(journal.append({first}));
  auto next = append_of("run_1", 1);
  next.summary.created_by = "bob";
  next.summary.plan_name = "other";
  REQUIRE(journal.append({next}));
  auto const found = journal.find({"run_1"});
  CHECK(found->created_by == "ann");
  CHECK(found->created.time_since_epoch().count() == 5);
  CHECK(found->plan_name == "plan-a");
}

TEST_CASE_FIXTURE(Opened, "a run needs its plan in the store") {
  auto append = append_of("run_1", 0);
  append.summary.plan = digest_of('f');
  CHECK_THROWS_AS((void)journal.append({append}), std::logic_error);
  CHECK(journal.events_after({"run_1"}, 0, 10)->empty());
}

TEST_CASE_FIXTURE(Opened, "a fingerprint's body is kept once, with the events that name it") {
  auto append = append_of("run_1", 0);
  append.fingerprints = {{"sha256:1", "table a"}};
  REQUIRE(journal.append({append}));
  auto again = append_of("run_1", 1);
  again.fingerprints = {{"sha256:1", "something else"}};
  REQUIRE(journal.append({again}));
  CHECK(journal.fingerprint_body("sha256:1") == "table a");
  CHECK_FALSE(journal.fingerprint_body("sha256:2"));
}

TEST_CASE_FIXTURE(Opened, "texts with quotes, line ends and zero bytes survive") {
  auto const reason = std::string("it's \"odd\"\n\0here ü", 19);
  REQUIRE(journal.append({append_of("run_1", 0, {event_of(planner::RunResumed{}, reason)})}));
  CHECK(journal.events_after({"run_1"}, 0, 1)->front().event.reason == reason);
  CHECK(journal.verify({"run_1"}) == 0);
}

TEST_CASE_FIXTURE(Opened, "a page of events has at most as many as were asked for") {
  auto const event = event_of(planner::RunResumed{});
  REQUIRE(journal.append({append_of("run_1", 0, {event, event, event})}));
  CHECK(journal.events_after({"run_1"}, 0, 2)->size() == 2);
  CHECK(journal.events_after({"run_1"}, 2, 2)->size() == 1);
  CHECK(journal.events_after({"run_1"}, 0, -1)->size() == 3);
  CHECK(journal.events_after({"run_2"}, 0, 2)->empty());
}

}  // namespace
}  // namespace runbookd::store
