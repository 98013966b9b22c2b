// What people read, from the running daemon by the real runbookctl: it has to be what happened.
#include <algorithm>

#include <doctest/doctest.h>

#include "tests/e2e/scenario.h"

namespace runbookd::testing {
namespace {

constexpr auto batches =
    "backfill:\n  table: t\n  set: {a: t.a + 1}\n  where: 'true'\n"
    "  batch: {max_rows: 300, pause: 5ms}";

bool contains(std::string const& text, std::string const& part) {
  return text.find(part) != std::string::npos;
}

// Sentences are broken at the width of the window.
std::string unwrapped(std::string text) {
  std::ranges::replace(text, '\n', ' ');
  return text;
}

std::string ctl(Scene const& scene, std::vector<std::string> words) {
  words.insert(words.begin(), runbookctl_program());
  words.insert(words.end(), {"--addr", scene.daemon.socket()});
  auto const end = run_program(words);
  CHECK_MESSAGE(end.exit_code == 0, end.err);
  return end.out;
}

std::string start_filling(Scene& scene) {
  auto const id = scene.daemon.create(plan_text({{.name = "fill", .more = batches}}));
  scene.daemon.verb(id, "start");
  scene.database.until("SELECT count(*) > 900 FROM t WHERE a = 1");
  return id;
}

// What the snapshot says is changed is what the table holds.
void check_progress(Scene const& scene, std::string const& id, json const& run) {
  auto const step = step_of(run, "only", "fill");
  REQUIRE(step.contains("backfill"));
  auto const changed = scene.database.sql("SELECT count(*) FROM t WHERE a = 1");
  CHECK(std::to_string(step.at("backfill").at("rows_changed").get<int>()) == changed);
  CHECK(step.at("rows") == step.at("backfill").at("rows_changed"));
  CHECK(contains(run.at("state_message"), changed + " rows changed, which stay"));
  auto const status = ctl(scene, {"status", id});
  CHECK(contains(status, " changed\n"));
  CHECK(contains(unwrapped(status), "and it goes on from there"));
}

}  // namespace

TEST_CASE("a run that its plan rolled back says why, also when it is over") {
  Scene scene;
  auto steps = column_steps(1);
  steps.push_back({.name = "bad", .forward = "SELECT 1 / 0", .backward = "SELECT 1"});
  auto const id = scene.daemon.create(plan_text(steps, "", "on_failure: rollback\n"));
  scene.daemon.verb(id, "start");
  auto const run = scene.daemon.until(id, {"rolled_back"});
  auto const why = "step only/bad failed: ERROR 22012: division by zero";
  CHECK(run.at("state_message") ==
        std::string("everything that was done is taken back; the rollback was begun after ") + why);
  CHECK(run.at("failed_because") == why);
  CHECK(contains(unwrapped(ctl(scene, {"status", id})), why));
}

TEST_CASE("a backfill that is paused shows how far it is, and all its rows when it is done") {
  Scene scene(20'000);
  auto const id = start_filling(scene);
  scene.daemon.verb(id, "pause");
  check_progress(scene, id, scene.daemon.until(id, {"paused"}));
  scene.daemon.verb(id, "resume");
  auto const done = step_of(scene.daemon.until(id, {"succeeded"}), "only", "fill");
  CHECK(done.at("rows") == 20'000);
  CHECK(done.at("backfill").at("total_exact") == true);
}

TEST_CASE("a backfill that was cut off by kill -9 is not said to have had no effect") {
  Scene scene(20'000);
  auto const id = start_filling(scene);
  scene.daemon.restart();
  check_progress(scene, id, scene.daemon.until(id, {"paused"}));
  auto const events = ctl(scene, {"events", id});
  CHECK(contains(events, "step only/fill was cut off: "));
  CHECK_FALSE(contains(events, "had not taken effect"));
  CHECK_FALSE(contains(events, "in the same transaction"));
}

TEST_CASE("a check that finds half a megabyte shows a line of it and keeps no more than 4 KiB") {
  Scene scene;
  auto const id = scene.daemon.create(plan_text(
      column_steps(1),
      "validate: [{name: large, sql: \"SELECT repeat('x', 500000)\", expect: {value: 1}}]"));
  scene.daemon.verb(id, "start");
  auto const run = scene.daemon.until(id, {"failed"});
  auto const actual = run.at("phases").at(0).at("checks").at(0).at("actual").get<std::string>();
  CHECK(actual.size() < 4'200);
  CHECK(actual.ends_with("… (500006 bytes)"));
  for (auto const* verb : {"status", "events"}) {
    auto const text = ctl(scene, {verb, id});
    CHECK(contains(text, "(500006 bytes)"));
    CHECK_FALSE(contains(text, std::string(300, 'x')));
  }
}

TEST_CASE("rows that a step only reads are not told as changed") {
  Scene scene;
  auto const id = scene.daemon.create(
      plan_text({{.name = "look", .forward = "SELECT * FROM t", .backward = "SELECT 1"}}));
  scene.daemon.verb(id, "start");
  auto const run = scene.daemon.until(id, {"succeeded"});
  CHECK(step_of(run, "only", "look").at("rows").is_null());
  CHECK_FALSE(contains(ctl(scene, {"events", id}), " rows"));
}

TEST_CASE("a step named without its phase is refused with the command that works") {
  Scene scene;
  auto const id = scene.daemon.create(plan_text(column_steps(2)));
  scene.daemon.verb(id, "start");
  scene.daemon.until(id, {"succeeded"});
  auto const end = run_program({runbookctl_program(), "rollback", id, "--to", "add-c2", "--preview",
                                "--addr", scene.daemon.socket()});
  CHECK(end.exit_code == 3);
  CHECK(contains(end.err, "try: runbookctl rollback " + id + " --to only/add-c2\n"));
}

}  // namespace runbookd::testing
