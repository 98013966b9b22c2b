// Who may do what, asked of a real daemon: every route that it has, by every role.
#include <array>
#include <fstream>
#include <map>
#include <set>

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/e2e/scenario.h"
#include "tests/support/free_port.h"
#include "tests/web/client.h"

namespace runbookd::testing {
namespace {

// The table as people read it; planner/access says the same as code.
std::map<std::string, std::set<std::string>> const roles_that_may{
    {"known", {"viewer", "auditor", "oncall", "approver", "operator", "admin"}},
    {"read", {"viewer", "auditor", "oncall", "approver", "operator", "admin"}},
    {"read_audit", {"auditor", "admin"}},
    {"stop", {"oncall", "operator", "admin"}},
    {"roll_back", {"oncall", "operator", "admin"}},
    {"approve", {"approver", "admin"}},
    {"operate", {"operator", "admin"}},
    {"administer", {"admin"}},
};

// A daemon on TCP and its socket; nobody connects to its target.
struct Gate {
  int port = free_port();
  RunningDaemon daemon{{.targets = {{"billing-eu", "host=127.0.0.1 port=1 dbname=x"},
                                    {"shop", "host=127.0.0.1 port=1 dbname=y"}},
                        .also_listen = "127.0.0.1:" + std::to_string(port)}};

