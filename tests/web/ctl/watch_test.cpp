// Watching without a terminal: lines, conditions, lost connections.
#include <doctest/doctest.h>

#include "tests/web/ctl/canned_server.h"
#include "tests/web/ctl/command.h"
#include "tests/web/ctl/documents.h"

using namespace runbookd::ctl::tests;

namespace {

std::string sse(int seq, std::string const& kind) {
  Json const event = {{"seq", seq},
                      {"time", "2026-01-01T03:12:07.000Z"},
                      {"kind", kind},
                      {"message", "Event " + std::to_string(seq) + "."}};
  return "id: " + std::to_string(seq) + "\nevent: " + kind + "\ndata: " + event.dump() + "\n\n";
}

bool is_stream(Asked const& asked) { return asked.target.ends_with("/events"); }

// A run in this state at revision 2, whose stream tells two events.
Canned run_in(std::string const& state, Asked const& asked) {
  if (is_stream(asked)) {
    return {.pieces = {sse(1, "run.created") + sse(2, "run.paused")}};
  }
  auto run = waiting_run();
  set_state(run, state);
  run["revision"] = 2;
  return {.body = run.dump()};
}

Said watch(std::string const& state, std::vector<std::string> words = {}) {
  CannedServer const server([&state](Asked const& asked) { return run_in(state, asked); });
  words.insert(words.begin(), {"watch", run_a});
  return runbookctl(words, {.address = server.address()});
}

}  // namespace

TEST_CASE("away from a terminal every event is a line") {
  CHECK(watch("succeeded").out ==
        "03:12:07  run.created           Event 1.\n"
        "03:12:07  run.paused            Event 2.\n");
}

TEST_CASE("the end of a run is the exit code") {
  CHECK(watch("succeeded").exit == 0);
  CHECK(watch("cancelled").exit == 8);
  CHECK(watch("rolled_back").exit == 8);
}

TEST_CASE("a script is not kept waiting where nothing moves without a person") {
  CHECK(watch("failed").exit == 7);
  for (auto const* state : {"pending", "waiting", "paused", "attention"}) {
    CAPTURE(std::string(state));
    CHECK(watch(state).exit == 6);
  }
  auto const failed = watch("failed");
  CHECK(failed.out.find("Event 2.") != std::string::npos);
  CHECK(failed.err.starts_with(std::string(run_a) + " is now FAILED: "));
  CHECK(watch("running", {"--timeout", "30ms"}).exit == 124);
}

TEST_CASE("a condition that holds ends the watch well") {
  CHECK(watch("waiting", {"--until", "waiting"}).exit == 0);
  CHECK(watch("paused", {"--until", "waiting,paused"}).exit == 0);
  CHECK(watch("failed", {"--until", "settled"}).exit == 0);
  CHECK(watch("rolled_back", {"--until", "rolled_back"}).exit == 0);
}

TEST_CASE("a run that needs a person ends a watch for something else") {
  CHECK(watch("waiting", {"--until", "succeeded"}).exit == 6);
  CHECK(watch("attention", {"--until", "succeeded"}).exit == 6);
  CHECK(watch("failed", {"--until", "succeeded"}).exit == 7);
  CHECK(watch("cancelled", {"--until", "succeeded"}).exit == 8);
}

TEST_CASE("a phase that is done ends the watch for it") {
  CannedServer const server([](Asked const& asked) {
    if (is_stream(asked)) {
      return run_in("running", asked);
    }
    auto run = running_backfill();
    run["revision"] = 2;
    return Canned{.body = run.dump()};
  });
  auto const said =
      runbookctl({"watch", run_a, "--until", "expand"}, {.address = server.address()});
  CHECK(said.exit == 0);
}

TEST_CASE("a word that is neither state nor phase is refused") {
  auto const said = watch("running", {"--until", "finished"});
  CHECK(said.exit == 2);
  CHECK(said.err.find("settled,pending,") != std::string::npos);
}

TEST_CASE("a watch ends at its timeout and says that the run goes on") {
  auto const said = watch("running", {"--timeout", "30ms"});
  CHECK(said.exit == 124);
  CHECK(said.err.find("goes on without you") != std::string::npos);
}

