// Bad input and bad weather, each tried for real: a clear answer, and nothing lost.
#include <filesystem>
#include <fstream>

#include <doctest/doctest.h>

#include "tests/e2e/scenario.h"

namespace runbookd::testing {
namespace {

bool says(json const& document, std::string const& words) {
  return document.dump().find(words) != std::string::npos;
}

// Starts the run and gives what it says once it is pending again: nothing was touched.
json start_in_vain(RunningDaemon& daemon, std::string const& target) {
  auto const id = daemon.create(plan_text(column_steps(1)), target);
  daemon.verb(id, "start");
  auto const run = daemon.until(id, {"pending", "failed", "succeeded"});
  CHECK(run.at("state") == "pending");
  CHECK(step_of(run, "only", "add-c1").at("attempts") == 0);
  return run;
}

}  // namespace

TEST_CASE("a wrong plan gets every problem with line and column, and nothing is stored") {
  Scene scene;
  std::string const plan =
      "runbook: 1\nname: bad\nphasess: []\nphases:\n  - name: a\n    kind: expnd\n    steps:\n"
      "      - name: s\n        sql: ALTER TABLE t ADD COLUM x int\n        rollback: SELECT 1\n"
      "      - name: s\n        sql: SELECT 1\n";
  auto const reply = scene.daemon.post_text("/api/v1/plans", plan, "application/yaml");
  CHECK(reply.status == 422);
  CHECK(reply.body.at("errors").size() >= 5);
  for (auto const& problem : reply.body.at("errors")) {
    CHECK(problem.at("line").get<int>() > 0);
    CHECK(problem.at("column").get<int>() > 0);
  }
  CHECK(says(reply.body, "phases"));
  CHECK(scene.daemon.get("/api/v1/plans").body.at("plans").empty());

  auto const file = scene.daemon.folder() + "/bad.yaml";
  std::ofstream(file) << plan;
  auto const lint = run_program({runbookctl_program(), "plan", "lint", file});
  CHECK(lint.exit_code == 9);
  CHECK(lint.out.find("bad.yaml:3:") != std::string::npos);
}

TEST_CASE("SQL that does not parse is told in the server's words at the plan's own line") {
  Scene scene;
  auto const reply = scene.daemon.post_text(
      "/api/v1/plans",
      plan_text({{.name = "s", .forward = "SELECT 1;\nSELEC 2", .backward = "SELECT 1"}}),
      "application/yaml");
  CHECK(reply.status == 422);
  auto const& problem = reply.body.at("errors").at(0);
  CHECK(says(problem, "syntax error at or near"));
  CHECK(problem.at("line") == 11);
}

TEST_CASE(
    "SQL that is unsafe for live traffic stops the start until it is acknowledged by name and "
    "reason") {
  Scene scene;
  auto const id = scene.daemon.create(plan_text({{.name = "index",
                                                  .forward = "CREATE INDEX t_a_idx ON t (a)",
                                                  .backward = "DROP INDEX CONCURRENTLY t_a_idx"}}));
  auto const refused = scene.daemon.post("/api/v1/runs/" + id + "/start");
  CHECK(refused.body.at("code") == "unacknowledged-findings");
  auto const rule = refused.body.at("errors").at(0).at("rule").get<std::string>();
  CHECK(scene.daemon.run(id).at("state") == "pending");
  scene.daemon.verb(id, "start",
                    {{"acknowledge", {{{"rule", rule}, {"reason", "the table is tiny"}}}}});
  scene.daemon.until(id, {"succeeded"});
}

TEST_CASE(
    "what the plan itself acknowledges does not stop the start, and the stored plan says why") {
  Scene scene;
  auto const id = scene.daemon.create(
      plan_text({{.name = "index",
                  .forward = "CREATE INDEX t_a_idx ON t (a)",
                  .backward = "DROP INDEX CONCURRENTLY t_a_idx"}},
                "",
                "acknowledge:\n  - {rule: lock/create-index-not-concurrent, reason: the table is "
                "tiny}\n"));
  scene.daemon.verb(id, "start");
  auto const run = scene.daemon.until(id, {"succeeded"});
  auto const digest = run.at("plan").at("digest").get<std::string>();
  auto const plan = scene.daemon.get("/api/v1/plans/" + digest).body;
  CHECK(plan.at("findings").at(0).at("acknowledged") == "the table is tiny");
  CHECK(plan.at("plan").at("acknowledge").at(0).at("reason") == "the table is tiny");
}

TEST_CASE(
    "a target that cannot be used is told clearly, without its password, and leaves the run "
    "untouched") {
  auto& cluster = server();
  Database const database;
  RunningDaemon daemon(
      {.targets = {
           {"unreachable", "host=127.0.0.1 port=1 dbname=x user=postgres password=hunter2secret"},
           {"wrong-password", cluster.tcp_dsn(database.name(), "postgres", "hunter2secret")},
           {"wrong-database", cluster.dsn("no_such_database")}}});
  auto const unreachable = start_in_vain(daemon, "unreachable");
  CHECK(says(unreachable, "127.0.0.1"));
  CHECK(says(
      unreachable,
      "target unreachable (host=127.0.0.1 port=1 dbname=x user=postgres) cannot be reached: "));
  CHECK(says(unreachable, "once that is mended: runbookctl start "));
  CHECK(says(start_in_vain(daemon, "wrong-password"), "password authentication failed"));
  CHECK(says(start_in_vain(daemon, "wrong-database"), "no_such_database"));
  CHECK(daemon.log().find("hunter2secret") == std::string::npos);
  CHECK(!says(daemon.get("/api/v1").body, "hunter2secret"));
}

TEST_CASE("a standby is refused before anything is tried on it") {
  PostgresCluster standby({.major = 15});
  standby.create_database("app");
  standby.stop();
  std::ofstream(standby.folder() + "/data/standby.signal").flush();
  standby.start();
  RunningDaemon daemon({.targets = {{"main", standby.dsn("app")}}});
  CHECK(says(start_in_vain(daemon, "main"), "standby"));
}

TEST_CASE(
    "a plan that asks more than the role may do is refused before the first step, with the grants "
    "it needs") {
  Database const database;
  database.sql("DROP ROLE IF EXISTS clerk");
  database.sql("CREATE ROLE clerk LOGIN");
  RunningDaemon daemon({.targets = {{"main", server().dsn(database.name(), "clerk")}}});
  auto const run = start_in_vain(daemon, "main");
  CHECK(says(run, "owner"));
  CHECK(database.sql("SELECT count(*) FROM pg_namespace WHERE nspname = 'runbookd'") == "0");
}

TEST_CASE("unknown things are 404, and a body that is no JSON is told so") {
  Scene scene;
  CHECK(scene.daemon.get("/api/v1/runs/run_000000000000").status == 404);
  CHECK(scene.daemon.get("/api/v1/plans/sha256:00000000000000000000").status == 404);
  CHECK(scene.daemon.get("/api/v1/nothing").status == 404);
  CHECK(scene.daemon.post("/api/v1/runs", {{"plan", "sha256:000000000000"}, {"target", "main"}})
            .status == 404);
  auto const id = scene.daemon.create(plan_text(column_steps(1)));
  CHECK(scene.daemon.post_text("/api/v1/runs/" + id + "/start", "{nonsense", "application/json")
            .status == 400);
  CHECK(scene.daemon.post("/api/v1/runs/" + id + "/start", {{"unknown_key", 1}}).status >= 400);
  CHECK(scene.daemon.run(id).at("state") == "pending");
}

TEST_CASE(
    "with a full store forward work is refused or rests, stopping works, and nothing is half "
    "written") {
  Database const database(1);
  std::map<std::string, std::string> targets{{"main", database.dsn()}, {"other", database.dsn()}};
  RunningDaemon daemon({.targets = targets, .store_settings = "  max_size: 1MiB\n"});
  auto const slow = plan_text({{.name = "slow",
                                .forward = "SELECT pg_sleep(120)",
                                .backward = "SELECT 1",
                                .more = "statement_timeout: 10m"}});
  auto const id = daemon.create(slow);
  auto const idle = daemon.create(plan_text(column_steps(1)), "other");
  daemon.verb(id, "start");
  daemon.until(
      id, [](json const& run) { return step_of(run, "only", "slow").at("state") == "running"; },
      "the step");
  auto const digest = daemon.upload(slow);
  Reply last;
  for (int i = 0; i < 2'000; ++i) {
    last = daemon.post("/api/v1/runs",
                       {{"plan", digest}, {"target", "main"}, {"note", std::string(900, 'x')}});
    if (last.status != 201) {
      break;
    }
  }
  REQUIRE(last.status == 503);
  CHECK(last.body.at("code") == "store-unavailable");
  // smaller and smaller notes, until not even a byte more fits
  for (int size = 400; size >= 0; size -= size > 10 ? 10 : 1) {
    while (daemon
               .post("/api/v1/runs", {{"plan", digest},
                                      {"target", "main"},
                                      {"note", std::string(static_cast<std::size_t>(size), 'x')}})
               .status == 201) {
    }
  }
  CHECK(daemon.post("/api/v1/runs/" + idle + "/start").status == 503);
  CHECK(daemon.run(idle).at("state") == "pending");
  CHECK(daemon.post("/api/v1/runs/" + id + "/pause", {{"mode", "now"}}).status < 300);
  database.until(
      "SELECT count(*) = 0 FROM pg_stat_activity WHERE query LIKE '%pg_sleep%' AND state = "
      "'active' AND pid <> "
      "pg_backend_pid()");
  CHECK(daemon.get("/readyz").status == 503);
  CHECK(daemon.get("/livez").status == 200);
  daemon.restart();
  CHECK(daemon.get("/api/v1/runs/" + id).status == 200);
}

TEST_CASE("a server that is restarted in the middle of a step: the step is settled, not guessed") {
  PostgresCluster cluster({.major = 15});
  Database const database(10, cluster);
  RunningDaemon daemon({.targets = {{"main", database.dsn()}}});
  auto const id =
      daemon.create(plan_text({{.name = "slow",
                                .forward = "SELECT pg_sleep(2);\nALTER TABLE t ADD COLUMN c1 int",
                                .backward = "ALTER TABLE t DROP COLUMN c1"}}));
  daemon.verb(id, "start");
  database.until(
      "SELECT count(*) > 0 FROM pg_stat_activity WHERE query LIKE '%pg_sleep%' AND state = "
      "'active' AND pid <> "
      "pg_backend_pid()");
  cluster.stop(PostgresCluster::Stop::immediate);
  cluster.start();
  daemon.until(id, {"succeeded"});
  CHECK(database.sql("SELECT count(*) FROM runbookd.marker") == "1");
}

TEST_CASE("a second daemon on the same store is refused and told which one holds it") {
  Scene scene;
  auto const second =
      run_program({runbookd_program(), "--config", scene.daemon.folder() + "/runbookd.yaml"});
  CHECK(second.exit_code == 1);
  CHECK(second.err.find(std::to_string(scene.daemon.pid())) != std::string::npos);
}

TEST_CASE("bad settings are all told at once, with their places") {
  Scene scene;
  auto const file = scene.daemon.folder() + "/bad.yaml";
  std::ofstream(file) << "listen: 0.0.0.0:8090\nstoer: {}\ntargets:\n  main: {}\n";
  auto const checked = run_program({runbookd_program(), "--check-config", "--config", file});
  CHECK(checked.exit_code == 9);
  for (auto const* place : {":1:", ":2:", ":4:"}) {
    CHECK(checked.err.find("bad.yaml" + std::string{place}) != std::string::npos);
  }
  auto const good = run_program(
      {runbookd_program(), "--check-config", "--config", scene.daemon.folder() + "/runbookd.yaml"});
  CHECK(good.exit_code == 0);
}

TEST_CASE("targets that no session could come from are told by --check-config, at their keys") {
  Scene scene;
  auto const file = scene.daemon.folder() + "/targets.yaml";
  auto const passfile = scene.daemon.folder() + "/pgpass";
  std::ofstream(passfile) << "*:*:*:*:hunter2secret\n";
  std::filesystem::permissions(passfile, std::filesystem::perms(0644));
  std::ofstream(file) << "store: {path: " << scene.daemon.folder() << "/other.db}\ntargets:\n"
                      << "  a: {dsn: hots=x password=hunter2secret}\n"
                      << "  b: {dsn_env: RUNBOOKD_TEST_NOT_SET}\n"
                      << "  c: {dsn: host=x, passfile: pgpass}\n"
                      << "  d: {dsn: \"postgresql://u:hunter2secret@a,b/d\"}\n"
                      << "  e: {dsn: host=x passfile=/nowhere/pgpass}\n"
                      << "  good: {dsn: \"postgresql://u:hunter2secret@h/d\"}\n";
  auto const checked = run_program({runbookd_program(), "--check-config", "--config", file});
  CHECK(checked.exit_code == 9);
  for (auto const* place : {":3:12:", ":4:16:", ":5:30:", ":6:12:", ":7:12:"}) {
    CAPTURE(checked.err);
    CHECK(checked.err.find("targets.yaml" + std::string{place} + " error: ") != std::string::npos);
  }
  CHECK(checked.err.find(":8:") == std::string::npos);
  CHECK(checked.err.find("hunter2secret") == std::string::npos);
}

}  // namespace runbookd::testing
