#include <cstdlib>
#include <fstream>
#include <string>
#include <utility>

#include <doctest/doctest.h>

#include "tests/target/target.h"

using namespace runbookd;
using namespace runbookd::testing;

namespace {

planner::Step step(planner::Action forward, planner::Action backward = planner::NoAction{}) {
  return {.name = "s", .forward = std::move(forward), .backward = std::move(backward)};
}

planner::Plan plan(std::vector<planner::Step> steps) {
  planner::Plan made;
  made.phases.push_back({.name = "expand", .steps = std::move(steps)});
  return made;
}

// A role without any right but to connect, and our schema made ready for it.
std::string role(std::string const& name) {
  server().sql("postgres", "DROP ROLE IF EXISTS " + name + "; CREATE ROLE " + name + " LOGIN");
  return name;
}

bool says(daemon::SqlFailure const& failure, std::string const& words) {
  bool const said = failure.message.find(words) != std::string::npos;
  if (!said) {
    MESSAGE(failure.message);
  }
  return said;
}

}  // namespace

TEST_CASE("a plan that its role may carry out passes") {
  Target target;
  target.sql("CREATE TABLE t (a int)");
  CHECK(daemon::check_target(*target.connect(),
                             plan({step(action("ALTER TABLE t ADD COLUMN b int"))})));
}

TEST_CASE("an older server than the plan needs is refused with both versions") {
  Target target;
  auto made = plan({});
  made.database.min_version = 99;
  auto const checked = daemon::check_target(*target.connect(), made);
  REQUIRE_FALSE(checked);
  CHECK(says(checked.error(), "PostgreSQL 99"));
  CHECK(says(checked.error(), target.sql("SHOW server_version")));
}

TEST_CASE("every missing right is named at once with the statement that grants it") {
  Target target;
  auto const mover = role("mover_a");
  target.sql(
      "CREATE TABLE t (a int); CREATE TABLE u (id int PRIMARY KEY, b int); CREATE TABLE v (id int, "
      "c int); "
      "CREATE SCHEMA s; CREATE TABLE s.w (a int)");
  planner::BackfillAction fill{
      .table = "u", .set = {{"b", "v.c"}}, .from = "v", .where = "v.id = u.id"};
  auto const checked =
      daemon::check_target(*target.connect("test", mover),
                           plan({step(action("ALTER TABLE t ADD COLUMN b int")), step(fill),
                                 step(planner::NoAction{}, action("DELETE FROM s.w"))}));
  REQUIRE_FALSE(checked);
  CHECK(checked.error().sqlstate == "42501");
  CHECK(says(checked.error(), "ownership of public.t: GRANT postgres TO mover_a;"));
  CHECK(says(checked.error(), "GRANT UPDATE ON public.u TO mover_a;"));
  CHECK(says(checked.error(), "GRANT USAGE ON SCHEMA s TO mover_a;"));
}

TEST_CASE("rights that came by membership or grant are enough") {
  Target target;
  auto const mover = role("mover_b");
  server().sql("postgres",
               "DROP ROLE IF EXISTS owner_b; CREATE ROLE owner_b; GRANT owner_b TO mover_b");
  target.sql(
      "CREATE TABLE t (a int); ALTER TABLE t OWNER TO owner_b; CREATE TABLE u (a int); GRANT "
      "SELECT, DELETE ON u TO mover_b");
  auto const wanted =
      plan({step(action("ALTER TABLE t ADD COLUMN b int; DELETE FROM u WHERE a = 1"))});
  auto const checked = daemon::check_target(*target.connect("test", mover), wanted);
  CHECK_MESSAGE(checked.has_value(), (checked ? "" : checked.error().message));
  target.sql("DROP OWNED BY owner_b; DROP OWNED BY mover_b");
}

TEST_CASE("what the plan makes itself is not asked about") {
  Target target;
  auto const mover = role("mover_c");
  target.sql("GRANT CREATE ON SCHEMA public TO mover_c");
  auto const wanted = plan({step(action("CREATE TABLE fresh (a int)"), action("DROP TABLE fresh")),
                            step(action("ALTER TABLE fresh ADD COLUMN b int"))});
  auto const checked = daemon::check_target(*target.connect("test", mover), wanted);
  CHECK_MESSAGE(checked.has_value(), (checked ? "" : checked.error().message));
  target.sql("DROP OWNED BY mover_c");
}

TEST_CASE("a role that could not make our schema is told before anything runs") {
  Target target;
  auto const mover = role("mover_d");
  target.sql("DROP SCHEMA runbookd CASCADE");
  auto const checked = daemon::check_target(*target.connect("test", mover), plan({}));
  REQUIRE_FALSE(checked);
  CHECK(says(checked.error(), "GRANT CREATE ON DATABASE " + target.name() + " TO mover_d;"));
}

TEST_CASE("a role that may only read is told") {
  Target target;
  target.sql("ALTER DATABASE " + target.name() + " SET default_transaction_read_only = on");
  auto const checked = daemon::check_target(*target.connect(), plan({}));
  REQUIRE_FALSE(checked);
  CHECK(says(checked.error(), "default_transaction_read_only"));
}

TEST_CASE("a standby is refused, and it is not asked how an attempt ended") {
  char const* major = std::getenv("RUNBOOKD_TEST_MAJOR");
  PostgresCluster standby({.major = major == nullptr ? 15 : std::stoi(major)});
  standby.stop();
  std::ofstream(standby.folder() + "/data/standby.signal");
  standby.start();
  auto const session = daemon::connect({.name = "main", .dsn = standby.dsn()}, "test");
  REQUIRE(session);
  auto const checked = daemon::check_target(**session, plan({}));
  REQUIRE_FALSE(checked);
  CHECK(says(checked.error(), "standby in recovery"));
  auto const doubt = daemon::settle_doubt(**session, tag(), action("SELECT 1"));
  REQUIRE_FALSE(doubt);
  CHECK(says(doubt.error(), "standby in recovery"));
}