  Reply ask(std::string const& method, std::string const& path, std::string const& token,
            std::string const& body = "{}", std::string const& more = "") const {
    web::test::Client client("127.0.0.1:" + std::to_string(port));
    auto headers = "Host: 127.0.0.1\r\n" + more;
    headers += token.empty() ? "" : "Authorization: Bearer " + token + "\r\n";
    if (method != "GET") {
      headers +=
          "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
          "\r\n";
    }
    client.send(method + " " + path + " HTTP/1.1\r\n" + headers + "\r\n" +
                (method == "GET" ? "" : body));
    auto const answer = client.read_answer();
    auto parsed = json::parse(answer.body, nullptr, false);
    return {.status = answer.status,
            .body = parsed.is_discarded() ? json(answer.body) : std::move(parsed),
            .headers = answer.headers};
  }
  // By the host's own command, which asks the running daemon.
  std::string token(std::string const& principal, std::vector<std::string> const& roles,
                    std::string const& expires = "") const {
    std::vector<std::string> command{
        runbookd_program(), "--config", daemon.folder() + "/runbookd.yaml", "token", "create",
        "--principal",      principal};
    for (auto const& role : roles) {
      command.insert(command.end(), {"--role", role});
    }
    if (!expires.empty()) {
      command.insert(command.end(), {"--expires", expires});
    }
    auto const made = run_program(command);
    CAPTURE(made.err);
    REQUIRE(made.exit_code == 0);
    return made.out.substr(0, made.out.find('\n'));
  }
  std::string run_on(std::string const& target, std::string const& token) const {
    auto const plan =
        ask("POST", "/api/v1/plans", token,
            json{{"runbook", 1},
                 {"name", "p"},
                 {"oncall_rollback", true},
                 {"phases",
                  {{{"name", "one"},
                    {"kind", "other"},
                    {"steps", {{{"name", "s"}, {"sql", "SELECT 1"}, {"rollback", "SELECT 1"}}}}}}}}
                .dump());
    REQUIRE_MESSAGE(plan.status < 300, plan.body.dump());
    auto const run = ask("POST", "/api/v1/runs", token,
                         json{{"plan", plan.body["digest"]}, {"target", target}}.dump());
    REQUIRE_MESSAGE(run.status == 201, run.body.dump());
    return run.body["run"];
  }
};

std::string filled(std::string path, std::string const& run) {
  auto const put = [&path](std::string const& name, std::string const& value) {
    if (auto const at = path.find(name); at != std::string::npos) {
      path.replace(at, name.size(), value);
    }
  };
  put("{run}", run);
  put("{phase}", "one");
  put("{step}", "s");
  put("{target}", "billing-eu");
  put("{digest}", "sha256:000000000000");
  put("{token}", "00000000");
  put("{slug}", "internal");
  return path;
}

bool is_refusal(Reply const& reply) {
  return reply.status == 401 || (reply.status == 403 && reply.body.is_object() &&
                                 reply.body["code"] == "capability-missing");
}

}  // namespace

TEST_CASE("every route answers every role as the table says, and nobody else at all") {
  Gate gate;
  auto const admin = gate.token("root", {"admin"});
  auto const run = gate.run_on("billing-eu", admin);
  std::map<std::string, std::string> tokens;
  for (auto const* role : {"viewer", "auditor", "oncall", "approver", "operator", "admin"}) {
    tokens[role] = gate.token(role, {role});
  }
  auto const elsewhere = gate.token("eve", {"admin@shop"});
  auto const nothing = gate.token("nil", {"viewer@nothing-*"});
  auto const expired = gate.token("old", {"admin"}, "1ms");
  auto const revoked = gate.token("gone", {"admin"});
  auto const id = revoked.substr(4, 8);
  REQUIRE(gate.ask("DELETE", "/api/v1/tokens/" + id, admin).status == 200);
  auto const bad = admin.substr(0, admin.size() - 4) + "0000";

  int judged = 0;
  auto const routes = gate.ask("GET", "/api/v1", admin).body["routes"];
  for (auto const& route : routes) {
    std::string const method = route["method"], pattern = route["path"], needs = route["needs"];
    CAPTURE(method);
    CAPTURE(pattern);
    if (needs == "open" || pattern == "/api/v1/session") {
      CHECK_FALSE(gate.ask(method, filled(pattern, run), "").status == 403);
      continue;
    }
    REQUIRE(roles_that_may.contains(needs));
    auto const path = filled(pattern, run);
    for (auto const& [role, token] : tokens) {
      CAPTURE(role);
      auto const reply = gate.ask(method, path, token);
      CHECK(is_refusal(reply) != roles_that_may.at(needs).contains(role));
      CHECK(reply.status != 401);
      ++judged;
    }
    for (auto const& token : {std::string(), bad, expired, revoked, std::string("rbd_x_y")}) {
      CAPTURE(token);
      auto const reply = gate.ask(method, path, token);
      CHECK((reply.status == 401 || (reply.status == 429 && !token.empty())));
      CHECK((reply.status == 429 || reply.headers.contains("www-authenticate")));
      CHECK_FALSE(reply.body["next"].get<std::string>().empty());
    }
    bool const of_a_target =
        pattern.find("{run}") != std::string::npos || pattern.find("{target}") != std::string::npos;
    if (of_a_target) {
      bool const of_a_run = pattern.find("{run}") != std::string::npos;
      auto const foreign = gate.ask(method, path, elsewhere);
      CHECK(foreign.status == (of_a_run ? 404 : 403));
      auto const missing = gate.ask(method, filled(pattern, "run_000000000000"), elsewhere);
      CHECK((!of_a_run || foreign.status == missing.status));
      CHECK(gate.ask(method, path, nothing).status ==
            (of_a_run && roles_that_may.at(needs).contains("viewer") ? 404 : 403));
    }
  }
  CHECK(judged > 150);
}

TEST_CASE("what is recorded is the token's principal, and no name that the caller claims") {
  Gate gate;
  auto const ana = gate.token("ana", {"operator", "approver"});
  auto const run = gate.run_on("shop", ana);
  auto const paused =
      gate.ask("POST", "/api/v1/runs/" + run + "/start", ana, "{}", "Runbook-Actor: ben\r\n");
  CHECK(paused.status < 300);
  auto const events =
      gate.ask("GET", "/api/v1/runs/" + run + "/events?limit=50", ana).body["events"];
  CHECK(events.size() >= 2);
  for (auto const& event : events) {
    CHECK(event["actor"] != "ben");
  }
  auto const shown = gate.ask("GET", "/api/v1/runs/" + run, ana).body;
  CHECK(shown["created_by"] == "ana");
  CHECK(shown["last_actor"] == "ana");
}

TEST_CASE("users in the settings end local mode for good, also where they are taken out again") {
  auto const port = free_port();
  RunningDaemon daemon({.also_listen = "127.0.0.1:" + std::to_string(port)});
  auto const whoami = [&] {
    return web::test::Client("127.0.0.1:" + std::to_string(port)).get("/api/v1/whoami").status;
  };
  CHECK(whoami() == 200);
  auto const settings = daemon.folder() + "/runbookd.yaml";
  auto const without = file_text(settings);
  std::ofstream(settings) << without << "access: {users: {ana: operator}}\n";
  daemon.restart();
  CHECK(whoami() == 401);
  CHECK(daemon.log().find("local mode has ended for good: users stand in") != std::string::npos);
  std::ofstream(settings) << without;
  daemon.restart();
  CHECK(whoami() == 401);
}

TEST_CASE("what becomes of tokens is in the log, wrong ones once a minute, and no secret") {
  Gate gate;
  auto const admin = gate.token("root", {"admin"});
  auto const other = gate.token("ana", {"viewer"});
  auto const id = other.substr(4, 8);
  CHECK(gate.ask("DELETE", "/api/v1/tokens/" + id, admin).status == 200);
  for (int i = 0; i < 20; ++i) {
    gate.ask("GET", "/api/v1", "rbd_0_0");
  }
  auto const log = gate.daemon.log();
  auto const count = [&](std::string const& part) {
    int found = 0;
    for (auto at = log.find(part); at != std::string::npos; at = log.find(part, at + 1)) {
      ++found;
    }
    return found;
  };
  CHECK(count("token made") == 2);
  CHECK(count("local mode has ended for good") == 1);
  CHECK(count("token revoked") == 1);
  CHECK(count("a token came that is not one of this daemon's") == 1);
  CHECK(count(admin.substr(13)) + count(other.substr(13)) == 0);
}

TEST_CASE("whoever may read some targets sees no plan that ran on others only, and no metrics") {
  Gate gate;
  auto const admin = gate.token("root", {"admin"});
  auto const shop = gate.token("eve", {"viewer@shop"});
  auto const billing = gate.token("ben", {"viewer@billing-*"});
  auto const run = gate.run_on("shop", admin);
  std::string const digest = gate.ask("GET", "/api/v1/runs/" + run, admin).body["plan"]["digest"];
  CHECK(gate.ask("GET", "/api/v1/plans", shop).body["plans"].size() == 1);
  CHECK(gate.ask("GET", "/api/v1/plans", billing).body["plans"].empty());
  CHECK(gate.ask("GET", "/api/v1/plans/" + digest, shop).status == 200);
  auto const hidden = gate.ask("GET", "/api/v1/plans/" + digest, billing);
  auto const missing = gate.ask("GET", "/api/v1/plans/sha256:000000000000", billing);
  CHECK(hidden.status == missing.status);
  CHECK(hidden.body["code"] == missing.body["code"]);
  CHECK(gate.ask("GET", "/metrics", billing).status == 403);
  CHECK(gate.ask("GET", "/metrics", admin).status == 200);
}

TEST_CASE("a run on a target that the caller may not read is answered as one that is not there") {
  Gate gate;
  auto const admin = gate.token("root", {"admin"});
  auto const billing = gate.token("ben", {"operator@billing-*"});
  auto const viewer = gate.token("vic", {"viewer@billing-*"});
  auto const run = gate.run_on("shop", admin);
  for (auto const* path : {"", "/events", "/steps", "/pause", "/start"}) {
    auto const method = path[0] == '/' && (path[1] == 'p' || path == std::string("/start"))
                            ? std::string("POST")
                            : std::string("GET");
    auto foreign = gate.ask(method, "/api/v1/runs/" + run + path, billing);
    auto const missing =
        gate.ask(method, "/api/v1/runs/run_000000000000" + std::string(path), billing);
    CAPTURE(path);
    CHECK(foreign.status == 404);
    auto seen_as = gate.ask("POST", "/api/v1/runs/" + run + "/pause", viewer);
    auto const not_there = gate.ask("POST", "/api/v1/runs/run_000000000000/pause", viewer);
    CHECK(seen_as.status == 403);
    CHECK(seen_as.body == not_there.body);
    foreign.body["detail"] = missing.body["detail"];
    CHECK(foreign.body == missing.body);
  }
}

TEST_CASE("a caller sees of runs, targets and verbs what his roles allow") {
  Gate gate;
  auto const admin = gate.token("root", {"admin"});
  auto const billing = gate.token("ben", {"operator@billing-*"});
  auto const viewer = gate.token("vic", {"viewer"});
  auto const of_billing = gate.run_on("billing-eu", admin);
  auto const of_shop = gate.run_on("shop", admin);

  auto const runs = gate.ask("GET", "/api/v1/runs", billing).body["runs"];
  REQUIRE(runs.size() == 1);
  CHECK(runs[0]["run"] == of_billing);
  CHECK(gate.ask("GET", "/api/v1/runs", viewer).body["runs"].size() == 2);
  CHECK(gate.ask("GET", "/api/v1", billing).body["targets"].size() == 1);
  CHECK(gate.ask("GET", "/api/v1/runs/" + of_shop, billing).status == 404);
  CHECK(gate.ask("POST", "/api/v1/runs", billing,
                 json{{"plan", gate.ask("GET", "/api/v1/plans", admin).body["plans"][0]["digest"]},
                      {"target", "shop"}}
                     .dump())
            .status == 403);

  auto const actions = gate.ask("GET", "/api/v1/runs/" + of_billing, viewer).body["actions"];
  CHECK_FALSE(actions["start"]["allowed"].get<bool>());
  CHECK(actions["start"]["why_not"].get<std::string>().find("operator") != std::string::npos);
  CHECK(gate.ask("GET", "/api/v1/runs/" + of_billing, billing).body["actions"]["start"]["allowed"]);
}

TEST_CASE("until a token is made everybody is served, and is told so") {
  Gate gate;
  auto const about = gate.ask("GET", "/api/v1", "");
  CHECK(about.status == 200);
  CHECK(about.body["local_mode"] == true);
  CHECK(about.headers.at("runbook-identity") == "local");
  CHECK(gate.daemon.log().find("local mode") != std::string::npos);
  // over TCP the system does not say who it is: nobody there is an admin
  CHECK(gate.ask("POST", "/api/v1/tokens", "", R"({"principal":"eve","roles":["admin"]})").status ==
        403);
  auto const token = gate.token("ana", {"viewer"});
  CHECK(gate.ask("GET", "/api/v1", "").status == 401);
  CHECK(gate.ask("GET", "/api/v1/whoami", token).body["principal"] == "ana");
  gate.daemon.restart();
  CHECK(gate.ask("GET", "/api/v1", "").status == 401);
  CHECK(gate.ask("GET", "/api/v1/whoami", token).status == 200);
  // root, over the socket, is never locked out
  auto const socket = gate.daemon.get("/api/v1/whoami").body;
  CHECK(socket["principal"] == "unix:root");
  CHECK(socket["roles"] == json{"admin"});
}

TEST_CASE("a token is made in the store of a daemon that does not run") {
  RunningDaemon daemon({.start = false});
  auto const config = daemon.folder() + "/runbookd.yaml";
  auto const made = run_program({runbookd_program(), "--config", config, "token", "create",
                                 "--principal", "ana", "--role", "admin"});
  REQUIRE(made.exit_code == 0);
  auto const list = run_program({runbookd_program(), "--config", config, "token", "list"});
  CHECK(json::parse(list.out)["tokens"][0]["principal"] == "ana");
  auto const wrong = run_program({runbookd_program(), "--config", config, "token", "create",
                                  "--principal", "ana", "--role", "king"});
  CHECK(wrong.exit_code == 1);
  CHECK(wrong.err.find("is no role") != std::string::npos);
  if (geteuid() == 0) {  // root's own files would keep that folder's daemon out
    REQUIRE(chown(daemon.folder().c_str(), 1, 1) == 0);
    auto const not_ours = run_program({runbookd_program(), "--config", config, "token", "list"});
    CHECK(not_ours.exit_code == 1);
    CHECK(not_ours.err.find("sudo -u daemon runbookd token") != std::string::npos);
    REQUIRE(chown(daemon.folder().c_str(), 0, 0) == 0);
  }
  daemon.start();
  CHECK(daemon.log().find("local mode") == std::string::npos);
}

TEST_CASE("runbookctl logs in with a token that is piped in, keeps it for itself, and shows it") {
  Gate gate;
  auto const token = gate.token("ana", {"operator"});
  auto const address = "http://127.0.0.1:" + std::to_string(gate.port);
  auto const home = "XDG_CONFIG_HOME=" + gate.daemon.folder();
  auto const ctl = [&](std::vector<std::string> words, std::string const& input = "") {
    std::vector<std::string> command{"/usr/bin/env", home, runbookctl_program(), "--addr", address};
    command.insert(command.end(), words.begin(), words.end());
    return run_program(command, input);
  };
  auto const before = ctl({"status"});
  CHECK(before.exit_code == 4);
  CHECK(before.err.find("try: runbookctl login") != std::string::npos);
  CHECK(ctl({"login"}, "rbd_00000000_" + std::string(64, '0')).exit_code == 4);

  auto const in = ctl({"login"}, token + "\n");
  CAPTURE(in.err);
  CHECK(in.exit_code == 0);
  CHECK(in.out.find("as ana: operator") != std::string::npos);
  CHECK(ctl({"status"}).exit_code == 0);
  CHECK(ctl({"whoami"}).out.find("ana: operator") == 0);
  auto const curl = ctl({"status", "--show-curl"});
  CHECK(curl.err.find("$(cat ") != std::string::npos);
  CHECK(curl.err.find(token) == std::string::npos);
  CHECK(ctl({"token", "list"}).exit_code == 4);

  auto const kept = gate.daemon.folder() + "/runbookctl";
  auto const files = run_program({"/usr/bin/find", kept, "-type", "f", "-perm", "600"});
  CHECK(files.out.find(".token") != std::string::npos);
  auto const path = files.out.substr(0, files.out.find('\n'));
  CHECK(chmod(path.c_str(), 0644) == 0);
  CHECK(ctl({"whoami"}).err.find("chmod 600") != std::string::npos);
  CHECK(ctl({"logout"}).exit_code == 0);
  CHECK(ctl({"whoami"}).exit_code == 4);
}

TEST_CASE("a session needs the signs of its own page for whatever changes something") {
  Gate gate;
  auto const token = gate.token("ana", {"operator"});
  auto const run = gate.run_on("shop", token);
  auto const in = gate.ask("POST", "/api/v1/session", "", json{{"token", token}}.dump());
  REQUIRE(in.status == 200);
  auto const set = in.headers.at("set-cookie");
  CHECK(set.find("HttpOnly") != std::string::npos);
  CHECK(set.find("SameSite=Strict") != std::string::npos);
  CHECK(set.find(token) == std::string::npos);
  auto const cookie = "Cookie: " + set.substr(0, set.find(';')) + "\r\n";
  auto const who = gate.ask("GET", "/api/v1/whoami", "", "", cookie).body;
  CHECK(who["principal"] == "ana");
  CHECK(who["by"] == "session");
  auto const word = "Runbook-CSRF: " + who["csrf"].get<std::string>() + "\r\n";
  std::string const own = "Origin: http://127.0.0.1\r\n", other = "Origin: http://evil.example\r\n";
  auto const pause = "/api/v1/runs/" + run + "/pause";
  CHECK(gate.ask("POST", pause, "", "{}", cookie).body["code"] == "csrf");
  CHECK(gate.ask("POST", pause, "", "{}", cookie + own).body["code"] == "csrf");
  CHECK(gate.ask("POST", pause, "", "{}", cookie + word).body["code"] == "csrf");
  CHECK(gate.ask("POST", pause, "", "{}", cookie + own + "Runbook-CSRF: 0\r\n").status == 403);
  CHECK(gate.ask("POST", pause, "", "{}", cookie + other + word).status == 403);
  CHECK(gate.ask("POST", pause, "", "{}", cookie + own + word).status == 200);
  CHECK(gate.ask("GET", "/runs/" + run, "", "", cookie).status == 200);
  CHECK(gate.ask("GET", "/runs/" + run, "").status == 401);

  CHECK(gate.ask("DELETE", "/api/v1/session", "", "{}", cookie + own + word).status == 200);
  CHECK(gate.ask("GET", "/api/v1/whoami", "", "", cookie).status == 401);
  CHECK(gate.ask("POST", "/api/v1/session", "", R"({"token":"rbd_1_2"})").status == 401);
}

TEST_CASE("a stream ends when its token is revoked") {
  Gate gate;
  auto const admin = gate.token("root", {"admin"});
  auto const token = gate.token("vic", {"viewer"});
  auto const run = gate.run_on("shop", admin);
  web::test::Client client("127.0.0.1:" + std::to_string(gate.port));
  client.send("GET /api/v1/runs/" + run +
              "/events HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n"
              "Authorization: Bearer " +
              token + "\r\n\r\n");
  CHECK(client.read_until("run.created").find("200") != std::string::npos);
  REQUIRE(gate.ask("DELETE", "/api/v1/tokens/" + token.substr(4, 8), admin).status == 200);
  gate.ask("POST", "/api/v1/runs/" + run + "/cancel", admin, R"({"confirm":"p"})");
  auto const rest = client.read_to_end();
  CHECK(rest.find("run.cancel") == std::string::npos);
}

}  // namespace runbookd::testing
