// What people and programs get to see when something does not work.
#include <atomic>

#include <doctest/doctest.h>
#include <unistd.h>

#include "tests/web/ctl/canned_server.h"
#include "tests/web/ctl/command.h"
#include "tests/web/ctl/documents.h"

using namespace runbookd::ctl::tests;

namespace {

Said answered_with(Canned const& canned, std::vector<std::string> const& words) {
  CannedServer const server([&canned](Asked const&) { return canned; });
  return runbookctl(words, {.address = server.address()});
}

int exit_of(int status, std::string const& code) {
  return answered_with({.status = status, .body = problem(status, code, "no").dump()},
                       {"resume", run_a})
      .exit;
}

}  // namespace

TEST_CASE("a daemon that is not there is said with its address and what to do") {
  auto const said = runbookctl({"status"}, {.address = "http://127.0.0.1:1"});
  CHECK(said.exit == 10);
  CHECK(said.out.empty());
  CHECK(said.err ==
        "runbookctl: status: no daemon answers at http://127.0.0.1:1: Connection refused\n"
        "try: systemctl start runbookd, or name the daemon's address with --addr or "
        "RUNBOOKCTL_ADDR\n");
}

TEST_CASE("a socket that is not there is said the same way") {
  auto const said = runbookctl({"status"}, {.address = "unix:/nonexistent/runbookd.sock"});
  CHECK(said.exit == 10);
  CHECK(said.err.find("unix:/nonexistent/runbookd.sock: No such file") != std::string::npos);
}

TEST_CASE("every kind of refusal has its exit code") {
  CHECK(exit_of(404, "not-found") == 3);
  CHECK(exit_of(401, "unauthenticated") == 4);
  CHECK(exit_of(403, "capability-missing") == 4);
  CHECK(exit_of(409, "illegal-transition") == 5);
  CHECK(exit_of(409, "target-busy") == 5);
  CHECK(exit_of(412, "stale-revision") == 5);
  CHECK(exit_of(422, "plan-invalid") == 9);
  CHECK(exit_of(409, "unacknowledged-findings") == 9);
  CHECK(exit_of(400, "malformed") == 9);
  CHECK(exit_of(422, "reason-required") == 2);
  CHECK(exit_of(422, "confirm-mismatch") == 2);
  CHECK(exit_of(503, "target-unreachable") == 10);
  CHECK(exit_of(503, "store-unavailable") == 10);
  CHECK(exit_of(500, "internal") == 1);
}

TEST_CASE("a refusal names the state's verbs and the next command") {
  auto document = problem(409, "illegal-transition", "the run is paused");
  document["allowed_actions"] = {"resume", "cancel"};
  document["next"] = "runbookctl resume run_0a1b2c3d4e5f";
  auto const said = answered_with({.status = 409, .body = document.dump()}, {"retry", run_a});
  CHECK(said.err ==
        "runbookctl: retry run_0a1b2c3d4e5f: the run is paused\n"
        "allowed now: resume, cancel\n"
        "try: runbookctl resume run_0a1b2c3d4e5f\n");
}

TEST_CASE("a command that the daemon leaves without program and run is completed") {
  auto document = problem(409, "illegal-transition", "no");
  document["next"] = "confirm expand/deploy";
  auto const said = answered_with({.status = 409, .body = document.dump()}, {"retry", run_a});
  CHECK(said.err.find("try: runbookctl confirm run_0a1b2c3d4e5f expand/deploy\n") !=
        std::string::npos);
}

namespace {

// What is said of a refusal because of this one finding.
std::string said_of_finding(Json const& finding) {
  auto document = problem(422, "plan-invalid", "the plan has 1 error");
  document["errors"] = {finding};
  auto const said = answered_with({.status = 422, .body = document.dump()}, {"start", run_a});
  CHECK(said.exit == 9);
  return said.err;
}

}  // namespace

TEST_CASE("findings come with their places and fixes") {
  auto const said = said_of_finding({{"file", "plan.yaml"},
                                     {"line", 12},
                                     {"column", 5},
                                     {"severity", "error"},
                                     {"rule", "plan/unknown-key"},
                                     {"message", "unknown key 'sqll'"},
                                     {"fix", "write sql"}});
  CHECK(said.find("  plan.yaml:12:5: error: unknown key 'sqll' [plan/unknown-key]\n      write "
                  "sql\n") != std::string::npos);
}

TEST_CASE("a finding in a stored plan is placed by its step: nobody sees the lines of that file") {
  auto const said = said_of_finding({{"file", "sha256:ab12"},
                                     {"line", 1},
                                     {"column", 948},
                                     {"severity", "error"},
                                     {"rule", "lock/rewrite"},
                                     {"message", "rewrites users"},
                                     {"step", "expand/add-column"}});
  CHECK(said.find("  expand/add-column: error: rewrites users [lock/rewrite]\n") !=
        std::string::npos);
}

TEST_CASE("programs get the problem document unchanged on stderr") {
  auto const document = problem(409, "illegal-transition", "the run is paused");
  auto const said =
      answered_with({.status = 409, .body = document.dump()}, {"retry", run_a, "-o", "json"});
  CHECK(said.out.empty());
  CHECK(Json::parse(said.err) == document);
}

