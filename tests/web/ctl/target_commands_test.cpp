// locks and preflight: what the target told, as people and scripts get it.
#include <doctest/doctest.h>

#include "tests/web/ctl/canned_server.h"
#include "tests/web/ctl/command.h"
#include "tests/web/ctl/documents.h"

using namespace runbookd::ctl::tests;

namespace {

Json blocker(int pid, int depth, bool root) {
  return {{"pid", pid},
          {"user", "app"},
          {"application", "shop"},
          {"state", "idle in transaction"},
          {"query", "SELECT 1"},
          {"transaction_age_ms", 41'000},
          {"lock_mode", "RowExclusiveLock"},
          {"relation", "users"},
          {"kind", "session"},
          {"depth", depth},
          {"root", root},
          {"end_with", "SELECT pg_terminate_backend(" + std::to_string(pid) + ")"},
          {"advice", "its owner can end it"}};
}

Json locks() {
  return {{"run", run_a},
          {"target", "main"},
          {"message", "waits for a lock"},
          {"sessions",
           {{{"pid", 799},
             {"state", "active"},
             {"query", "ALTER TABLE users"},
             {"waits_for",
              {{"lock_mode", "AccessExclusiveLock"}, {"relation", "users"}, {"waited_ms", 100}}}}}},
          {"blockers", {blocker(805, 1, false), blocker(812, 2, true)}},
          {"waiters",
           {{{"pid", 900},
             {"user", "app"},
             {"application", "shop"},
             {"query", "SELECT 2"},
             {"lock_mode", "AccessShareLock"},
             {"relation", "users"},
             {"waited_ms", nullptr}}}},
          {"last_wait", nullptr}};
}

Json preflight(std::string const& verdict) {
  return {{"run", run_a},
          {"target", "main"},
          {"phase", "expand"},
          {"verdict", verdict},
          {"taken_at", "2026-02-01T00:00:00.000Z"},
          {"items",
           {{{"name", "slots"},
             {"verdict", verdict},
             {"message", "a slot is left"},
             {"next", "SELECT drop_it()"}},
            {{"name", "dump"}, {"verdict", "go"}, {"message", "no dump runs"}, {"next", ""}}}}};
}

struct Target {
  Json weather = preflight("wait");
  CannedServer server{[this](Asked const& asked) -> Canned {
    if (asked.target.ends_with("/locks")) {
      return {.body = locks().dump()};
    }
    return {.body = asked.target.find("/preflight") == std::string::npos ? waiting_run().dump()
                                                                         : weather.dump()};
  }};
  Said say(std::vector<std::string> const& words) {
    return runbookctl(words, {.address = server.address()});
  }
};

bool contains(std::string const& text, std::string const& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("the tree of locks is drawn down to its root, whose end is told in full") {
  Target target;
  auto const said = target.say({"locks", run_a});
  CHECK(said.exit == 0);
  CHECK(contains(said.out, "waits for 0.1 s for AccessExclusiveLock on users"));
  CHECK(contains(said.out, "  blocked by pid 805 app (shop)"));
  CHECK(contains(said.out, "    which waits for pid 812 app (shop), idle in transaction 41 s"));
  CHECK(contains(said.out, "ends it: SELECT pg_terminate_backend(812)"));
  CHECK_FALSE(contains(said.out, "pg_terminate_backend(805)"));
  CHECK(contains(said.out, "behind us: 1 session"));
  CHECK(contains(said.out, "pid 900 app (shop) waits for AccessShareLock on users"));
  CHECK(Json::parse(target.say({"locks", run_a, "-o", "json"}).out) == locks());
}

TEST_CASE("the exit code of a preflight tells its verdict") {
  Target target;
  auto const said = target.say({"preflight", run_a, "--phase", "expand"});
  CHECK(said.exit == 6);
  CHECK(contains(said.out, "preflight of phase expand on main: wait"));
  CHECK(contains(said.out, "next: SELECT drop_it()"));
  CHECK(contains(said.out, "no dump runs"));
  CHECK(target.server.asked().back().target.ends_with("/preflight?phase=expand"));
  target.weather = preflight("no_go");
  CHECK(target.say({"preflight", run_a}).exit == 7);
  target.weather = preflight("go");
  CHECK(target.say({"preflight", run_a, "-o", "json"}).exit == 0);
}

TEST_CASE("whoever starts or advances is told what stands in the way, and not stopped") {
  Target target;
  auto const said = target.say({"advance", run_a, "--to", "expand", "--yes", "--no-wait"});
  CHECK(contains(said.err, "a slot is left"));
  CHECK_FALSE(contains(said.err, "no dump runs"));
  CHECK(target.server.asked("POST").size() == 1);
  target.weather = preflight("go");
  CHECK_FALSE(contains(target.say({"start", run_a, "--no-wait"}).err, "stands in the way"));
}

TEST_CASE("a run's picture tells what was seen before its phase until the phase is over") {
  Target target;
  auto run = waiting_run();
  run["preflight"] = preflight("no_go");
  run["preflight"]["phase"] = run["phases"].back()["name"];
  CannedServer const server([&run](Asked const&) { return Canned{.body = run.dump()}; });
  auto const said = runbookctl({"status", run_a}, {.address = server.address()});
  CHECK(contains(said.out, "NO-GO   slots"));
}
