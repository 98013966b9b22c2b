// Rollbacks that the catalog told when their steps began: recorded, shown, and used after kill -9.
#include <csignal>
#include <fstream>

#include <doctest/doctest.h>

#include "tests/e2e/scenario.h"

namespace runbookd::testing {
namespace {

constexpr auto objects = R"sql(
  ALTER TABLE t ADD CONSTRAINT "Not Odd" CHECK (id > 0); COMMENT ON CONSTRAINT "Not Odd" ON t IS 'it''s';
  ALTER TABLE t ALTER a SET DEFAULT 5;
  CREATE INDEX by_a ON t (a DESC) INCLUDE (id) WHERE a > 3;
  CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = public AS 'SELECT 1';
  CREATE VIEW v WITH (security_barrier) AS SELECT id FROM t
)sql";

std::string plan() {
  return plan_text(
      {{.name = "constraint",
        .forward = "ALTER TABLE t DROP CONSTRAINT \"Not Odd\"",
        .backward = "auto"},
       {.name = "index", .forward = "DROP INDEX CONCURRENTLY by_a", .backward = "auto"},
       {.name = "replace",
        .forward = "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 2';\n"
                   "DROP VIEW v;\nALTER TABLE t ALTER a SET DEFAULT 6",
        .backward = "auto"},
       {.name = "again", .forward = "ALTER TABLE t ALTER a SET DEFAULT 7", .backward = "auto"}});
}

std::string back_of(RunningDaemon const& daemon, std::string const& id, std::string const& step) {
  auto const shown = daemon.get("/api/v1/runs/" + id + "/steps/only/" + step).body;
  return shown.at("backward").value("sql", shown.at("backward").at("kind").get<std::string>());
}

}  // namespace

TEST_CASE("the way back that the catalog told is recorded before the step, and outlives kill -9") {
  Scene scene;
  scene.database.sql(objects);
  auto const before = scene.database.fingerprint_body();
  auto const digest = scene.daemon.upload(plan());
  auto const id = scene.daemon.create(plan());
  CHECK(back_of(scene.daemon, id, "index") == "auto");
  scene.daemon.verb(id, "start");
  scene.daemon.until(id, {"succeeded"});
  auto const index = back_of(scene.daemon, id, "index");
  CHECK(index.find("CREATE INDEX CONCURRENTLY by_a ON public.t USING btree (a DESC) INCLUDE (id) "
                   "WHERE (a > 3)") != std::string::npos);
  CHECK(back_of(scene.daemon, id, "again").find("SET DEFAULT 6") != std::string::npos);
  scene.daemon.kill();
  scene.daemon.start();
  CHECK(back_of(scene.daemon, id, "index") == index);
  CHECK(scene.daemon.upload(plan()) == digest);
  auto const preview = scene.daemon.get("/api/v1/runs/" + id + "/rollback-preview?to=all").body;
  CHECK(preview.at("steps").at(3).at("sql").get<std::string>().find("ADD CONSTRAINT \"Not Odd\"") !=
        std::string::npos);
  scene.daemon.verb(id, "rollback", {{"to", "all"}});
  scene.daemon.until(id, {"rolled_back"});
  CHECK(scene.database.fingerprint_body() == before);
}

TEST_CASE("plan derive asks a target of the daemon for what no text tells, and changes nothing") {
  Scene scene;
  scene.database.sql(objects);
  auto const before = scene.database.fingerprint_body();
  auto const file = scene.daemon.folder() + "/plan.yaml";
  std::ofstream(file) << plan();
  auto const derive = [&](std::string const& target) {
    return run_program({runbookctl_program(), "plan", "derive", file, "--target", target, "--addr",
                        scene.daemon.socket()});
  };
  auto const told = derive("main");
  CHECK_MESSAGE(told.exit_code == 0, told.err);
  CHECK(told.out.find("  CREATE INDEX CONCURRENTLY by_a ON public.t") != std::string::npos);
  CHECK(told.out.find("SET DEFAULT 5") != std::string::npos);  // "again": as it is now
  CHECK(told.err.find("--target main") != std::string::npos);
  CHECK(derive("nowhere").exit_code == 3);
  CHECK(scene.database.fingerprint_body() == before);
}

