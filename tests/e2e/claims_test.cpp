// One database carries one run at a time, whatever its names; and what the start check asks an
// administrator for does not stand in the way of another run's rollback.
#include <doctest/doctest.h>

#include "tests/e2e/scenario.h"

namespace runbookd::testing {
namespace {

bool contains(std::string const& text, std::string const& part) {
  return text.find(part) != std::string::npos;
}

struct TwoNames {
  Database database;
  RunningDaemon daemon{{.targets = {{"main", database.dsn()}, {"other", database.dsn()}}}};

  std::string at_rest_on_main() {
    auto const id = daemon.create(plan_text({{.name = "hand",
                                              .more = "manual: do it\n"
                                                      "rollback_manual: undo it"}}));
    daemon.verb(id, "start");
    daemon.until(id, {"waiting"});
    return id;
  }
};

}  // namespace

TEST_CASE("a database with a run is not free under another name, and the start says whose it is") {
  TwoNames names;
  auto const first = names.at_rest_on_main();
  auto const second = names.daemon.create(plan_text(column_steps(1)), "other");
  names.daemon.verb(second, "start");
  auto const refused = names.daemon.until(second, {"pending"}).at("state_message");
  for (auto const& words :
       {std::string("target other is not free for this run"), names.database.name(),
        std::string("as target main does"), "runbookctl status " + first}) {
    CHECK_MESSAGE(contains(refused, words), refused.dump());
  }
  names.daemon.verb(first, "cancel");
  names.database.until("SELECT count(*) = 0 FROM runbookd.run WHERE ended_at IS NULL");
  names.daemon.verb(second, "start");
  names.daemon.until(second, {"succeeded"});
}

TEST_CASE("of two runs that start at once under two names one works, and the other one waits") {
  TwoNames names;
  auto const one = names.daemon.create(plan_text({{.name = "a",
                                                   .more = "manual: do it\n"
                                                           "rollback_manual: undo"}}));
  auto const two = names.daemon.create(plan_text({{.name = "a",
                                                   .more = "manual: do it\n"
                                                           "rollback_manual: undo"}}),
                                       "other");
  names.daemon.verb(one, "start");
  names.daemon.verb(two, "start");
  auto const settled = [](json const& run) { return run.at("state") != "running"; };
  auto const first = names.daemon.until(one, settled, "an end of its start").at("state");
  auto const second = names.daemon.until(two, settled, "an end of its start").at("state");
  CHECK((first == "waiting") != (second == "waiting"));
  CHECK((first == "pending") != (second == "pending"));
}

TEST_CASE("a run that is over goes back only while no other works there under another name") {
  TwoNames names;
  auto const over = names.daemon.create(plan_text(column_steps(1)), "other");
  names.daemon.verb(over, "start");
  names.daemon.until(over, {"succeeded"});
  auto const working = names.at_rest_on_main();
  auto const reply = names.daemon.post("/api/v1/runs/" + over + "/rollback", {{"to", "all"}});
  CHECK(reply.status == 409);
  CHECK(reply.body.at("code") == "target-busy");
  CHECK(contains(reply.body.at("detail"), working));
  CHECK(contains(reply.body.at("detail"), "as target main does"));
  CHECK(reply.body.at("next") == "runbookctl status " + working);
}

TEST_CASE("a run whose start came to nothing does not stay on the target's list") {
  Scene scene;
  auto const id = scene.daemon.create(
      plan_text(column_steps(1), "", "baselines: {none: \"SELECT a FROM t WHERE id < 0\"}\n"));
  scene.daemon.verb(id, "start");
  auto const run = scene.daemon.until(id, {"pending"});
  CHECK(contains(run.at("state_message"), "baseline none could not be recorded"));
  scene.database.until("SELECT count(*) > 0 FROM runbookd.run");
  scene.database.until("SELECT count(*) = 0 FROM runbookd.run WHERE ended_at IS NULL");
}

TEST_CASE("a grant that a start check asked for does not stop another run's way back") {
  Database const database;
  server().sql("postgres", "DROP ROLE IF EXISTS grantee; CREATE ROLE grantee LOGIN");
  database.sql("GRANT CREATE ON DATABASE " + database.name() +
               " TO grantee; GRANT USAGE, CREATE ON SCHEMA public TO grantee");
  RunningDaemon daemon({.targets = {{"main", server().dsn(database.name(), "grantee")}}});
  auto const made = daemon.create(plan_text(
      {{.name = "make", .forward = "CREATE TABLE made (a int)", .backward = "DROP TABLE made"}}));
  daemon.verb(made, "start");
  daemon.until(made, {"succeeded"});
  auto const reading = daemon.create(plan_text({{.name = "read",
                                                 .forward = "UPDATE t SET a = 1 WHERE id = 1",
                                                 .backward = "UPDATE t SET a = 0 WHERE id = 1"}}));
  daemon.verb(reading, "start");
  auto const advice = daemon.until(reading, {"pending"}).at("details");
  REQUIRE_FALSE(advice.empty());
  for (auto const& line : advice) {
    database.sql(line.get<std::string>());
  }
  daemon.verb(reading, "start");
  daemon.until(reading, {"succeeded"});
  daemon.verb(made, "rollback", {{"to", "all"}});
  daemon.until(made, {"rolled_back"});
  daemon.kill();
  database.until("SELECT count(*) = 0 FROM pg_stat_activity WHERE usename = 'grantee'");
  database.sql("DROP OWNED BY grantee");
}

TEST_CASE("a backfill whose server is away keeps showing how far it is, and goes on by itself") {
  PostgresCluster cluster({.major = server_major()});
  Database const database(20'000, cluster);
  RunningDaemon daemon({.targets = {{"main", database.dsn()}}});
  auto const id = daemon.create(
      plan_text({{.name = "fill",
                  .more = "backfill:\n  table: t\n  set: {a: t.a + 1}\n  where: 'true'\n"
                          "  batch: {max_rows: 300, pause: 5ms}"}}));
  daemon.verb(id, "start");
  database.until("SELECT count(*) > 900 FROM t WHERE a = 1");
  cluster.stop(PostgresCluster::Stop::immediate);
  auto const away = daemon.until(
      id,
      [](json const& run) {
        return contains(run.at("state_message"), "the run goes on by itself");
      },
      "an outage");
  CHECK(contains(away.at("state_message"), " rows changed, which stay"));
  CHECK(step_of(away, "only", "fill").at("backfill").at("rows_changed") >= 900);
  cluster.start();
  daemon.until(id, {"succeeded"});
  CHECK(database.sql("SELECT count(*) FROM t WHERE a = 1") == "20000");
}

}  // namespace runbookd::testing
