// Two real daemons with copies of one store on one target.
#include <csignal>
#include <filesystem>
#include <memory>

#include <doctest/doctest.h>
#include <sys/wait.h>

#include "tests/e2e/scenario.h"

namespace runbookd::testing {
namespace {

namespace fs = std::filesystem;

constexpr auto claim_was_tried =
    "SELECT (SELECT number FROM runbookd.fence) > 1 OR EXISTS (SELECT FROM pg_stat_activity WHERE "
    "query LIKE '%INSERT INTO runbookd.fence%' AND wait_event_type = 'Lock')";

// What is beside the store goes with it where a folder was copied or a machine cloned. Without the
// mark it is the file alone that somebody has taken along. Neither is noticed by the store itself.
enum class Copied { with_its_mark, alone };

// A daemon whose store is a copy of that of a stopped one.
struct Rivals {
  explicit Rivals(int rows)
      : scene(rows), second({.targets = {{"main", scene.database.dsn()}}, .start = false}) {}
  void stop_first() const {
    ::kill(scene.daemon.pid(), SIGSTOP);
    int status = 0;
    waitpid(scene.daemon.pid(), &status, WUNTRACED);
  }
  void wake_first() const { ::kill(scene.daemon.pid(), SIGCONT); }
  void start_second(Copied copied) {
    copy_store(copied);
    second.start();
  }
  void copy_store(Copied copied) const {
    for (std::string const end : {"", "-wal", ".mark"}) {
      bool const wanted = end != ".mark" || copied == Copied::with_its_mark;
      if (wanted && fs::exists(scene.daemon.store_path() + end)) {
        fs::copy_file(scene.daemon.store_path() + end, second.store_path() + end);
      }
    }
  }
  // It is told who holds the target, and takes it over because it is told to.
  void let_second_go_on(std::string const& id) {
    auto const told = second.until(id, {"paused"});
    CHECK(told.at("target_held_by").at("pid") == scene.daemon.pid());
    CHECK(second.post("/api/v1/runs/" + id + "/resume").status == 409);
    second.verb(id, "resume", {{"take_over", true}, {"reason", "the other one hangs"}});
  }
  Scene scene;
  RunningDaemon second;
};

bool is_fenced_by(json const& run, RunningDaemon const& holder) {
  auto const message = run.at("state_message").get<std::string>();
  return message.find("fenced") != std::string::npos &&
         message.find("pid " + std::to_string(holder.pid())) != std::string::npos;
}

}  // namespace

TEST_CASE("a daemon stopped in the middle of a step and overtaken writes nothing when it wakes") {
  Rivals rivals(100);
  auto& first = rivals.scene.daemon;
  auto& database = rivals.scene.database;
  auto const id = first.create(
      plan_text({{.name = "count",
                  .forward = "UPDATE t SET a = a + 1 WHERE id <= 100;\nSELECT pg_sleep(0.5)",
                  .backward = "UPDATE t SET a = a - 1 WHERE id <= 100"},
                 {.name = "next",
                  .forward = "ALTER TABLE t ADD COLUMN c2 int",
                  .backward = "ALTER TABLE t DROP COLUMN c2"}}));
  first.verb(id, "start");
  database.until(
      "SELECT count(*) > 0 FROM pg_stat_activity WHERE query LIKE '%pg_sleep%' AND "
      "application_name LIKE 'runbookd/%' AND state = 'active'");
  rivals.stop_first();
  rivals.start_second(Copied::with_its_mark);
  rivals.let_second_go_on(id);
  rivals.second.until(id, {"succeeded"});
  rivals.wake_first();
  auto const stale = first.until(id, {"paused", "failed", "succeeded", "attention"});
  CHECK(stale.at("state") == "paused");
  CHECK(is_fenced_by(stale, rivals.second));
  CHECK(database.sql("SELECT count(*) FROM t WHERE a = 1") == "100");
  CHECK(database.sql("SELECT count(*) FROM runbookd.marker") == "2");
}

TEST_CASE("twenty races of a stopped and woken daemon with its copy: every row touched once") {
  for (int round = 0; round < 20; ++round) {
    CAPTURE(round);
    Rivals rivals(4'000);
    auto& first = rivals.scene.daemon;
    auto& database = rivals.scene.database;
    auto const id = first.create(
        plan_text({{.name = "fill",
                    .more = "backfill:\n  table: t\n  set: {a: t.a + 1}\n  where: 'true'\n"
                            "  batch: {max_rows: 40, pause: 5ms}"}}));
    first.verb(id, "start");
    database.until("SELECT count(*) > " + std::to_string(round * 60) + " FROM t WHERE a > 0");
    rivals.stop_first();
    rivals.start_second(round % 2 == 0 ? Copied::with_its_mark : Copied::alone);
    rivals.let_second_go_on(id);
    database.until(claim_was_tried);
    rivals.wake_first();
    auto const stale = first.until(id, {"paused", "failed", "succeeded", "attention"});
    CHECK(stale.at("state") == "paused");
    CHECK(is_fenced_by(stale, rivals.second));
    rivals.second.until(id, {"succeeded"});
    CHECK(database.sql("SELECT count(*) FROM t WHERE a = 1") == "4000");
  }
}

// Statements that cannot look at the fence themselves. A trigger counts each as it begins, in its
// own transaction, so that one that is sent twice shows even where the second fails later.
TEST_CASE(
    "ten races of a stopped and woken daemon with its copy: every statement outside a "
    "transaction is sent once") {
  constexpr int indexes = 6;
  std::vector<StepText> steps;
  for (int i = 1; i <= indexes; ++i) {
    auto const name = "t_a" + std::to_string(i);
    steps.push_back({.name = "build-" + name,
                     .forward = "CREATE INDEX CONCURRENTLY " + name + " ON t (a)",
                     .backward = "DROP INDEX CONCURRENTLY " + name});
  }
  steps.push_back({.name = "end", .forward = "SELECT 1", .backward = "SELECT 1"});
  for (int round = 0; round < 10; ++round) {
    CAPTURE(round);
    Rivals rivals(1'000);
    auto& first = rivals.scene.daemon;
    auto& database = rivals.scene.database;
    database.sql(
        "CREATE TABLE sent (what text); CREATE FUNCTION note() RETURNS event_trigger LANGUAGE "
        "plpgsql AS 'BEGIN INSERT INTO public.sent VALUES (current_query()); END'; CREATE EVENT "
        "TRIGGER note ON ddl_command_start WHEN TAG IN ('CREATE INDEX') EXECUTE FUNCTION note()");
    auto const id = first.create(plan_text(steps));
    first.verb(id, "start");
    database.until("SELECT count(*) > " + std::to_string(round % (indexes - 2)) + " FROM sent");
    rivals.stop_first();
    rivals.start_second(round % 2 == 0 ? Copied::with_its_mark : Copied::alone);
    rivals.let_second_go_on(id);
    database.until(claim_was_tried);
    rivals.wake_first();
    rivals.second.until(id, {"succeeded"});
    auto const stale = first.until(id, {"paused", "failed", "succeeded", "attention"});
    CHECK(stale.at("state") == "paused");
    CHECK(is_fenced_by(stale, rivals.second));
    CHECK(database.sql("SELECT count(*) || ' of ' || count(DISTINCT what) FROM sent") == "6 of 6");
    CHECK(database.sql("SELECT count(*) FILTER (WHERE indisvalid) || ' of ' || count(*) FROM "
                       "pg_index WHERE indrelid = 't'::regclass") == "7 of 7");
  }
}

TEST_CASE(
    "a session that a stopped daemon holds is shown to its copy, and ended when that is asked "
    "for: only one of the two goes on") {
  Rivals rivals(100);
  auto& first = rivals.scene.daemon;
  auto& database = rivals.scene.database;
  auto const id =
      first.create(plan_text({{.name = "build",
                               .forward = "CREATE INDEX CONCURRENTLY t_a ON t (a)",
                               .backward = "DROP INDEX CONCURRENTLY t_a"},
                              {.name = "end", .forward = "SELECT 1", .backward = "SELECT 1"}}));
  auto holder = std::make_unique<Holder>(database, "UPDATE t SET a = 1 WHERE id = 1");
  first.verb(id, "start");
  database.until(
      "SELECT count(*) > 0 FROM pg_stat_progress_create_index WHERE command = 'CREATE INDEX "
      "CONCURRENTLY'");
  rivals.stop_first();
  holder.reset();
  database.until(
      "SELECT count(*) = 1 FROM pg_index WHERE indexrelid = to_regclass('t_a') AND indisvalid");
  rivals.start_second(Copied::with_its_mark);
  rivals.let_second_go_on(id);
  auto const waiting = rivals.second.until(
      id,
      [](json const& run) {
        return run.at("state_message").get<std::string>().find("still works in the server, pid ") !=
               std::string::npos;
      },
      "the older session to be shown");
  CHECK(waiting.at("state") == "running");
  rivals.second.verb(id, "pause", {{"mode", "now"}});
  rivals.second.until(id, {"paused"});
  rivals.second.verb(id, "resume");
  rivals.second.until(id, {"succeeded"});
  rivals.wake_first();
  auto const stale = first.until(id, {"paused", "failed", "succeeded", "attention"});
  CHECK(stale.at("state") == "paused");
  CHECK(is_fenced_by(stale, rivals.second));
  CHECK(database.sql("SELECT count(*) FROM pg_index WHERE indrelid = 't'::regclass") == "2");
}

TEST_CASE("a copied store is told at its start who holds the target, in status and by every verb") {
  Rivals rivals(100);
  auto& first = rivals.scene.daemon;
  auto& second = rivals.second;
  auto const id = first.create(plan_text(column_steps(2), "", "") +
                               "  - name: later\n    kind: expand\n    steps:\n      - {name: x, "
                               "sql: SELECT 1, rollback: SELECT 1}\n");
  first.verb(id, "start");
  first.until(id, {"waiting"});
  rivals.stop_first();
  rivals.copy_store(Copied::with_its_mark);
  rivals.wake_first();
  second.start();
  auto const told = second.until(id, {"paused"});
  auto const& holder = told.at("target_held_by");
  CHECK(holder.at("pid") == first.pid());
  CHECK(holder.at("since").get<std::string>().starts_with("20"));
  auto const message = told.at("state_message").get<std::string>();
  CHECK(message.find("pid " + std::to_string(first.pid())) != std::string::npos);
  CHECK(message.find("resume " + id + " --take-over --reason TEXT") != std::string::npos);
  CHECK(second.post("/api/v1/runs/" + id + "/rollback", {{"to", "all"}}).status == 409);
  CHECK(second.post("/api/v1/runs/" + id + "/resume", {{"take_over", true}}).status == 422);
  CHECK(first.run(id).at("state") == "waiting");

  first.verb(id, "rollback", {{"to", "all"}});
  first.until(id, {"rolled_back"});
  auto const taken = run_program({runbookctl_program(), "--addr", second.socket(), "resume", id,
                                  "--take-over", "--reason", "a test", "--no-wait"});
  CAPTURE(taken.err);
  CHECK(taken.exit_code == 0);
  CHECK(count_kind(second.events(id), "target.taken_over") == 1);
  second.until(id, {"waiting"});
  second.verb(id, "advance", {{"to_phase", "later"}});
  auto const stale = second.until(id, {"paused", "failed", "succeeded"});
  CHECK(stale.at("state") == "paused");
  CHECK(stale.at("state_message").get<std::string>().find("was taken back at") !=
        std::string::npos);
  CHECK(rivals.scene.database.sql("SELECT count(*) FROM runbookd.marker") == "4");
  CHECK(rivals.scene.database.sql("SELECT number FROM runbookd.fence") == "1");
}

TEST_CASE("a copy whose other daemon is gone goes on without being told to") {
  Rivals rivals(100);
  auto const id = rivals.scene.daemon.create(plan_text(column_steps(2), "", "") +
                                             "  - name: later\n    kind: expand\n    steps:\n      "
                                             "- {name: x, sql: SELECT 1, rollback: SELECT 1}\n");
  rivals.scene.daemon.verb(id, "start");
  rivals.scene.daemon.until(id, {"waiting"});
  rivals.stop_first();
  rivals.copy_store(Copied::with_its_mark);
  rivals.scene.daemon.kill();
  rivals.second.start();
  rivals.second.verb(id, "advance", {{"to_phase", "later"}});
  rivals.second.until(id, {"succeeded"});
  CHECK(rivals.scene.database.sql("SELECT number FROM runbookd.fence") == "2");
}

TEST_CASE("a store that is new to a target is told of another store's open run, and which") {
  Scene scene;
  auto const plan =
      plan_text(column_steps(1), "", "") +
      "  - name: later\n    kind: expand\n    steps:\n      - {name: x, sql: SELECT 1, rollback: "
      "SELECT 1}\n";
  auto const open = scene.daemon.create(plan);
  scene.daemon.verb(open, "start");
  scene.daemon.until(open, {"waiting"});
  RunningDaemon stranger({.targets = {{"main", scene.database.dsn()}}});
  auto const id = stranger.create(plan_text(column_steps(1)));
  stranger.verb(id, "start");
  auto const refused = stranger.until(id, {"pending", "failed", "succeeded", "waiting"});
  CHECK(refused.at("state") == "pending");
  CHECK(refused.at("state_message").get<std::string>().find(open) != std::string::npos);
  scene.daemon.verb(open, "advance", {{"to_phase", "later"}});
  scene.daemon.until(open, {"succeeded"});
  scene.database.until("SELECT count(*) = 0 FROM runbookd.run WHERE ended_at IS NULL");
  CHECK(scene.database.sql("SELECT count(*) FROM runbookd.run") == "1");
}

}  // namespace runbookd::testing
