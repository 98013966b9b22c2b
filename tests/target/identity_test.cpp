// Who is at the other end of a session, and that what is committed there stays.
#include <string>

#include <doctest/doctest.h>

#include "daemon/target/fence.h"
#include "tests/target/target.h"

using namespace runbookd;
using namespace runbookd::testing;
using daemon::introduce;
using daemon::run_transactional;
using daemon::same_target;
using planner::AttemptEnd;

TEST_CASE("a session tells its database, its server and its timeline") {
  Target target;
  auto const found = introduce(*target.connect());
  REQUIRE(found);
  CHECK(found->database == target.name());
  CHECK(found->system == target.sql("SELECT system_identifier FROM pg_control_system()"));
  CHECK(found->timeline == "00000001");
  CHECK(same_target({}, *found));
  CHECK(same_target(*found, *found));
}

TEST_CASE("another database, another server and another timeline are each told apart") {
  Target target;
  auto const found = *introduce(*target.connect());
  auto const refusal = [&](auto const& change) {
    auto expected = found;
    change(expected);
    return same_target(expected, found).error();
  };
  auto const database = refusal([](auto& it) { it.database = "billing"; });
  CHECK(database.sqlstate == "RBT01");
  CHECK(database.message.find("database " + target.name()) != std::string::npos);
  CHECK(database.message.find("database billing") != std::string::npos);
  CHECK(refusal([](auto& it) { it.system = "7"; }).sqlstate == "RBT01");
  CHECK(refusal([](auto& it) { it.timeline = "00000007"; }).sqlstate == "RBT02");
}

TEST_CASE("what no marker proves is found, step by step and in its direction") {
  Target target;
  auto const what = action("SELECT 1");
  REQUIRE(run_transactional(*target.connect(), tag(1), what, never()).end == AttemptEnd::done);
  auto const lost = [&](planner::Direction direction) {
    return *unproven(*target.connect(), "store-1", "run_0123456789ab",
                     {{.ref = {0, 0}}, {.ref = {1, 2}, .direction = direction}});
  };
  using planner::StepRef;
  CHECK(lost(planner::Direction::forward) == std::vector<StepRef>{{0, 0}});
  CHECK(lost(planner::Direction::backward) == std::vector<StepRef>{{0, 0}, {1, 2}});
  auto const back = tag(2, planner::Direction::backward);
  REQUIRE(run_transactional(*target.connect(), back, what, never()).end == AttemptEnd::done);
  CHECK(lost(planner::Direction::backward) == std::vector<StepRef>{{0, 0}});
  target.sql("DROP SCHEMA runbookd CASCADE");
  CHECK(lost(planner::Direction::forward).size() == 2);
}

TEST_CASE(
    "a step's commit is synced whatever the database's default is, and a stronger one stays") {
  Target target;
  auto const seen = [&](std::string const& given, std::string const& first) {
    target.sql("ALTER DATABASE " + target.name() + " SET synchronous_commit = " + given);
    target.sql("DROP TABLE IF EXISTS seen");
    auto const result = run_transactional(
        *target.connect(), tag(static_cast<int>(given.size())),
        action(first + "CREATE TABLE seen AS SELECT current_setting('synchronous_commit') AS s"),
        never());
    CHECK(result.end == AttemptEnd::done);
    return target.sql("SELECT s FROM seen");
  };
  CHECK(seen("off", "") == "on");
  CHECK(seen("remote_apply", "") == "remote_apply");
}
