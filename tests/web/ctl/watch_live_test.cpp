// The live view as a person has it: the real program on a terminal, a real socket behind it.
#include <atomic>

#include <doctest/doctest.h>

#include "tests/web/ctl/canned_server.h"
#include "tests/web/ctl/documents.h"
#include "tests/web/ctl/terminal_program.h"

using namespace runbookd::ctl::tests;

namespace {

bool is_stream(Asked const& asked) { return asked.target.ends_with("/events"); }

// A backfill that goes on until it is asked to pause. The stream ends at once and is opened anew.
class Backfill {
 public:
  std::string address() const { return server_.address(); }
  std::vector<Asked> posts() const { return server_.asked("POST"); }
  void finish() { state_ = 2; }

 private:
  Canned answer(Asked const& asked) {
    if (is_stream(asked)) {
      return {.pieces = {": nothing yet\n\n"}};
    }
    auto run = running_backfill();
    if (asked.method == "POST") {
      state_ = 1;
    }
    if (state_ == 1) {
      set_state(run, "paused");
      run["actions"] = {{"resume", {{"allowed", true}}}};
    } else if (state_ == 2) {
      set_state(run, "succeeded");
    }
    return {.body = run.dump()};
  }
  std::atomic<int> state_ = 0;
  CannedServer server_{[this](Asked const& asked) { return answer(asked); }};
};

std::vector<std::string> watching(Backfill const& run, std::vector<std::string> more = {}) {
  std::vector<std::string> words{"watch", run_a, "--addr", run.address()};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

}  // namespace

TEST_CASE("on a terminal the picture is drawn, and q leaves the run alone") {
  Backfill const run;
  TerminalProgram program(watching(run));
  CHECK(program.shows("68.4 %"));
  CHECK(program.shows("[q]uit"));
  program.type("q");
  CHECK(program.exit_code() == 0);
  CHECK(run.posts().empty());
}

TEST_CASE("Ctrl-C detaches and says that the run goes on") {
  Backfill const run;
  TerminalProgram program(watching(run));
  REQUIRE(program.shows("[q]uit"));
  program.type("\x03");
  CHECK(program.exit_code() == 130);
  CHECK(program.output().find("detached; run_0a1b2c3d4e5f goes on without you") !=
        std::string::npos);
}

TEST_CASE("p pauses at once and asks nothing") {
  Backfill const run;
  TerminalProgram program(watching(run));
  REQUIRE(program.shows("[p]ause"));
  program.type("p");
  CHECK(program.shows("PAUSED"));
  CHECK(program.shows("[r]esume"));
  program.type("q");
  CHECK(program.exit_code() == 0);
  REQUIRE(run.posts().size() == 1);
  CHECK(run.posts()[0].target.ends_with("/pause"));
  CHECK(run.posts()[0].headers.at("runbook-actor") == "ana");
}

TEST_CASE("the terminal is left as it was found") {
  Backfill const run;
  TerminalProgram program(watching(run));
  REQUIRE(program.echoes());
  REQUIRE(program.shows("[q]uit"));
  CHECK(!program.echoes());
  program.type("\x03");
  program.exit_code();
  CHECK(program.echoes());
  CHECK(program.output().rfind("\x1b[?25h") > program.output().rfind("\x1b[?25l"));
}

TEST_CASE("the end of the run ends the live view with its code") {
  Backfill run;
  TerminalProgram program(watching(run));
  REQUIRE(program.shows("[q]uit"));
  run.finish();
  CHECK(program.exit_code() == 0);
  CHECK(program.output().find("SUCCEEDED") != std::string::npos);
}

TEST_CASE("the live view keeps its timeout") {
  Backfill const run;
  TerminalProgram program(watching(run, {"--timeout", "50ms"}));
  CHECK(program.exit_code() == 124);
}

TEST_CASE("without input no keys are offered") {
  Backfill const run;
  TerminalProgram program(watching(run, {"--no-input"}));
  CHECK(program.shows("Ctrl-C leaves the run alone"));
  CHECK(program.echoes());
  program.type("\x03");
  CHECK(program.exit_code() == 130);
}

TEST_CASE("the version is answered") {
  TerminalProgram program({"--version"});
  CHECK(program.shows("runbookctl "));
  CHECK(program.exit_code() == 0);
}

TEST_CASE("a question on a terminal is typed and answered there") {
  auto run = waiting_run();
  run["waiting_on"][0]["phase"] = "contract";
  CannedServer const server([&run](Asked const&) { return Canned{.body = run.dump()}; });
  TerminalProgram program({"advance", run_a, "--to", "contract", "--addr", server.address()});
  CHECK(program.shows("Type contract to go on: "));
  program.type("contract\n");
  CHECK(program.exit_code() == 0);
  CHECK(Json::parse(server.asked("POST").at(0).body).at("confirm") == "contract");
}

TEST_CASE("a run that the daemon has no more ends the live view, and the reason is read below it") {
  std::atomic<bool> gone = false;
  CannedServer const server([&gone](Asked const& asked) {
    if (gone) {
      return Canned{.status = 410, .body = problem(410, "gone", "no such run here").dump()};
    }
    return is_stream(asked) ? Canned{.pieces = {": nothing yet\n\n"}}
                            : Canned{.body = running_backfill().dump()};
  });
  TerminalProgram program({"watch", run_a, "--addr", server.address()});
  CHECK(program.shows("68.4 %"));
  gone = true;
  CHECK(program.shows("no such run here"));
  CHECK(program.exit_code() == 3);
}
