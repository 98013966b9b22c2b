// Waiting for what a verb leads to, also while the daemon is away.
#include <doctest/doctest.h>

#include "tests/web/ctl/canned_server.h"
#include "tests/web/ctl/command.h"
#include "tests/web/ctl/documents.h"

using namespace runbookd::ctl::tests;

namespace {

// A gate whose check was passed before; evaluated again it finds something else after three looks.
struct Evaluated {
  std::string result, state;
  int looks = 0;
  CannedServer server{[this](Asked const& asked) { return answer(asked); }};

  Canned answer(Asked const& asked) {
    auto run = waiting_run();
    auto& check = run["phases"][0]["checks"][0];
    check["result"] = "passed";
    check["at"] = "2026-01-01T03:12:00.000Z";
    looks += asked.method == "POST" || looks > 0 ? 1 : 0;
    if (looks > 0) {
      set_state(run, "running");
    }
    if (looks > 3) {
      set_state(run, state);
      check["result"] = result;
      check["actual"] = "value NO";
      check["at"] = "2026-01-01T03:13:00.000Z";
    }
    return {.body = run.dump()};
  }
  Said say(std::vector<std::string> words = {}) {
    words.insert(words.begin(), {"evaluate", run_a});
    return runbookctl(words, {.address = server.address()});
  }
};

}  // namespace

TEST_CASE("evaluate waits for the verdict and says what was expected and found") {
  auto const failed = Evaluated{.result = "failed", .state = "failed"}.say();
  CHECK(failed.exit == 7);
  CHECK(
      failed.out.find(" ! column-is-nullable  validation    failed  expected value YES, got value "
                      "NO\n! run_0a1b2c3d4e5f is now FAILED") == 0);
  auto const passed = Evaluated{.result = "passed", .state = "running"}.say();
  CHECK(passed.exit == 0);
  CHECK(passed.out.find(" + column-is-nullable") == 0);
}

TEST_CASE("a check that could not be judged keeps the gate shut too") {
  CHECK(Evaluated{.result = "error", .state = "failed"}.say().exit == 7);
}

TEST_CASE("evaluate waits no longer than it may, or not at all") {
  CannedServer const server([](Asked const&) {
    auto run = waiting_run();
    set_state(run, "running");
    return Canned{.body = run.dump()};
  });
  auto const said =
      runbookctl({"evaluate", run_a, "--timeout", "50ms"}, {.address = server.address()});
  CHECK(said.exit == 124);
  CHECK(said.err.find("goes on without you (runbookctl watch run_0a1b2c3d4e5f)") !=
        std::string::npos);
  Evaluated at_once{.result = "passed", .state = "waiting"};
  CHECK(at_once.say({"--no-wait"}).exit == 0);
  CHECK(at_once.looks == 1);
}

namespace {

// A run that goes on behind a daemon which answers the first so many questions after the verb with
// broken connections.
Said resumed_while_away(int broken, Place place, std::vector<std::string> more = {}) {
  int left = -1;
  CannedServer const server([&](Asked const& asked) {
    if (asked.method == "POST") {
      left = broken;
    }
    auto run = waiting_run();
    set_state(run, asked.method == "POST" ? "running" : "succeeded");
    return asked.method == "GET" && left-- > 0 ? Canned{.pieces = {"x"}, .proper_end = false}
                                               : Canned{.body = run.dump()};
  });
  std::vector<std::string> words{"resume", run_a, "--wait"};
  words.insert(words.end(), more.begin(), more.end());
  place.address = server.address();
  return runbookctl(words, place);
}

}  // namespace

TEST_CASE("a daemon that goes away while a run is followed is told of, borne for a time, no more") {
  auto const said = resumed_while_away(1'000'000, {.outage_borne_for_ms = 60});
  CHECK(said.exit == 10);
  CHECK(said.out.empty());
  CHECK(said.err.find("has not answered since 00:00:00; trying for ") != std::string::npos);
  CHECK(said.err.find("what became of the run meanwhile is not known\n"
                      "try: runbookctl watch run_0a1b2c3d4e5f") != std::string::npos);
}

TEST_CASE("with a time limit of one's own that limit counts") {
  auto const said =
      resumed_while_away(1'000'000, {.outage_borne_for_ms = 1}, {"--timeout", "80ms"});
  CHECK(said.exit == 124);
  CHECK(said.err.find("; trying on") != std::string::npos);
}

TEST_CASE("a daemon that comes back is followed on") {
  auto const said = resumed_while_away(3, {});
  CHECK(said.exit == 0);
  CHECK(said.err.find("the daemon answers again after ") != std::string::npos);
  CHECK(resumed_while_away(3, {.outage_told_after_ms = 60'000}).err.find("daemon") ==
        std::string::npos);
}
