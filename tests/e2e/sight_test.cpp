// What stands in the way, as the API and runbookctl show it: the tree of locks, and the preflight.
#include <doctest/doctest.h>

#include "tests/e2e/scenario.h"

namespace runbookd::testing {
namespace {

Finished ctl(Scene const& scene, std::vector<std::string> words) {
  words.insert(words.begin(), runbookctl_program());
  words.insert(words.end(), {"--addr", scene.daemon.socket()});
  return run_program(words);
}

bool contains(std::string const& text, std::string const& part) {
  return text.find(part) != std::string::npos;
}

json item(json const& preflight, std::string const& name) {
  for (auto const& one : preflight.at("items")) {
    if (one.at("name") == name) {
      return one;
    }
  }
  throw std::runtime_error("no item " + name + " in " + preflight.dump());
}

}  // namespace

TEST_CASE(
    "whoever holds the table is named with the command that ends it, live and in the record") {
  Scene scene;
  Holder const holder(scene.database, "SELECT * FROM t");
  auto const id = scene.daemon.create(plan_text(column_steps(1)));
  scene.daemon.verb(id, "start");
  scene.daemon.until(
      id,
      [&](json const&) {
        auto const locks = scene.daemon.get("/api/v1/runs/" + id + "/locks");
        REQUIRE_MESSAGE(locks.status == 200, locks.body.dump());
        return !locks.body.at("blockers").empty();
      },
      "a blocker");
  auto const run = scene.daemon.until(
      id, [&](json const& seen) { return !seen.at("live").at("blockers").empty(); },
      "a blocker in the snapshot");
  auto const blocker = run.at("live").at("blockers").front();
  CHECK(blocker.at("root") == true);
  CHECK(blocker.at("kind") == "session");
  CHECK(blocker.at("relation") == "t");
  auto const shown = ctl(scene, {"locks", id});
  CHECK(shown.exit_code == 0);
  CHECK(contains(shown.out, "looks for its lock without queueing for it; at the root "));
  CHECK(contains(shown.out, "pid " + blocker.at("pid").dump()));
  CHECK(contains(shown.out, "ends it: " + blocker.at("end_with").get<std::string>()));
  scene.database.sql(blocker.at("end_with"));
  scene.daemon.until(id, {"succeeded"});
  auto const after = scene.daemon.get("/api/v1/runs/" + id + "/locks");
  CHECK(after.status == 200);
  CHECK(after.body.at("blockers").empty());
}

TEST_CASE(
    "a preflight turns to wait and back; a phase that begins meanwhile is told, not refused") {
  Scene scene;
  auto const id = scene.daemon.create(plan_text(column_steps(1)));
  auto const fair = ctl(scene, {"preflight", id});
  CHECK_MESSAGE(fair.exit_code == 0, (fair.out + fair.err));
  CHECK(contains(fair.out, "only"));
  scene.database.sql("SELECT pg_create_physical_replication_slot('" + scene.database.name() +
                     "', true)");
  auto const foul = ctl(scene, {"preflight", id, "--phase", "only"});
  CHECK(foul.exit_code == 6);
  CHECK(contains(foul.out, "pg_drop_replication_slot('" + scene.database.name() + "')"));
  auto const begun = ctl(scene, {"start", id, "--no-wait"});
  CHECK(begun.exit_code == 0);
  CHECK(contains(begun.err, scene.database.name()));
  auto const run = scene.daemon.until(id, {"succeeded"});
  scene.daemon.until(
      id, [](json const& seen) { return seen.at("preflight").is_object(); }, "a preflight");
  CHECK(item(scene.daemon.run(id).at("preflight"), "slots").at("verdict") == "wait");
  scene.database.sql("SELECT pg_drop_replication_slot('" + scene.database.name() + "')");
  auto const again = scene.daemon.get("/api/v1/runs/" + id + "/preflight");
  CHECK(item(again.body, "slots").at("verdict") == "go");
  CHECK(scene.daemon.get("/api/v1/runs/" + id + "/preflight?phase=nosuch").status == 404);
}

TEST_CASE("a target that is away is told as that") {
  DaemonOptions options;
  options.targets["away"] = "host=127.0.0.1 port=1 dbname=none";
  Scene scene(1, options);
  auto const id = scene.daemon.create(plan_text(column_steps(1)), "away");
  auto const locks = scene.daemon.get("/api/v1/runs/" + id + "/locks");
  CHECK(locks.status == 503);
  CHECK(locks.body.at("code") == "target-unreachable");
  CHECK(ctl(scene, {"preflight", id}).exit_code == 10);
}

TEST_CASE("a long index build tells its phase and whom it waits for") {
  Scene scene;
  auto const writer = std::make_unique<Holder>(scene.database, "INSERT INTO t VALUES (-1, 1)");
  auto const id = scene.daemon.create(plan_text({{.name = "index",
                                                  .forward = "CREATE INDEX CONCURRENTLY i ON t (a)",
                                                  .backward = "DROP INDEX CONCURRENTLY i"}}));
  scene.daemon.verb(id, "start");
  auto const run = scene.daemon.until(
      id,
      [](json const& seen) {
        auto const& live = seen.at("live");
        return live.contains("server") && live.at("server").at("locker_pid") != 0;
      },
      "the server's progress");
  auto const& server = run.at("live").at("server");
  CHECK(server.at("command") == "CREATE INDEX CONCURRENTLY");
  CHECK(server.at("phase") == "waiting for writers before build");
  CHECK(contains(ctl(scene, {"status", id}).out, "waiting for writers before build (2 of 8)"));
  scene.database.sql("SELECT pg_terminate_backend(" + server.at("locker_pid").dump() + ")");
  scene.daemon.until(id, {"succeeded"});
}

}  // namespace runbookd::testing
