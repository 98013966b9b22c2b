// Whole lives of runs: forward, back, pause, retry, skip, cancel.
#include <chrono>
#include <thread>

#include <doctest/doctest.h>

#include "tests/e2e/scenario.h"

namespace runbookd::testing {

TEST_CASE("a plan goes forward to its end and all the way back to the same schema") {
  Scene scene;
  auto const before = scene.database.fingerprint();
  auto const id = scene.daemon.create(plan_text(column_steps(3)));
  scene.daemon.verb(id, "start");
  auto const done = scene.daemon.until(id, {"succeeded"});
  CHECK(step_of(done, "only", "add-c3").at("state") == "succeeded");
  CHECK(scene.database.fingerprint() != before);
  CHECK(scene.database.sql("SELECT count(*) FROM runbookd.marker") == "3");

  scene.daemon.verb(id, "rollback", {{"to", "all"}});
  auto const back = scene.daemon.until(id, {"rolled_back"});
  CHECK(step_of(back, "only", "add-c1").at("state") == "reverted");
  CHECK(scene.database.fingerprint() == before);
}

TEST_CASE("derived rollbacks take a plan back to the schema and the rows of before") {
  Scene scene;
  auto const before = scene.database.fingerprint();
  auto const rows = "SELECT count(*) FROM t";
  auto const had = scene.database.sql(rows);
  auto const id = scene.daemon.create(plan_text({
      {.name = "column",
       .forward =
           "ALTER TABLE t ADD COLUMN c1 int; ALTER TABLE t ADD CONSTRAINT c1_there CHECK (c1 "
           "> 0) NOT VALID",
       .backward = "auto"},
      {.name = "index", .forward = "CREATE INDEX CONCURRENTLY t_c1 ON t (c1)", .backward = "auto"},
      {.name = "validate",
       .forward = "ALTER TABLE t VALIDATE CONSTRAINT c1_there",
       .backward = "auto"},
      {.name = "unindex", .forward = "DROP INDEX CONCURRENTLY t_c1", .backward = "auto"},
      {.name = "release", .forward = "ALTER TABLE t DROP CONSTRAINT c1_there", .backward = "auto"},
  }));
  scene.daemon.verb(id, "start");
  auto const done = scene.daemon.until(id, {"succeeded"});
  CHECK(scene.database.fingerprint() != before);
  auto const preview = scene.daemon.get("/api/v1/runs/" + id + "/rollback-preview?to=all").body;
  CHECK(preview.at("steps").at(1).at("sql").get<std::string>().find(
            "rollback: auto)\nCREATE INDEX CONCURRENTLY t_c1 ON t (c1)") != std::string::npos);
  scene.daemon.verb(id, "rollback", {{"to", "all"}});
  scene.daemon.until(id, {"rolled_back"});
  CHECK(scene.database.fingerprint() == before);
  CHECK(scene.database.sql(rows) == had);
}

TEST_CASE("rolling back the last step leaves the run paused before it, and it goes forward again") {
  Scene scene;
  auto const id = scene.daemon.create(plan_text(column_steps(3)));
  scene.daemon.verb(id, "start");
  scene.daemon.until(id, {"succeeded"});
  scene.daemon.verb(id, "rollback", {{"to", "last"}});
  auto const paused = scene.daemon.until(id, {"paused"});
  CHECK(paused.at("direction") == "forward");
  CHECK(step_of(paused, "only", "add-c2").at("state") == "succeeded");
  CHECK(step_of(paused, "only", "add-c3").at("state") == "reverted");
  scene.daemon.verb(id, "resume");
  scene.daemon.until(id, {"succeeded"});
  CHECK(scene.database.sql(
            "SELECT count(*) FROM information_schema.columns WHERE table_name = 't'") == "5");
}

// The target shows it to the first start; the second says that it is known.
json start_closed(Scene& scene, std::string const& id) {
  scene.daemon.verb(id, "start");
  return scene.daemon.until(
      id,
      [](json const& run) {
        return run.at("state") == "pending" && !run.at("target_findings").empty();
      },
      "the findings of the target");
}
void start_in_spite_of(Scene& scene, std::string const& id, std::string const& rule) {
  scene.daemon.verb(
      id, "start",
      {{"acknowledge", json::array({{{"rule", rule}, {"reason", "somebody else's work"}}})}});
}

TEST_CASE("an error that only the target shows closes the start until somebody acknowledges it") {
  Scene scene;
  auto const id = scene.daemon.create(plan_text({{.name = "add",
                                                  .forward = "ALTER TABLE later ADD COLUMN b int",
                                                  .backward = "ALTER TABLE later DROP COLUMN b"}}));
  auto const closed = start_closed(scene, id);
  auto const& finding = closed.at("target_findings").at(0);
  CHECK(finding.at("rule") == "sql/no-such-table");
  CHECK(finding.at("step") == "only/add");
  CHECK(closed.at("state_message").get<std::string>().find("makes the plan unsafe") !=
        std::string::npos);
  CHECK(closed.at("details").back().get<std::string>().find("--acknowledge") != std::string::npos);

  start_in_spite_of(scene, id, "sql/no-such-table");
  CHECK(scene.daemon.until(id, {"failed"}).at("target_findings").at(0) == finding);
}

TEST_CASE("a failing step stops the run, says why, and can be retried once its cause is gone") {
  Scene scene;
  scene.database.sql("CREATE TABLE in_the_way (id int)");
  auto const id = scene.daemon.create(
      plan_text({{.name = "make",
                  .forward = "DO $$BEGIN CREATE TABLE in_the_way (id int); END$$",
                  .backward = "DROP TABLE in_the_way"}}));
  scene.daemon.verb(id, "start");
  auto const failed = scene.daemon.until(id, {"failed"});
  CHECK(failed.at("state_message").get<std::string>().find("already exists") != std::string::npos);
  CHECK(failed.at("actions").at("retry").at("allowed") == true);
  scene.database.sql("DROP TABLE in_the_way");
  scene.daemon.verb(id, "retry");
  auto const done = scene.daemon.until(id, {"succeeded"});
  CHECK(step_of(done, "only", "make").at("attempts") == 2);
}

TEST_CASE("a step is skipped only where the plan allows it and with a reason") {
  Scene scene;
  auto const id = scene.daemon.create(
      plan_text({{.name = "broken",
                  .forward = "SELECT 1 / 0",
                  .backward = "SELECT 1",
                  .more = "skippable: true"},
                 {.name = "strict", .forward = "SELECT 1 / 0", .backward = "SELECT 1"}}));
  scene.daemon.verb(id, "start");
  scene.daemon.until(id, {"failed"});
  auto const path = "/api/v1/runs/" + id + "/skip";
  CHECK(scene.daemon.post(path, {{"step", "only/broken"}}).body.at("code") == "reason-required");
  scene.daemon.verb(id, "skip", {{"step", "only/broken"}, {"reason", "known to be harmless"}});
  auto const failed = scene.daemon.until(
      id,
      [](json const& run) {
        return run.at("state") == "failed" && run.at("current").at("step") == "strict";
      },
      "the second step's failure");
  CHECK(step_of(failed, "only", "broken").at("state") == "skipped");
  CHECK(scene.daemon.post(path, {{"step", "only/strict"}, {"reason", "no"}}).status == 409);
}

TEST_CASE("pause while waiting for a lock ends the wait at once and changes nothing") {
  Scene scene;
  Holder const holder(scene.database, "LOCK TABLE t IN ACCESS SHARE MODE");
  auto const id = scene.daemon.create(
      plan_text(column_steps(1), "", "defaults: {lock: {stall_budget: 60s}}\n"));
  scene.daemon.verb(id, "start");
  auto const waiting = scene.daemon.until(
      id,
      [](json const& run) {
        return run.contains("live") && !run["live"].value("blockers", json::array()).empty();
      },
      "the blocker's name");
  CHECK(waiting.at("live").at("blockers").at(0).at("application") == "holder");
  scene.daemon.verb(id, "pause", {{"reason", "p99 is up"}});
  auto const paused = scene.daemon.until(id, {"paused"});
  CHECK(step_of(paused, "only", "add-c1").at("state") == "interrupted");
  CHECK(scene.database.sql(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'runbookd/%' "
            "AND state <> 'idle'") == "0");
}

TEST_CASE("a pause lets a concurrent build that waits for an old transaction go to its end") {
  Scene scene;
  auto holder = std::make_unique<Holder>(
      scene.database, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT 1");
  auto const id =
      scene.daemon.create(plan_text({{.name = "build",
                                      .forward = "CREATE INDEX CONCURRENTLY t_slow ON t (id)",
                                      .backward = "DROP INDEX CONCURRENTLY t_slow"}}));
  scene.daemon.verb(id, "start");
  scene.daemon.until(
      id,
      [](json const& run) {
        return run.contains("live") && run["live"].value("activity", "") == "acquiring_lock";
      },
      "the wait for the old transaction");
  scene.daemon.verb(id, "pause");
  scene.daemon.until(id, {"pausing"});
  std::this_thread::sleep_for(std::chrono::seconds(1));  // a cancel would be sent within this
  holder.reset();
  scene.daemon.until(id, {"paused", "succeeded"});
  CHECK(step_of(scene.daemon.run(id), "only", "build").at("state") == "succeeded");
  CHECK(scene.database.sql(
            "SELECT indisvalid FROM pg_index WHERE indexrelid = 't_slow'::regclass") == "t");
}

TEST_CASE("a lock timeout is retried, and each try keeps the sessions that blocked it") {
  Scene scene;
  auto holder = std::make_unique<Holder>(scene.database, "LOCK TABLE t IN ACCESS SHARE MODE");
  auto const id = scene.daemon.create(plan_text(column_steps(1)));
  scene.daemon.verb(id, "start");
  scene.daemon.until(
      id, [](json const& run) { return step_of(run, "only", "add-c1").at("attempts") >= 3; },
      "three tries");
  holder.reset();
  scene.daemon.until(id, {"succeeded"});
  auto const step = scene.daemon.get("/api/v1/runs/" + id + "/steps/only/add-c1").body;
  auto const& first = step.at("attempts").at(0);
  CHECK(first.at("result") == "retry_scheduled");
  CHECK(first.at("failure").at("sqlstate") == "55P03");
  CHECK(first.at("blockers").at(0).at("application") == "holder");
  CHECK(first.at("lock_wait_ms") > 0);
}

TEST_CASE(
    "while a step waits, the live view names who holds the lock, and nobody waits behind us") {
  Scene scene;
  auto holder = std::make_unique<Holder>(scene.database, "LOCK TABLE t IN ACCESS SHARE MODE");
  scene.database.until(
      "SELECT bool_and(clock_timestamp() - xact_start > '1 s') FROM pg_stat_activity WHERE "
      "application_name = 'holder'");
  auto const id = scene.daemon.create(plan_text(column_steps(1)));
  scene.daemon.verb(id, "start");
  auto const waiting = scene.daemon.until(
      id,
      [](json const& run) {
        return run.contains("live") && run["live"].value("activity", "") == "probing_lock";
      },
      "a wait without a place in the queue");
  auto const& live = waiting.at("live");
  CHECK(live.at("waiting_ms") > 0);
  CHECK(live.at("blockers").at(0).at("application") == "holder");
  CHECK(live.at("blockers").at(0).at("relation") == "t");
  CHECK(waiting.at("state_message").get<std::string>().find("nobody waits behind us") !=
        std::string::npos);
  CHECK(scene.database.sql("SELECT count(*) FROM pg_locks WHERE NOT granted") == "0");
  scene.daemon.verb(id, "pause");
  scene.daemon.until(id, {"paused"});
  holder.reset();
  scene.daemon.verb(id, "resume");
  scene.daemon.until(id, {"succeeded"});
}

TEST_CASE("a lock that is never to be had fails the step when give_up_after has passed") {
  Scene scene;
  Holder const holder(scene.database, "LOCK TABLE t IN ACCESS SHARE MODE");
  auto const id = scene.daemon.create(plan_text(
      column_steps(1), "", "defaults: {lock: {stall_budget: 50ms, give_up_after: 500ms}}\n"));
  scene.daemon.verb(id, "start");
  auto const failed = scene.daemon.until(id, {"failed"});
  CHECK(step_of(failed, "only", "add-c1").at("state") == "failed");
}

TEST_CASE(
    "a backfill is paused between batches, resumed from its cursor, and touches each row once") {
  Scene scene(20'000);
  auto const plan =
      plan_text({{.name = "fill",
                  .more = "backfill:\n  table: t\n  set: {a: t.a + 1}\n  where: 'true'\n"
                          "  batch: {max_rows: 500, pause: 5ms}"}});
  auto const id = scene.daemon.create(plan);
  scene.daemon.verb(id, "start");
  scene.daemon.until(
      id,
      [](json const& run) {
        return run.contains("live") && run["live"].contains("backfill") &&
               run["live"]["backfill"].value("rows_scanned", 0) > 1'000;
      },
      "some batches");
  scene.daemon.verb(id, "pause");
  scene.daemon.until(id, {"paused"});
  CHECK(scene.database.sql("SELECT count(*) > 0 AND count(*) < 20000 FROM t WHERE a = 1") == "t");
  scene.daemon.verb(id, "resume");
  scene.daemon.until(id, {"succeeded"});
  CHECK(scene.database.sql("SELECT count(*) FROM t WHERE a = 1") == "20000");
}

TEST_CASE("a reversal that leaves another schema stops the rollback and shows the difference") {
  Scene scene;
  auto const id =
      scene.daemon.create(plan_text({{.name = "two-columns",
                                      .forward = "ALTER TABLE t ADD COLUMN b int, ADD COLUMN c int",
                                      .backward = "ALTER TABLE t DROP COLUMN b"}}));
  scene.daemon.verb(id, "start");
  scene.daemon.until(id, {"succeeded"});
  scene.daemon.verb(id, "rollback", {{"to", "all"}});
  auto const failed = scene.daemon.until(id, {"failed"});
  CHECK(failed.at("direction") == "backward");
  CHECK(failed.at("mismatch").at("diff").get<std::string>().find("public.t.c") !=
        std::string::npos);
  scene.database.sql("ALTER TABLE t DROP COLUMN c");
  scene.daemon.verb(id, "retry");
  scene.daemon.until(id, {"rolled_back"});
}

TEST_CASE("a difference that a person accepted once does not stop the steps before it again") {
  Scene scene;
  auto const id = scene.daemon.create(plan_text(column_steps(3)));
  scene.daemon.verb(id, "start");
  scene.daemon.until(id, {"succeeded"});
  scene.database.sql("CREATE TABLE of_a_colleague (a int)");
  scene.daemon.verb(id, "rollback", {{"to", "all"}});
  auto const failed = scene.daemon.until(id, {"failed"});
  CHECK(failed.at("mismatch").at("diff").get<std::string>().find("of_a_colleague") !=
        std::string::npos);
  scene.daemon.verb(id, "skip",
                    {{"step", "only/add-c3"}, {"reason", "that table is nobody's business here"}});
  scene.daemon.until(id, {"rolled_back"});
  CHECK(scene.database.sql("SELECT count(*) FROM information_schema.columns WHERE table_name = "
                           "'t' AND column_name LIKE 'c%'") == "0");
}

TEST_CASE("a rollback past a point of no return is refused and names it") {
  Scene scene;
  auto const id = scene.daemon.create(plan_text({{.name = "burn",
                                                  .forward = "ALTER TABLE t DROP COLUMN a",
                                                  .more = "irreversible: nobody needs it"}}));
  scene.daemon.verb(id, "start");
  scene.daemon.until(id, {"succeeded"});
  auto const reply = scene.daemon.post("/api/v1/runs/" + id + "/rollback", {{"to", "all"}});
  CHECK(reply.status == 409);
  CHECK(reply.body.at("code") == "irreversible");
  CHECK(reply.body.at("detail").get<std::string>().find("only/burn") != std::string::npos);
}

TEST_CASE("failed validation closes the gate and shows expected and actual; evaluate opens it") {
  Scene scene;
  auto const id =
      scene.daemon.create(plan_text(column_steps(1),
                                    "validate:\n  - {name: none-above, sql: SELECT count(*) FROM t "
                                    "WHERE a > 0, expect: {value: 0}}"));
  scene.database.sql("UPDATE t SET a = 1 WHERE id = 1");
  scene.daemon.verb(id, "start");
  auto const failed = scene.daemon.until(id, {"failed"});
  auto const& check = failed.at("phases").at(0).at("checks").at(0);
  CHECK(check.at("result") == "failed");
  CHECK(check.at("actual").get<std::string>().find("1") != std::string::npos);
  scene.database.sql("UPDATE t SET a = 0");
  scene.daemon.verb(id, "evaluate");
  scene.daemon.until(id, {"succeeded"});
}

TEST_CASE("an expected-error probe leaves nothing behind") {
  Scene scene;
  auto const id =
      scene.daemon.create(plan_text(column_steps(1),
                                    "validate:\n  - {name: no-duplicates, sql: 'INSERT INTO t "
                                    "VALUES (1, 1)', expect: {error: unique_violation}}"));
  scene.daemon.verb(id, "start");
  scene.daemon.until(id, {"succeeded"});
  CHECK(scene.database.sql("SELECT count(*) FROM t") == "100");
}

TEST_CASE("a watch that fails during the soak stops the run") {
  Scene scene;
  auto const id =
      scene.daemon.create(plan_text(column_steps(1),
                                    "soak: 60s\nwatch:\n  - {name: quiet, every: 100ms, sql: "
                                    "SELECT count(*) FROM t WHERE a > 0, expect: {value: 0}}"));
  scene.daemon.verb(id, "start");
  scene.daemon.until(id, [](json const& run) { return run.at("stage") == "soak"; }, "the soak");
  scene.database.sql("UPDATE t SET a = 1");
  scene.daemon.until(id, {"failed"});
}

TEST_CASE("a cancel after progress asks for the plan's name and leaves the database as it is") {
  Scene scene;
  auto const id = scene.daemon.create(plan_text(column_steps(1), "soak: 60s"));
  scene.daemon.verb(id, "start");
  scene.daemon.until(id, [](json const& run) { return run.at("stage") == "soak"; }, "the soak");
  CHECK(scene.daemon.post("/api/v1/runs/" + id + "/cancel").body.at("code") == "confirm-mismatch");
  scene.daemon.verb(id, "cancel", {{"confirm", "small"}});
  scene.daemon.until(id, {"cancelled"});
  CHECK(scene.database.sql(
            "SELECT count(*) FROM information_schema.columns WHERE column_name = 'c1'") == "1");
}

TEST_CASE("an invalid index left by a failed concurrent build is dropped before the retry") {
  Scene scene;
  scene.database.sql("INSERT INTO t VALUES (1001, 7), (1002, 7)");
  auto const id = scene.daemon.create(
      plan_text({{.name = "index",
                  .forward = "CREATE UNIQUE INDEX CONCURRENTLY t_a_idx ON t (a) WHERE a > 0",
                  .backward = "DROP INDEX CONCURRENTLY t_a_idx"}}));
  scene.daemon.verb(id, "start");
  scene.daemon.until(id, {"failed"});
  CHECK(scene.database.sql(
            "SELECT indisvalid FROM pg_index WHERE indexrelid = 't_a_idx'::regclass") == "f");
  scene.database.sql("DELETE FROM t WHERE id = 1002");
  scene.daemon.verb(id, "retry");
  scene.daemon.until(id, {"succeeded"});
  CHECK(scene.database.sql(
            "SELECT indisvalid FROM pg_index WHERE indexrelid = 't_a_idx'::regclass") == "t");
}

TEST_CASE("a manual step waits for a person, forward and back, and an approval for another one") {
  Scene scene;
  auto const text = file_text(source_folder() + "/config/plans/manual-and-approval.yaml");
  CHECK(!text.empty());
  auto const id = scene.daemon.create(plan_text(
      {{.name = "deploy", .more = "manual: Deploy it.\nrollback_manual: Deploy the old one."}},
      "approval: {from: dba, count: 1}"));
  scene.daemon.verb(id, "start");
  scene.daemon.until(id, {"waiting"});
  auto const run = "/api/v1/runs/" + id;
  CHECK(scene.daemon.post(run + "/advance", {{"to_phase", "only"}}).body.at("code") ==
        "gate-closed");
  CHECK(scene.daemon.post(run + "/approve", {{"phase", "only"}}, "ana").status == 403);
  scene.daemon.verb(id, "approve", {{"phase", "only"}}, "ben");
  scene.daemon.verb(id, "advance", {{"to_phase", "only"}});
  scene.daemon.until(
      id,
      [](json const& snapshot) {
        return snapshot.at("state") == "waiting" && snapshot.at("current").is_object();
      },
      "the manual step");
  scene.daemon.verb(id, "confirm", {{"step", "only/deploy"}, {"reason", "v2 is out"}});
  scene.daemon.until(id, {"succeeded"});
  scene.daemon.verb(id, "rollback", {{"to", "all"}});
  scene.daemon.until(id, {"waiting"});
  scene.daemon.verb(id, "confirm", {{"step", "only/deploy"}, {"reason", "v1 is back"}});
  scene.daemon.until(id, {"rolled_back"});
}

TEST_CASE("one target has one active run") {
  Scene scene;
  auto const first = scene.daemon.create(plan_text(column_steps(1), "soak: 60s"));
  auto const second = scene.daemon.create(plan_text(column_steps(2)));
  scene.daemon.verb(first, "start");
  auto const reply = scene.daemon.post("/api/v1/runs/" + second + "/start");
  CHECK(reply.status == 409);
  CHECK(reply.body.at("code") == "target-busy");
  CHECK(reply.body.at("detail").get<std::string>().find(first) != std::string::npos);
}

TEST_CASE("taking back an index build that failed leaves somebody else's index alone") {
  Scene scene;
  scene.database.sql("CREATE INDEX theirs ON t (a)");
  auto const before = scene.database.fingerprint();
  auto const id =
      scene.daemon.create(plan_text({{.name = "index",
                                      .forward = "CREATE INDEX CONCURRENTLY theirs ON t (a)",
                                      .backward = "DROP INDEX CONCURRENTLY theirs"}},
                                    "", "on_failure: rollback\n"));
  start_closed(scene, id);
  start_in_spite_of(scene, id, "sql/already-there");
  auto const over = scene.daemon.until(id, {"failed", "rolled_back"});
  CHECK(scene.database.fingerprint() == before);
  CHECK(step_of(over, "only", "index").at("state") != "reverted");
}

TEST_CASE("an invalid index that this step did not make is named and left alone") {
  Scene scene;
  scene.database.sql("CREATE INDEX theirs ON t (a)");
  scene.database.sql(
      "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'theirs'::regclass");
  auto const id =
      scene.daemon.create(plan_text({{.name = "index",
                                      .forward = "CREATE INDEX CONCURRENTLY theirs ON t (a)",
                                      .backward = "DROP INDEX CONCURRENTLY theirs"}}));
  start_closed(scene, id);
  start_in_spite_of(scene, id, "sql/already-there");
  auto const failed = scene.daemon.until(id, {"failed"});
  CHECK(failed.at("state_message").get<std::string>().find("did not make it") != std::string::npos);
  CHECK(scene.database.sql("SELECT count(*) FROM pg_class WHERE relname = 'theirs'") == "1");
}

TEST_CASE("what a step sets for its session reaches neither the next step nor a check") {
  Scene scene;
  auto const id = scene.daemon.create(
      plan_text({{.name = "set",
                  .forward = "SET search_path = pg_catalog; SET work_mem = '77MB'",
                  .backward = "SELECT 1"},
                 {.name = "see",
                  .forward = "CREATE TABLE seen AS SELECT current_setting('work_mem') AS w",
                  .backward = "DROP TABLE seen"}},
                "validate:\n  - {name: path, sql: SELECT current_setting('search_path') LIKE "
                "'%public%', expect: {value: true}}"));
  scene.daemon.verb(id, "start");
  scene.daemon.until(id, {"succeeded"});
  CHECK(scene.database.sql("SELECT w FROM public.seen") != "77MB");
}

TEST_CASE("a statement that ends its own session every time is not sent for ever") {
  Scene scene;
  auto const id =
      scene.daemon.create(plan_text({{.name = "deadly",
                                      .forward = "SELECT pg_terminate_backend(pg_backend_pid())",
                                      .backward = "SELECT 1"}}));
  scene.daemon.verb(id, "start");
  auto const failed = scene.daemon.until(id, {"failed"});
  CHECK(step_of(failed, "only", "deadly").at("attempts") == 3);
  CHECK(failed.at("state_message").get<std::string>().find("lost") != std::string::npos);
}

TEST_CASE("a baseline without a value is told at the start") {
  Scene scene;
  auto const id =
      scene.daemon.create(plan_text(column_steps(1), "", "baselines: {none: SELECT NULL}\n"));
  scene.daemon.verb(id, "start");
  auto const run = scene.daemon.until(id, {"pending"});
  CHECK(run.at("state_message").get<std::string>().find("none") != std::string::npos);
}

}  // namespace runbookd::testing
