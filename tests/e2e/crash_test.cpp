// kill -9 of the daemon in the middle of things, and what it makes of it when it comes back.
#include <csignal>

#include <doctest/doctest.h>

#include "tests/e2e/scenario.h"

namespace runbookd::testing {
namespace {

std::string slow_column(std::string const& name) {
  return "SELECT pg_sleep(1);\nALTER TABLE t ADD COLUMN " + name + " int";
}

constexpr auto our_statement_runs =
    "SELECT count(*) > 0 FROM pg_stat_activity WHERE application_name LIKE 'runbookd/%' AND state "
    "= 'active' "
    "AND query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()";

// A run whose only step has been sent and works.
std::string start_slow_step(Scene& scene) {
  auto const id = scene.daemon.create(plan_text({{.name = "slow",
                                                  .forward = slow_column("c1"),
                                                  .backward = "ALTER TABLE t DROP COLUMN c1"}}));
  scene.daemon.verb(id, "start");
  scene.database.until(our_statement_runs);
  return id;
}

// From PostgreSQL 14 on the server ends a session within a second after its client; 13 goes on.
void end_what_was_left_behind(Database const& database) {
  database.sql(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE "
      "'runbookd/%'");
  database.until(
      "SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name LIKE 'runbookd/%'");
}

}  // namespace

TEST_CASE("an answer never tells of events that a crash can take back") {
  Scene scene;
  auto const id = scene.daemon.create(R"yaml(runbook: 1
name: small
phases:
  - name: first
    kind: expand
    steps:
      - {name: one, sql: SELECT 1, rollback: SELECT 1}
  - name: second
    kind: expand
    approval: {from: dba, count: 1}
    requires:
      - {name: yes, sql: SELECT 1, expect: {value: 1}}
    steps:
      - {name: two, sql: SELECT 2, rollback: SELECT 2}
)yaml");
  scene.daemon.verb(id, "start");
  scene.daemon.until(id, {"waiting"});
  scene.daemon.verb(id, "approve", {{"phase", "second"}}, "ben");
  auto const before = scene.daemon.run(id).at("revision").get<int>();
  // entering the phase is written first, the beginning of its checks after that
  scene.daemon.kill();
  REQUIRE(scene.daemon.try_start({"RUNBOOKD_CRASH=append_begun:2"}));
  int told = before;
  try {
    told = scene.daemon.post("/api/v1/runs/" + id + "/advance", {{"to_phase", "second"}})
               .body.at("revision");
  } catch (std::exception const&) {  // it died first
  }
  CHECK(scene.daemon.wait_for_end() == 128 + SIGKILL);
  scene.daemon.start();
  auto const events = scene.daemon.events(id);
  REQUIRE(events.size() > static_cast<std::size_t>(before));
  CHECK(events.at(static_cast<std::size_t>(before)).at("kind") == "phase.entered");
  bool const taken_back =
      told > before + 1 &&
      events.at(static_cast<std::size_t>(before + 1)).at("kind") == "daemon.restarted";
  CHECK_FALSE(taken_back);
}

TEST_CASE("killed in the middle of a step: it is settled by its marker and runs exactly once") {
  Scene scene;
  auto const id = scene.daemon.create(plan_text(
      {{.name = "slow", .forward = slow_column("c1"), .backward = "ALTER TABLE t DROP COLUMN c1"},
       {.name = "next",
        .forward = "ALTER TABLE t ADD COLUMN c2 int",
        .backward = "ALTER TABLE t DROP COLUMN c2"}}));
  scene.daemon.verb(id, "start");
  scene.database.until(our_statement_runs);
  scene.daemon.restart();
  auto const settled = scene.daemon.until(id, {"paused"});
  auto const state = step_of(settled, "only", "slow").at("state").get<std::string>();
  bool const there =
      scene.database.sql(
          "SELECT count(*) FROM information_schema.columns WHERE column_name = 'c1'") == "1";
  CHECK(state == (there ? "succeeded" : "interrupted"));
  scene.daemon.verb(id, "resume");
  auto const done = scene.daemon.until(id, {"succeeded"});
  CHECK(scene.database.sql("SELECT count(*) FROM runbookd.marker WHERE label = 'only/slow'") ==
        "1");
  CHECK(step_of(done, "only", "next").at("state") == "succeeded");
}

TEST_CASE("killed in the middle of a backfill: every row is touched exactly once") {
  Scene scene(20'000);
  auto const id = scene.daemon.create(
      plan_text({{.name = "fill",
                  .more = "backfill:\n  table: t\n  set: {a: t.a + 1}\n  where: 'true'\n"
                          "  batch: {max_rows: 300, pause: 2ms}"}}));
  scene.daemon.verb(id, "start");
  for (int kills = 0; kills < 3; ++kills) {
    auto const so_far = scene.database.sql("SELECT count(*) FROM t WHERE a > 0");
    scene.database.until("SELECT count(*) > " + so_far + " FROM t WHERE a > 0");
    scene.daemon.restart();
    scene.daemon.until(id, {"paused"});
    scene.daemon.verb(id, "resume");
  }
  scene.daemon.until(id, {"succeeded"});
  CHECK(scene.database.sql("SELECT count(*) FROM t WHERE a = 1") == "20000");
}

TEST_CASE("killed in the middle of a rollback: it goes on backwards and ends at the first schema") {
  Scene scene;
  auto const before = scene.database.fingerprint();
  auto const id = scene.daemon.create(
      plan_text({{.name = "first",
                  .forward = "ALTER TABLE t ADD COLUMN c1 int",
                  .backward = "SELECT pg_sleep(1);\nALTER TABLE t DROP COLUMN c1"},
                 {.name = "second",
                  .forward = "ALTER TABLE t ADD COLUMN c2 int",
                  .backward = "ALTER TABLE t DROP COLUMN c2"}}));
  scene.daemon.verb(id, "start");
  scene.daemon.until(id, {"succeeded"});
  scene.daemon.verb(id, "rollback", {{"to", "all"}});
  scene.database.until(our_statement_runs);
  scene.daemon.restart();
  auto const paused = scene.daemon.until(id, {"paused"});
  CHECK(paused.at("direction") == "backward");
  scene.daemon.verb(id, "resume");
  scene.daemon.until(id, {"rolled_back"});
  CHECK(scene.database.fingerprint() == before);
}

TEST_CASE("killed in the middle of a concurrent index build: no invalid index is left in the end") {
  Scene scene(50'000);
  auto const id =
      scene.daemon.create(plan_text({{.name = "index",
                                      .forward = "CREATE INDEX CONCURRENTLY t_a_idx ON t (a)",
                                      .backward = "DROP INDEX CONCURRENTLY t_a_idx"}}));
  // an old snapshot keeps the build waiting before its last phase
  auto holder = std::make_unique<Holder>(
      scene.database,
      "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; UPDATE t SET a = 1 WHERE id = 1");
  scene.daemon.verb(id, "start");
  scene.database.until(
      "SELECT count(*) > 0 FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX CONCURRENTLY%' "
      "AND wait_event_type = 'Lock'");
  scene.daemon.restart();
  holder.reset();
  scene.daemon.until(id, {"paused"});
  scene.daemon.verb(id, "resume");
  scene.daemon.until(id, {"succeeded"});
  CHECK(scene.database.sql("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == "0");
  CHECK(scene.database.sql("SELECT count(*) FROM pg_class WHERE relname LIKE 't_a_idx%'") == "1");
}

TEST_CASE("killed while an index is built anew: it is exchanged once and nothing is left over") {
  char const* const blockers[] = {
      // before the exchange, and after it
      "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM pg_class",
      "SELECT count(*) FROM t"};
  for (auto const* blocker : blockers) {
    CAPTURE(std::string(blocker));
    Scene scene;
    scene.database.sql("CREATE INDEX t_a_idx ON t (a)");
    auto const old = scene.database.sql("SELECT 't_a_idx'::regclass::oid");
    auto const id = scene.daemon.create(plan_text({{.name = "anew",
                                                    .forward = "REINDEX INDEX CONCURRENTLY t_a_idx",
                                                    .more = "irreversible: nobody misses it"}}));
    auto holder = std::make_unique<Holder>(scene.database, blocker);
    scene.daemon.verb(id, "start");
    scene.database.until(
        "SELECT count(*) > 0 FROM pg_stat_progress_create_index WHERE phase IN ('waiting for old "
        "snapshots', 'waiting for readers before marking dead')");
    scene.daemon.kill();
    end_what_was_left_behind(scene.database);
    auto const exchanged = scene.database.sql("SELECT 't_a_idx'::regclass::oid");
    scene.daemon.start();
    auto const settled = scene.daemon.until(id, {"paused"});
    CHECK(step_of(settled, "only", "anew").at("state") == "interrupted");
    CHECK(scene.database.sql("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == "1");
    holder.reset();
    scene.daemon.verb(id, "resume");
    scene.daemon.until(id, {"succeeded"});
    CHECK(scene.database.sql("SELECT count(*) FROM pg_class WHERE relname LIKE 't_a_idx%'") == "1");
    CHECK(scene.database.sql("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == "0");
    auto const now = scene.database.sql("SELECT 't_a_idx'::regclass::oid");
    CHECK(now != old);
    if (exchanged != old) {
      CHECK(now == exchanged);  // what had been done was not done a second time
    }
  }
}

TEST_CASE("killed while a partition is being detached: the retry finishes it") {
  Scene scene;
  if (scene.database.sql("SELECT current_setting('server_version_num')::int < 140000") == "t") {
    return;  // no such statement
  }
  scene.database.sql(
      "CREATE TABLE p (a int) PARTITION BY LIST (a); CREATE TABLE p1 PARTITION OF p FOR VALUES IN "
      "(1); INSERT INTO p VALUES (1)");
  auto const id = scene.daemon.create(
      plan_text({{.name = "detach",
                  .forward = "ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY",
                  .backward = "ALTER TABLE p ATTACH PARTITION p1 FOR VALUES IN (1)"}}));
  auto holder = std::make_unique<Holder>(scene.database, "SELECT count(*) FROM p");
  scene.daemon.verb(id, "start");
  scene.database.until("SELECT inhdetachpending FROM pg_inherits WHERE inhrelid = 'p1'::regclass");
  scene.daemon.kill();
  end_what_was_left_behind(scene.database);
  scene.daemon.start();
  auto const settled = scene.daemon.until(id, {"paused"});
  CHECK(step_of(settled, "only", "detach").at("state") == "interrupted");
  holder.reset();
  scene.daemon.verb(id, "resume");
  scene.daemon.until(id, {"succeeded"});
  CHECK(scene.database.sql("SELECT count(*) FROM pg_inherits WHERE inhrelid = 'p1'::regclass") ==
        "0");
  CHECK(scene.database.sql("SELECT count(*) FROM p1") == "1");
}

TEST_CASE(
    "a session that a killed daemon left behind is shown and waited for, and ended by pause "
    "--now") {
  Scene scene;
  auto const id = start_slow_step(scene);
  auto const name = scene.database.sql(
      "SELECT application_name FROM pg_stat_activity WHERE query LIKE '%pg_sleep%' AND "
      "application_name LIKE 'runbookd/%' AND pid <> pg_backend_pid()");
  CHECK(name.find("/" + id + "/0.0f1") != std::string::npos);
  scene.daemon.kill();
  end_what_was_left_behind(scene.database);
  // as if it went on for ever
  Holder const orphan(scene.database,
                      "SET application_name = '" + name + "'; SELECT 'a long work'");
  auto const pid = scene.database.sql(
      "SELECT pid FROM pg_stat_activity WHERE application_name = '" + name + "'");
  scene.daemon.start();
  scene.daemon.until(
      id,
      [&](json const& run) {
        auto const said = run.at("state_message").get<std::string>();
        return said.find("still works in the server, pid " + pid) != std::string::npos &&
               said.find("a long work") != std::string::npos;
      },
      "the old session in the run's message");
  CHECK(scene.daemon.run(id).at("state") == "running");
  scene.daemon.verb(id, "pause", {{"mode", "now"}});
  scene.daemon.until(id, {"paused"});
  CHECK(scene.database.sql("SELECT count(*) FROM pg_stat_activity WHERE pid = " + pid) == "0");
  bool const there =
      scene.database.sql(
          "SELECT count(*) FROM information_schema.columns WHERE column_name = 'c1'") == "1";
  CHECK(step_of(scene.daemon.run(id), "only", "slow").at("state") ==
        (there ? "succeeded" : "interrupted"));
}

TEST_CASE(
    "a backend that is ended in the middle of a step is settled by the marker, never guessed") {
  Scene scene;
  auto const id = start_slow_step(scene);
  scene.database.sql(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep%' "
      "AND application_name LIKE 'runbookd/%' AND pid <> pg_backend_pid()");
  scene.daemon.until(id, {"succeeded"});
  auto const events = scene.daemon.events(id);
  CHECK(count_kind(events, "step.outcome_lost") == 1);
  CHECK(count_kind(events, "step.doubt_settled") == 1);
  CHECK(scene.database.sql("SELECT count(*) FROM runbookd.marker") == "1");
}

TEST_CASE(
    "SIGTERM pauses at a safe point, ends in order, and the run is paused when the daemon is "
    "back") {
  Scene scene;
  auto const id = scene.daemon.create(plan_text(
      {{.name = "slow", .forward = slow_column("c1"), .backward = "ALTER TABLE t DROP COLUMN c1"},
       {.name = "next",
        .forward = "ALTER TABLE t ADD COLUMN c2 int",
        .backward = "ALTER TABLE t DROP COLUMN c2"}}));
  scene.daemon.verb(id, "start");
  scene.database.until(our_statement_runs);
  CHECK(scene.daemon.terminate() == 0);
  scene.daemon.start();
  auto const run = scene.daemon.run(id);
  CHECK(run.at("state") == "paused");
  CHECK(step_of(run, "only", "slow").at("state") == "succeeded");
  CHECK(step_of(run, "only", "next").at("state") == "pending");
}

TEST_CASE("a run whose plan says so goes on by itself after a crash") {
  Scene scene;
  auto const id = scene.daemon.create(plan_text(
      {{.name = "slow", .forward = slow_column("c1"), .backward = "ALTER TABLE t DROP COLUMN c1"}},
      "", "on_restart: resume\n"));
  scene.daemon.verb(id, "start");
  scene.database.until(our_statement_runs);
  scene.daemon.restart();
  scene.daemon.until(id, {"succeeded"});
}

TEST_CASE("a derived rollback that is killed in the middle is finished after the restart, once") {
  Scene scene;
  auto const before = scene.database.fingerprint();
  auto const id = scene.daemon.create(plan_text(
      {{.name = "column", .forward = "ALTER TABLE t ADD COLUMN c1 int", .backward = "auto"},
       {.name = "second", .forward = "ALTER TABLE t ADD COLUMN c2 int", .backward = "auto"}}));
  scene.daemon.verb(id, "start");
  scene.daemon.until(id, {"succeeded"});
  scene.daemon.kill();
  REQUIRE(scene.daemon.try_start({"RUNBOOKD_CRASH=attempt_ended:1"}));
  try {
    scene.daemon.verb(id, "rollback", {{"to", "all"}});
  } catch (std::exception const&) {  // it died first
  }
  CHECK(scene.daemon.wait_for_end() == 128 + SIGKILL);
  scene.daemon.start();
  scene.daemon.until(id, {"paused"});
  scene.daemon.verb(id, "resume");
  scene.daemon.until(id, {"rolled_back"});
  CHECK(scene.database.fingerprint() == before);
  CHECK(scene.database.sql("SELECT count(*) FROM runbookd.marker WHERE direction = 'b'") == "2");
}

}  // namespace runbookd::testing