TEST_CASE("a way back that was read and not recorded is read again") {
  Scene scene;
  scene.database.sql(objects);
  auto const before = scene.database.fingerprint_body();
  auto const id = scene.daemon.create(plan());
  scene.daemon.kill();
  REQUIRE(scene.daemon.try_start({"RUNBOOKD_CRASH=fingerprint_read:2"}));
  scene.daemon.verb(id, "start");
  CHECK(scene.daemon.wait_for_end() == 128 + SIGKILL);
  scene.daemon.start();
  scene.daemon.until(id, {"paused"});
  scene.daemon.verb(id, "resume");
  scene.daemon.until(id, {"succeeded"});
  std::vector<std::string> told;
  for (auto const& event : scene.daemon.events(id)) {
    if (event.at("kind") == "fingerprint.taken" && !event.at("way_back").is_null()) {
      told.push_back(event.at("way_back").at("step"));
    }
  }
  CHECK(told == std::vector<std::string>{"constraint", "index", "replace"});
  scene.daemon.verb(id, "rollback", {{"to", "all"}});
  scene.daemon.until(id, {"rolled_back"});
  CHECK(scene.database.fingerprint_body() == before);
}

TEST_CASE("a rolled back step that runs again gets its way back anew") {
  Scene scene;
  scene.database.sql("ALTER TABLE t ALTER a SET DEFAULT 5");
  auto const id = scene.daemon.create(plan_text(
      {{.name = "zero", .forward = "ALTER TABLE t ADD COLUMN c0 int", .backward = "auto"},
       {.name = "one", .forward = "ALTER TABLE t ALTER a SET DEFAULT 6", .backward = "auto"},
       {.name = "two", .forward = "ALTER TABLE t ADD COLUMN c1 int", .backward = "auto"}}));
  scene.daemon.verb(id, "start");
  scene.daemon.until(id, {"succeeded"});
  scene.daemon.verb(id, "rollback", {{"to", "only/one"}});
  scene.daemon.until(id, {"paused"});
  scene.database.sql("ALTER TABLE t ALTER a SET DEFAULT 8");
  scene.daemon.verb(id, "resume");
  scene.daemon.until(id, {"succeeded"});
  CHECK(back_of(scene.daemon, id, "one").find("SET DEFAULT 8") != std::string::npos);
}

TEST_CASE("a start is refused where the catalog cannot tell a way back, unless the plan makes it") {
  Scene scene;
  auto const hopeless = scene.daemon.create(plan_text(
      {{.name = "lost", .forward = "ALTER TABLE t DROP CONSTRAINT nowhere", .backward = "auto"}}));
  scene.daemon.verb(hopeless, "start");
  auto const run = scene.daemon.until(
      hopeless,
      [](json const& now) {
        return !now.value("state_message", "").empty() && now.at("state") == "pending";
      },
      "told why it is pending");
  auto const message = run.dump();
  for (std::string const part :
       {"only/lost", "DROP CONSTRAINT nowhere", "is not there", "rollback:"}) {
    CAPTURE(part);
    CHECK(message.find(part) != std::string::npos);
  }
  auto const fine = scene.daemon.create(plan_text(
      {{.name = "make",
        .forward =
            "ALTER TABLE t ADD CONSTRAINT nowhere CHECK (id > 0) NOT VALID, ADD COLUMN c1 int",
        .backward = "auto"},
       {.name = "lost", .forward = "ALTER TABLE t DROP CONSTRAINT nowhere", .backward = "auto"}}));
  scene.daemon.verb(fine, "start");
  scene.daemon.until(fine, {"succeeded"});
  CHECK(back_of(scene.daemon, fine, "lost").find("CHECK ((id > 0)) NOT VALID") !=
        std::string::npos);
}

}  // namespace runbookd::testing
