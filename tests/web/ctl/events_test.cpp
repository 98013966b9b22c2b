#include <doctest/doctest.h>

#include "tests/web/ctl/canned_server.h"
#include "tests/web/ctl/command.h"
#include "tests/web/ctl/documents.h"

using namespace runbookd::ctl::tests;

namespace {

Json event(int seq, std::string const& kind) {
  return {{"seq", seq},
          {"time", "2026-01-01T03:12:07.000Z"},
          {"kind", kind},
          {"run", run_a},
          {"actor", ""},
          {"reason", ""},
          {"message", "Event " + std::to_string(seq) + "."}};
}

// Three stored events, in pages of two; a fourth comes by the stream.
Canned four_events(Asked const& asked) {
  if (asked.headers.count("accept") != 0 && asked.headers.at("accept") == "text/event-stream") {
    return {.pieces = {"id: 4\nevent: run.succeeded\ndata: " + event(4, "run.succeeded").dump() +
                       "\n\n"}};
  }
  if (asked.target.find("/events") == std::string::npos) {
    auto run = waiting_run();
    set_state(run, "succeeded");
    return {.body = run.dump()};
  }
  if (asked.target.find("after=2") != std::string::npos) {
    return {.body = Json{{"events", {event(3, "run.paused")}}, {"more", false}}.dump()};
  }
  return {.body = Json{
              {"events", {event(1, "run.created"), event(2, "step.started")}},
              {"more",
               true}}.dump()};
}

Said events(std::vector<std::string> words) {
  CannedServer const server(four_events);
  words.insert(words.begin(), {"events", run_a});
  return runbookctl(words, {.address = server.address()});
}

}  // namespace

TEST_CASE("all pages of events are told, one line each") {
  CHECK(events({}).out ==
        "03:12:07  run.created           Event 1.\n"
        "03:12:07  step.started          Event 2.\n"
        "03:12:07  run.paused            Event 3.\n");
}

TEST_CASE("kinds are chosen by name or by their first part") {
  CHECK(events({"--types", "step", "-o", "name"}).out == "2\n");
  CHECK(events({"--types", "run", "-o", "name"}).out == "1\n3\n");
  CHECK(events({"--types", "run.paused,step", "-o", "name"}).out == "2\n3\n");
}

TEST_CASE("events in lines of JSON are the daemon's") {
  auto const out = events({"-o", "ndjson"}).out;
  CHECK(Json::parse(out.substr(0, out.find('\n'))) == event(1, "run.created"));
}

TEST_CASE("events in JSON are one document with all pages") {
  auto const document = Json::parse(events({"-o", "json"}).out);
  CHECK(document.at("events").size() == 3);
}

TEST_CASE("following goes on with new events until the run has ended") {
  auto const said = events({"-f", "-o", "name"});
  CHECK(said.out == "1\n2\n3\n4\n");
  CHECK(said.exit == 0);
}

TEST_CASE("types that do not exist are refused with those that do, before anything is asked") {
  CannedServer const server(four_events);
  auto const said =
      runbookctl({"events", run_a, "--types", "run,step.failde"}, {.address = server.address()});
  CHECK(said.exit == 2);
  CHECK(said.err ==
        "runbookctl: events --types step.failde: there is no such type of event; did you mean "
        "'step.failed'?\ntry: runbookctl events RUN --types step,run.paused\n");
  CHECK(server.asked().empty());
  CHECK(events({"--types", "soak.bogus"}).err.find("there are soak.started\n") !=
        std::string::npos);
  CHECK(events({"--types", "completely-wrong"}).err.find("the groups are run, baselines, gate,") !=
        std::string::npos);
}

TEST_CASE("a stream that is refused is no good end of following") {
  CannedServer const server([](Asked const& asked) {
    bool const stream =
        asked.headers.count("accept") != 0 && asked.headers.at("accept") == "text/event-stream";
    return stream ? Canned{.status = 410, .body = problem(410, "gone", "no such run here").dump()}
                  : four_events(asked);
  });
  auto const said = runbookctl({"events", run_a, "-f"}, {.address = server.address()});
  CHECK(said.exit == 3);
  CHECK(said.err.find("no such run here") != std::string::npos);
}
