#include <future>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/target/target.h"

using namespace runbookd;
using runbookd::testing::server;
using runbookd::testing::Target;

namespace {

void without_our_schema(Target const& target) { target.sql("DROP SCHEMA runbookd CASCADE"); }

}  // namespace

TEST_CASE("preparing a target twice changes nothing") {
  Target target;
  target.sql(
      "INSERT INTO runbookd.marker (store, run, phase, step, direction, attempt, label) "
      "VALUES ('s', 'r', 0, 0, 'f', 1, 'x')");
  CHECK(daemon::prepare_target(*target.connect()));
  CHECK(target.sql("SELECT count(*) FROM runbookd.marker") == "1");
}

TEST_CASE("two daemons prepare one target at once") {
  Target target;
  for (int round = 0; round < 5; ++round) {
    without_our_schema(target);
    std::vector<std::future<bool>> daemons;
    for (int i = 0; i < 4; ++i) {
      daemons.push_back(std::async(std::launch::async, [session = target.connect()] {
        return daemon::prepare_target(*session).has_value();
      }));
    }
    for (auto& one : daemons) {
      CHECK(one.get());
    }
  }
}

TEST_CASE("a role that may not create the schema is told the grant") {
  Target target;
  without_our_schema(target);
  server().sql("postgres", "DROP ROLE IF EXISTS plain_mover; CREATE ROLE plain_mover LOGIN");
  auto const prepared = daemon::prepare_target(*target.connect("test", "plain_mover"));
  REQUIRE_FALSE(prepared);
  CHECK(prepared.error().sqlstate == "42501");
  CHECK(prepared.error().message.find("GRANT CREATE ON DATABASE " + target.name() +
                                      " TO plain_mover;") != std::string::npos);
}

TEST_CASE("the role that was given that grant prepares the target") {
  Target target;
  without_our_schema(target);
  server().sql("postgres", "DROP ROLE IF EXISTS granted_mover; CREATE ROLE granted_mover LOGIN");
  target.sql("GRANT CREATE ON DATABASE " + target.name() + " TO granted_mover");
  CHECK(daemon::prepare_target(*target.connect("test", "granted_mover")));
  CHECK(target.sql("SELECT count(*) FROM runbookd.marker") == "0");
  target.sql("DROP OWNED BY granted_mover");
}

TEST_CASE("a role that finds another role's tables is told the grants, and they are enough") {
  Target target;
  server().sql("postgres", "DROP ROLE IF EXISTS second_mover; CREATE ROLE second_mover LOGIN");
  auto session = target.connect("test", "second_mover");
  auto const refused = daemon::prepare_target(*session);
  REQUIRE_FALSE(refused);
  auto const& message = refused.error().message;
  target.sql(message.substr(message.find("GRANT ")));
  CHECK(daemon::prepare_target(*session));
  CHECK(daemon::run_transactional(*session, testing::tag(), testing::action("SELECT 1"), {}).end ==
        planner::AttemptEnd::done);
  target.sql("DROP OWNED BY second_mover");
}
