// Backfills with several workers, carried out by the real daemon.
#include <doctest/doctest.h>

#include "tests/e2e/scenario.h"

using namespace runbookd::testing;

namespace {

std::string plan_with(std::string const& where, int workers) {
  return plan_text({{.name = "fill",
                     .more = "backfill:\n  table: t\n  set: {a: t.a + 1}\n  where: '" + where +
                             "'\n  batch: {max_rows: 300, pause: 5ms, workers: " +
                             std::to_string(workers) + "}"}});
}

constexpr auto sessions_at_work =
    "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'runbookd/%' AND "
    "application_name NOT LIKE '%/eyes' AND state <> 'idle' AND datname = current_database()";

}  // namespace

TEST_CASE(
    "four workers are killed with their daemon again and again, and every row is touched once") {
  Scene scene(30'000);
  auto const id = scene.daemon.create(plan_with("true", 4));
  scene.daemon.verb(id, "start");
  for (int kills = 0; kills < 4; ++kills) {
    auto const so_far = scene.database.sql("SELECT count(*) FROM t WHERE a > 0");
    scene.database.until("SELECT count(*) > " + so_far + " FROM t WHERE a > 0");
    scene.daemon.restart();
    scene.daemon.until(id, {"paused"});
    scene.daemon.verb(id, "resume");
  }
  scene.daemon.until(id, {"succeeded"});
  CHECK(scene.database.sql("SELECT count(*) FROM t WHERE a = 1") == "30000");
}

TEST_CASE("a pause is quiet for all workers, and what is shown is what is there") {
  Scene scene(30'000);
  auto const id = scene.daemon.create(plan_with("t.a < 1", 4));
  scene.daemon.verb(id, "start");
  scene.database.until("SELECT count(*) > 600 FROM t WHERE a > 0");
  scene.daemon.verb(id, "pause");
  auto const paused = scene.daemon.until(id, {"paused"});
  CHECK(scene.database.sql(sessions_at_work) == "0");
  auto const changed = scene.database.sql("SELECT count(*) FROM t WHERE a = 1");
  auto const step = step_of(paused, "only", "fill");
  CHECK(std::to_string(step.at("backfill").at("rows_changed").get<int>()) == changed);
  scene.daemon.verb(id, "resume");
  scene.daemon.until(id, {"succeeded"});
  CHECK(scene.database.sql("SELECT count(*) FROM t WHERE a = 1") == "30000");
}

TEST_CASE("pause --now ends the wait of one worker and the batches of the others") {
  Scene scene(30'000);
  auto const id = scene.daemon.create(plan_with("t.a < 1", 3));
  Holder const holder(scene.database, "SELECT * FROM t WHERE id IN (100, 15000, 29000) FOR UPDATE");
  scene.daemon.verb(id, "start");
  scene.database.until("SELECT count(*) > 300 FROM t WHERE a > 0");
  scene.daemon.verb(id, "pause", {{"mode", "now"}});
  scene.daemon.until(id, {"paused"});
  CHECK(scene.database.sql(sessions_at_work) == "0");
}