TEST_CASE("a lost stream is taken up again where it broke, without a word") {
  int streams = 0;
  CannedServer const server([&](Asked const& asked) {
    if (!is_stream(asked)) {
      auto run = waiting_run();
      set_state(run, streams < 2 ? "running" : "succeeded");
      run["revision"] = 3;
      return Canned{.body = run.dump()};
    }
    return ++streams == 1 ? Canned{.pieces = {sse(1, "a"), sse(2, "b")}, .proper_end = false}
                          : Canned{.pieces = {sse(3, "c")}};
  });
  auto const said =
      runbookctl({"watch", run_a}, {.address = server.address(), .outage_told_after_ms = 60'000});
  CHECK(said.exit == 0);
  CHECK(said.err.empty());
  CHECK(said.out.find("Event 1.") < said.out.find("Event 2."));
  CHECK(said.out.find("Event 2.") < said.out.find("Event 3."));
  std::vector<std::string> resumed_after;
  for (auto const& asked : server.asked()) {
    if (is_stream(asked)) {
      resumed_after.push_back(asked.headers.at("last-event-id"));
    }
  }
  CHECK(resumed_after == std::vector<std::string>{"0", "2"});
}

TEST_CASE("the end of a stream is not the end of a run that goes on") {
  int streams = 0;
  CannedServer const server([&](Asked const& asked) {
    if (!is_stream(asked)) {
      auto run = waiting_run();
      set_state(run, streams < 2 ? "running" : "succeeded");
      run["revision"] = 2;
      return Canned{.body = run.dump()};
    }
    ++streams;
    return Canned{.pieces = {sse(streams, "a")}};
  });
  CHECK(runbookctl({"watch", run_a}, {.address = server.address()}).out.find("Event 2.") !=
        std::string::npos);
}

TEST_CASE("without a run the one under way is watched") {
  CannedServer const server([](Asked const& asked) {
    if (asked.target.starts_with("/api/v1/runs?")) {
      auto ended = waiting_run();
      ended["run"] = run_b;
      set_state(ended, "succeeded");
      return Canned{.body = Json{{"runs", {list_row(ended), list_row(waiting_run())}}}.dump()};
    }
    return run_in("waiting", asked);
  });
  auto const said = runbookctl({"watch", "--until", "waiting"}, {.address = server.address()});
  CHECK(said.exit == 0);
  CHECK(server.asked().at(1).target == std::string("/api/v1/runs/") + run_a);
}

TEST_CASE("a run that does not exist ends the watch at once") {
  CannedServer const server([](Asked const&) {
    return Canned{.status = 404, .body = problem(404, "not-found", "no run").dump()};
  });
  CHECK(runbookctl({"watch", run_a}, {.address = server.address()}).exit == 3);
}

TEST_CASE("a daemon that stays away is told of, and the watch goes on") {
  bool away = false;
  CannedServer const server([&away](Asked const& asked) {
    auto const answer =
        away ? Canned{.pieces = {"x"}, .proper_end = false} : run_in("running", asked);
    away = away || is_stream(asked);
    return answer;
  });
  auto const said =
      runbookctl({"watch", run_a, "--timeout", "700ms"}, {.address = server.address()});
  CHECK(said.exit == 124);
  CHECK(said.err.find("has not answered since 00:00:00; trying on") != std::string::npos);
}

namespace {

// The run is there when it is first asked for; then the daemon says `status` to whatever `refused`
// names.
Said watch_until_refused(int status, std::function<bool(Asked const&)> const& refused) {
  bool seen = false;
  CannedServer const server([&](Asked const& asked) {
    if (seen && refused(asked)) {
      return Canned{.status = status, .body = problem(status, "gone", "no such run here").dump()};
    }
    seen = true;
    return run_in("running", asked);
  });
  return runbookctl({"watch", run_a, "--timeout", "20s"}, {.address = server.address()});
}

}  // namespace

TEST_CASE("a run that the daemon has no more ends the watch, with the daemon's words") {
  for (int const status : {404, 410}) {
    auto const said = watch_until_refused(status, [](Asked const&) { return true; });
    CHECK(said.exit == 3);
    CHECK(said.err.find("no such run here") != std::string::npos);
    CHECK(said.err.find("has not answered") == std::string::npos);
  }
}

TEST_CASE("so does a stream that the daemon refuses, though it still shows the run") {
  auto const said = watch_until_refused(410, is_stream);
  CHECK(said.exit == 3);
  CHECK(said.err.find("no such run here") != std::string::npos);
}