TEST_CASE("failures of our own are JSON for programs too") {
  auto const said = runbookctl({"status", "-o", "json"}, {});
  CHECK(Json::parse(said.err).at("exit_code") == 10);
}

TEST_CASE("an answer that is not HTTP is not taken for one") {
  auto const said = answered_with({.status = 200, .body = "hello"}, {"status", run_a});
  CHECK(said.exit == 0);  // HTTP, but no document: shown as nothing known
  CannedServer const server(
      [](Asked const&) { return Canned{.pieces = {"x"}, .proper_end = false}; });
  auto const cut = runbookctl({"status", run_a}, {.address = server.address()});
  CHECK(cut.exit == 10);
  CHECK(cut.err.find("hung up in the middle") != std::string::npos);
}

TEST_CASE("a connection that ends before the answer is told as what it is") {
  CannedServer const server([](Asked const&) { return Canned{.hang_up = true}; });
  auto const said = runbookctl({"resume", run_a}, {.address = server.address()});
  CHECK(said.exit == 10);
  CHECK(said.err.find("the daemon hung up before it answered") != std::string::npos);
  CHECK(said.err.find("whether the daemon took the request is not known") != std::string::npos);
}

TEST_CASE("a verb whose answer got lost is said to be unclear") {
  CannedServer const server(
      [](Asked const&) { return Canned{.pieces = {"x"}, .proper_end = false}; });
  auto const said = runbookctl({"resume", run_a}, {.address = server.address()});
  CHECK(said.exit == 10);
  CHECK(said.err.find("whether the daemon took the request is not known") != std::string::npos);
  auto const key = server.asked("POST").front().headers.at("idempotency-key");
  CHECK(said.err.find("--idempotency-key " + key + " does nothing twice") != std::string::npos);
  CHECK(said.err.find("try: runbookctl status run_0a1b2c3d4e5f\n") != std::string::npos);
}

TEST_CASE("a request whose answer got lost is sent again, and is the same request") {
  std::atomic<int> asked = 0;
  CannedServer const server([&](Asked const& request) {
    if (request.method == "POST" && ++asked == 1) {
      return Canned{.hang_up = true};
    }
    return Canned{.body = R"({"run":"run_0a1b2c3d4e5f","state":"paused"})"};
  });
  auto const said = runbookctl({"pause", run_a, "--no-wait"}, {.address = server.address()});
  CHECK(said.exit == 0);
  auto const posts = server.asked("POST");
  REQUIRE(posts.size() == 2);
  CHECK(posts[0].headers.at("idempotency-key") == posts[1].headers.at("idempotency-key"));
  CHECK(posts[0].headers.at("idempotency-key").size() == 32);
}

TEST_CASE("each request has a key of its own, but the one that a person gives") {
  CannedServer const server([](Asked const&) {
    return Canned{.body = R"({"run":"run_0a1b2c3d4e5f","state":"paused"})"};
  });
  for (auto const& more : {std::vector<std::string>{}, {}, {"--idempotency-key", "mine"}}) {
    std::vector<std::string> words{"pause", run_a, "--no-wait"};
    words.insert(words.end(), more.begin(), more.end());
    CHECK(runbookctl(words, {.address = server.address()}).exit == 0);
  }
  auto const posts = server.asked("POST");
  REQUIRE(posts.size() == 3);
  CHECK(posts[0].headers.at("idempotency-key") != posts[1].headers.at("idempotency-key"));
  CHECK(posts[2].headers.at("idempotency-key") == "mine");
  for (auto const& read : server.asked("GET")) {
    CHECK_FALSE(read.headers.contains("idempotency-key"));
  }
}

TEST_CASE("a request that nobody took is not sent again") {
  auto const said = runbookctl({"resume", run_a}, {.address = "http://127.0.0.1:1"});
  CHECK(said.exit == 10);
  CHECK(said.err.find("Idempotency") == std::string::npos);
  CHECK(said.err.find("not known") == std::string::npos);
}

TEST_CASE("escape sequences in the daemon's words do not reach the terminal") {
  auto const said = answered_with(
      {.status = 409, .body = problem(409, "illegal-transition", "bad \x1b[31mred").dump()},
      {"retry", run_a});
  CHECK(said.err.find('\x1b') == std::string::npos);
}

TEST_CASE("a name that would break the request's header is refused") {
  auto const said = runbookctl({"resume", run_a, "--actor", "a\r\nX: y"}, {});
  CHECK(said.exit == 2);
}

TEST_CASE("an address that cannot be is wrong usage") {
  CHECK(runbookctl({"status", "--addr", "https://local host"}, {}).exit == 2);
}

TEST_CASE("the tool speaks over a Unix socket") {
  auto const path = "/tmp/runbookctl-test-" + std::to_string(::getpid()) + ".sock";
  CannedServer const server([](Asked const&) { return Canned{.body = R"({"runs":[]})"}; }, path);
  auto const said = runbookctl({"status"}, {.address = server.address()});
  CHECK(said.exit == 0);
  CHECK(server.asked().at(0).headers.at("host") == "localhost");
}
