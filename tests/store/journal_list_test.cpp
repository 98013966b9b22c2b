#include <doctest/doctest.h>

#include "store/journal_sql.h"
#include "tests/store/scratch.h"

namespace runbookd::store {
namespace {

struct Listed {
  Scratch scratch;
  std::unique_ptr<Store> store = scratch.open();
  Journal& journal = store->journal();
  Listed() {
    REQUIRE(store->plans().put(plan_of('a')));
    REQUIRE(store->plans().put(plan_of('b')));
  }

  void add(std::string const& run, std::int64_t created, std::string const& state = "running",
           std::string const& target = "main", char plan = 'a') {
    auto append = append_of(run, 0);
    append.summary.plan = digest_of(plan);
    append.summary.plan_name = std::string("plan-") + plan;
    append.summary.state = state;
    append.summary.target = target;
    append.summary.final = state == "succeeded";
    append.summary.created = planner::Moment(planner::Duration(created));
    append.summary.changed = append.summary.created;
    append.summary.created_by = "ann";
    REQUIRE(journal.append({append}));
  }
  std::string ids(RunFilter const& filter) const {
    std::string text;
    for (auto const& run : journal.list(filter))
      text += run.id.text + " ";
    return text;
  }
};

TEST_CASE_FIXTURE(Listed, "runs are listed newest first") {
  add("run_1", 100);
  add("run_3", 300);
  add("run_2", 200);
  CHECK(ids({}) == "run_3 run_2 run_1 ");
}

TEST_CASE_FIXTURE(Listed, "a page starts after the run that it is told") {
  add("run_1", 100);
  add("run_2", 200);
  add("run_3", 200);  // the same instant: the id decides
  CHECK(ids({.limit = 2}) == "run_3 run_2 ");
  CHECK(ids({.before = "run_3", .limit = 1}) == "run_2 ");
  CHECK(ids({.before = "run_2", .limit = 9}) == "run_1 ");
  CHECK(ids({.before = "run_1"}).empty());
}

TEST_CASE_FIXTURE(Listed, "a list can be narrowed by who created a run and since when it changed") {
  add("run_1", 1);
  add("run_2", 2);
  CHECK(ids({.actor = "ann"}) == "run_2 run_1 ");
  CHECK(ids({.actor = "ben"}).empty());
  CHECK(ids({.since = planner::Moment(planner::Duration(2))}) == "run_2 ");
  CHECK(ids({.actor = "ann", .before = "run_2"}) == "run_1 ");
}

TEST_CASE_FIXTURE(Listed, "a list can be narrowed by state, target and plan") {
  add("run_1", 1, "paused", "main", 'a');
  add("run_2", 2, "running", "other", 'a');
  add("run_3", 3, "running", "main", 'b');
  CHECK(ids({.state = "running"}) == "run_3 run_2 ");
  CHECK(ids({.target = "main"}) == "run_3 run_1 ");
  add("run_4", 4, "succeeded", "main", 'b');
  CHECK(ids({.state = "unfinished"}) == "run_3 run_2 run_1 ");
  CHECK(ids({.state = "unfinished", .target = "main", .before = "run_3"}) == "run_1 ");
  CHECK(ids({.plan = digest_of('a').text}) == "run_2 run_1 ");
  CHECK(ids({.plan = "plan-b"}) == "run_4 run_3 ");
  CHECK(ids({.state = "running", .target = "main", .before = "run_3"}).empty());
}

TEST_CASE_FIXTURE(Listed, "a page far down a long list is reached through the index") {
  store.reset();
  Connection raw(scratch.path());
  Statement explain(raw, std::string("EXPLAIN QUERY PLAN ") + sql::list_older_runs);
  auto const lines = explain.all([](Statement const& row) { return row.text(3); });
  REQUIRE_FALSE(lines.empty());
  CHECK(lines.front() == "SEARCH run USING INDEX run_by_age (created_at<?)");
}

TEST_CASE_FIXTURE(Listed, "unfinished runs are those that are not final, oldest first") {
  add("run_1", 300);
  add("run_2", 200, "succeeded");
  add("run_3", 100, "pending");
  auto const runs = journal.unfinished();
  REQUIRE(runs.size() == 2);
  CHECK(runs[0].id.text == "run_3");
  CHECK(runs[1].id.text == "run_1");
}

TEST_CASE_FIXTURE(Listed, "runs are counted by the state that they are in now") {
  CHECK(journal.count_by_state().empty());
  add("run_1", 100, "succeeded");
  add("run_2", 200, "waiting");
  add("run_3", 300, "succeeded");
  CHECK(journal.count_by_state() ==
        std::map<std::string, std::int64_t>{{"succeeded", 2}, {"waiting", 1}});
  auto append = append_of("run_2", 1);
  append.summary.plan = digest_of('a');
  append.summary.state = "failed";
  REQUIRE(journal.append({append}));
  CHECK(journal.count_by_state() ==
        std::map<std::string, std::int64_t>{{"succeeded", 2}, {"failed", 1}});
}

TEST_CASE_FIXTURE(Listed, "a target is taken by a started, unfinished run and by no other") {
  add("run_1", 1, "pending", "main");
  add("run_2", 2, "succeeded", "main");
  add("run_3", 3, "running", "other");
  CHECK_FALSE(journal.active_on("main"));
  add("run_4", 4, "paused", "main");
  REQUIRE(journal.active_on("main"));
  CHECK(journal.active_on("main")->id.text == "run_4");
}

TEST_CASE_FIXTURE(Listed, "all fields of a summary come back") {
  RunSummary const summary{.plan = digest_of('b'),
                           .plan_name = "plan-b",
                           .target = "main",
                           .state = "failed",
                           .direction = "backward",
                           .phase = "expand",
                           .step = "add-column",
                           .message = "lock timeout",
                           .created_by = "ann",
                           .created = planner::Moment(planner::Duration(11)),
                           .changed = planner::Moment(planner::Duration(22)),
                           .final = true};
  auto append = append_of("run_1", 0);
  append.summary = summary;
  REQUIRE(journal.append({append}));
  auto const found = journal.find({"run_1"});
  REQUIRE(found);
  CHECK(found->id.text == "run_1");
  CHECK(found->plan == summary.plan);
  CHECK(found->plan_name == summary.plan_name);
  CHECK(found->target == summary.target);
  CHECK(found->state == summary.state);
  CHECK(found->direction == summary.direction);
  CHECK(found->phase == summary.phase);
  CHECK(found->step == summary.step);
  CHECK(found->message == summary.message);
  CHECK(found->created_by == summary.created_by);
  CHECK(found->created == summary.created);
  CHECK(found->changed == summary.changed);
  CHECK(found->revision == 1);
  CHECK(found->final);
}

TEST_CASE_FIXTURE(Listed, "a run that does not exist is not found") {
  CHECK_FALSE(journal.find({"run_1"}));
  CHECK(journal.verify({"run_1"}) == 0);
}

}  // namespace
}  // namespace runbookd::store
