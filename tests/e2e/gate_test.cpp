// A gate that stood shut for a while opens on what is true now, not on what was true before it.
#include <csignal>

#include <doctest/doctest.h>

#include "tests/e2e/scenario.h"

namespace runbookd::testing {
namespace {

bool contains(std::string const& text, std::string const& part) {
  return text.find(part) != std::string::npos;
}

std::string two_phases(std::string const& more_of_plan = "") {
  return "runbook: 1\nname: two\ntitle: Two phases\n" + more_of_plan + R"(phases:
  - name: p1
    kind: expand
    steps:
      - name: add
        sql: ALTER TABLE t ADD COLUMN b int
        rollback: ALTER TABLE t DROP COLUMN b
    validate:
      - {name: hundred-rows, sql: SELECT count(*) FROM t, expect: {value: 100}}
    soak: 100ms
    watch:
      - {name: nothing-odd, every: 1h, sql: SELECT count(*) FROM t WHERE a < 0, expect: {value: 0}}
  - name: p2
    kind: contract
    requires:
      - {name: no-nulls, sql: SELECT count(*) FROM t WHERE a IS NULL, expect: {value: 0}}
    steps:
      - name: drop
        sql: ALTER TABLE t DROP COLUMN b
        rollback: ALTER TABLE t ADD COLUMN b int
)";
}

Finished ctl(Scene const& scene, std::vector<std::string> words) {
  words.insert(words.begin(), runbookctl_program());
  words.insert(words.end(), {"--addr", scene.daemon.socket()});
  return run_program(words);
}

std::string at_gate(Scene& scene, std::string const& plan) {
  auto const id = scene.daemon.create(plan);
  scene.daemon.verb(id, "start");
  scene.daemon.until(id, {"waiting"});
  return id;
}

json check_of(json const& run, std::string const& phase, std::string const& name) {
  for (auto const& one : run.at("phases")) {
    for (auto const& check : one.at("checks")) {
      if (one.at("name") == phase && check.at("name") == name) {
        return check;
      }
    }
  }
  throw std::runtime_error("no check " + phase + "/" + name);
}

bool has_column_b(Scene const& scene) {
  return scene.database.sql(
             "SELECT count(*) FROM pg_attribute WHERE attrelid = 't'::regclass AND "
             "attname = 'b' AND NOT attisdropped") == "1";
}

}  // namespace

TEST_CASE("what breaks at a gate keeps the next phase from beginning, until it is mended") {
  struct Break {
    std::string phase, check, wound, mend, said;
  };
  std::vector<Break> const breaks{
      {"p1", "hundred-rows", "DELETE FROM t WHERE id = 1", "INSERT INTO t VALUES (1, 0)",
       "check p1/hundred-rows (the validation of phase p1, judged again before phase p2 begins) "
       "failed: expected value 100, found value 99"},
      {"p1", "nothing-odd", "UPDATE t SET a = -1 WHERE id < 3", "UPDATE t SET a = 0",
       "check p1/nothing-odd (the watch over phase p1, judged again before phase p2 begins) "
       "failed: expected value 0, found value 2"},
      {"p2", "no-nulls", "UPDATE t SET a = NULL WHERE id = 7", "UPDATE t SET a = 0",
       "check no-nulls (a requirement of phase p2) failed: expected value 0, found value 1"}};
  for (auto const& one : breaks) {
    CAPTURE(one.check);
    Scene scene;
    auto const id = at_gate(scene, two_phases());
    scene.database.sql(one.wound);

    auto const end = ctl(scene, {"advance", id, "--to", "p2", "--confirm", "p2", "--wait"});
    CHECK(end.exit_code == 7);
    auto const failed = scene.daemon.run(id);
    CHECK(failed.at("state") == "failed");
    CHECK(contains(failed.at("state_message"), one.said));
    CHECK(check_of(failed, one.phase, one.check).at("result") == "failed");
    CHECK(step_of(failed, "p2", "drop").at("state") == "pending");
    CHECK(has_column_b(scene));

    CHECK(ctl(scene, {"evaluate", id}).exit_code == 7);
    CHECK(has_column_b(scene));
    scene.database.sql(one.mend);
    CHECK(ctl(scene, {"evaluate", id, "--wait"}).exit_code == 0);
    CHECK(scene.daemon.run(id).at("state") == "succeeded");
    CHECK_FALSE(has_column_b(scene));
  }
}

TEST_CASE("a phase begins after one pass over all that opens its gate, and the record shows it") {
  Scene scene;
  auto const id = at_gate(scene, two_phases());
  scene.daemon.verb(id, "advance", {{"to_phase", "p2"}});
  scene.daemon.until(id, {"succeeded"});
  json judged;
  bool begun = false;
  for (auto const& event : scene.daemon.events(id)) {
    begun = begun || (event.at("kind") == "step.started" && event.at("phase") == "p2");
    bool const before = event.at("kind") == "checks.judged" && event.at("stage") == "requirements";
    if (before) {
      CHECK_FALSE(begun);
      judged = event;
    }
  }
  REQUIRE(begun);
  std::string names;
  for (auto const& result : judged.at("results")) {
    names +=
        result.at("name").get<std::string>() + " " + result.at("actual").get<std::string>() + "; ";
  }
  CHECK(names == "no-nulls value 0; p1/hundred-rows value 100; p1/nothing-odd value 0; ");
}

TEST_CASE("a plan that takes failed phases back by itself takes nothing back at a gate") {
  Scene scene;
  auto const id = at_gate(scene, two_phases("on_failure: rollback\n"));
  scene.database.sql("DELETE FROM t WHERE id = 1");
  scene.daemon.verb(id, "advance", {{"to_phase", "p2"}});
  scene.daemon.until(id, {"failed"});
  CHECK(has_column_b(scene));
  scene.daemon.verb(id, "rollback", {{"to", "all"}});
  scene.daemon.until(id, {"rolled_back"});
  CHECK_FALSE(has_column_b(scene));
}

TEST_CASE("a daemon that dies while it looks at a gate again looks at all of it once more") {
  Scene scene;
  auto const id = at_gate(scene, two_phases());
  scene.daemon.kill();
  REQUIRE(scene.daemon.try_start({"RUNBOOKD_CRASH=check_answered:2"}));
  try {
    scene.daemon.post("/api/v1/runs/" + id + "/advance", {{"to_phase", "p2"}});
  } catch (std::exception const&) {  // it died before the answer was sent
  }
  CHECK(scene.daemon.wait_for_end() == 128 + SIGKILL);
  scene.daemon.start();
  scene.daemon.until(id, {"paused"});
  scene.database.sql("UPDATE t SET a = NULL WHERE id = 7");  // the first of them had passed
  scene.daemon.verb(id, "resume");
  scene.daemon.until(id, {"failed"});
  CHECK(has_column_b(scene));
}

}  // namespace runbookd::testing
