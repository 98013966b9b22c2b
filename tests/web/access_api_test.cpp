// Who is asking and what comes of it, without a socket; the whole table is walked by the e2e suite.
#include <string>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "tests/web/asking.h"
#include "tests/web/running_server.h"
#include "web/redaction.h"
#include "web/router.h"

using namespace runbookd::web;
using namespace runbookd::web::test;
using namespace runbookd::planner;
using nlohmann::json;

namespace {

Caller known(std::vector<std::string> const& roles) {
  return {.principal = {.name = "ana", .grants = read_grants(roles).value()},
          .by = Caller::By::token,
          .token = "0123abcd"};
}

}  // namespace

TEST_CASE("whoever is not known gets nothing but what is open, and is told where to log in") {
  FakeService service;
  service.runs["run_1"];
  service.doorman.caller = {};
  for (auto const& route : route_names()) {
    CAPTURE(route.method);
    CAPTURE(route.pattern);
    auto const answer = ask(service, std::string(route.method), std::string(route.pattern));
    if (route.needs == Capability::open) {
      CHECK((answer.status != 401 || answer.content_type.starts_with("text/html") ||
             route.pattern == "/api/v1/session"));
      continue;
    }
    CHECK(answer.status == 401);
    CHECK(code_of(answer) == "unauthenticated");
    CHECK(header_of(answer, "WWW-Authenticate").starts_with("Bearer"));
    CHECK(json::parse(answer.body)["next"] == "runbookctl login");
  }
}

TEST_CASE("nothing that changes anything is open, but for logging in") {
  for (auto const& route : route_names()) {
    if (route.method != "GET" && route.pattern != "/api/v1/session") {
      CAPTURE(route.pattern);
      CHECK(route.needs != Capability::open);
      CHECK(route.needs != Capability::known);
    }
  }
}

TEST_CASE("a token that is not valid is answered as its refusal says") {
  FakeService service;
  service.doorman.caller = {.refusal = Error{.code = ErrorCode::rate_limited, .retry_after = 7}};
  auto const answer = ask(service, "GET", "/api/v1/runs");
  CHECK(answer.status == 429);
  CHECK(header_of(answer, "Retry-After") == "7");
  CHECK(ask(service, "GET", "/livez").status == 200);
}

TEST_CASE("a role on other targets is none here, and a run that is not there is not found") {
  FakeService service;
  service.runs["run_1"];
  service.doorman.caller = known({"viewer@billing-*"});
  CHECK(code_of(ask(service, "GET", "/api/v1/runs/run_1")) == "not-found");
  service.on_target = "billing-eu";
  CHECK(ask(service, "GET", "/api/v1/runs/run_1").status == 200);
  CHECK(post(service, "/api/v1/runs/run_1/pause", "{}").status == 403);
  CHECK(service.submitted == 0);
  CHECK(ask(service, "GET", "/api/v1/runs/run_2").status == 404);
}

TEST_CASE("who is proven is recorded, and what he says of himself is not") {
  FakeService service;
  service.runs["run_1"];
  service.doorman.caller = known({"operator"});
  post(service, "/api/v1/runs/run_1/pause", "{}", {{"runbook-actor", "the boss"}});
  CHECK(service.command.actor == "ana");
  post(service, "/api/v1/runs", R"({"plan":"p","target":"t"})", {{"runbook-actor", "the boss"}});
  CHECK(service.run_request.actor == "ana");
}

TEST_CASE("whoami says the name, the roles and how they are known") {
  FakeService service;
  service.doorman.caller = known({"oncall", "viewer@shop"});
  auto const me = json::parse(ask(service, "GET", "/api/v1/whoami").body);
  CHECK(me["principal"] == "ana");
  CHECK(me["roles"] == json{"oncall", "viewer@shop"});
  CHECK(me["by"] == "token");
  CHECK(me["local_mode"] == false);
  service.doorman.caller = FakeGate::everybody();
  CHECK(json::parse(ask(service, "GET", "/api/v1/whoami").body)["local_mode"] == true);
}

TEST_CASE("tokens are an admin's, and what asks for one is read strictly") {
  FakeService service;
  service.doorman.caller = known({"operator"});
  auto const wish = R"({"principal":"ben","roles":["viewer"],"lasts":"90d"})";
  CHECK(post(service, "/api/v1/tokens", wish).status == 403);
  service.doorman.caller = known({"admin"});
  CHECK(post(service, "/api/v1/tokens", wish).status == 201);
  CHECK(service.doorman.asked == "create_token ben by ana");
  for (auto const* wrong :
       {"{}", R"({"principal":"ben"})", R"({"principal":"ben","roles":"viewer"})",
        R"({"principal":"a\nb","roles":["viewer"]})", R"({"principal":"ana ","roles":["viewer"]})",
        R"({"principal":"unix:root","roles":["viewer"]})",
        R"({"principal":"аna","roles":["viewer"]})", R"({"principal":"","roles":["viewer"]})",
        R"({"principal":"ben","roles":[]})",
        R"({"principal":"ben","roles":["viewer"],"lasts":"soon"})",
        R"({"principal":"ben","roles":["viewer"],"lasts":"0s"})",
        R"({"principal":"ben","roles":[1]})", R"({"principal":"ben","roles":["viewer"],"x":1})"}) {
    CAPTURE(wrong);
    CHECK(post(service, "/api/v1/tokens", wrong).status == 400);
  }
  CHECK(ask(service, "DELETE", "/api/v1/tokens/0123abcd").status == 200);
  CHECK(service.doorman.asked == "revoke_token 0123abcd by ana");
}

TEST_CASE("a session's cookie is for the browser alone") {
  FakeService service;
  auto const begun = post(service, "/api/v1/session", R"({"token":"rbd_x"})");
  CHECK(begun.status == 200);
  CHECK(service.doorman.asked == "open_session rbd_x");
  CHECK(header_of(begun, "Set-Cookie") ==
        "runbookd_session=c00c1e; Path=/; HttpOnly; SameSite=Strict; Max-Age=28800");
  CHECK(post(service, "/api/v1/session", "{}").status == 400);
  CHECK(
      ask(service, "POST", "/api/v1/session", R"({"token":"x"})", {{"content-type", "text/plain"}})
          .status == 415);
}

TEST_CASE("queries of other sessions are taken out of whatever lists them") {
  auto const text = R"({"live":{"blockers":[{"pid":1,"query":"SELECT secret"}]},
    "waiters":[{"pid":2,"query":"UPDATE secret"}],"sessions":[{"query":"ALTER TABLE t"}],
    "phases":[{"steps":[{"attempts":[{"blockers":[{"query":"DELETE secret"}]}]}]}]})";
  auto const shown = without_queries(text);
  CHECK(shown.find("secret") == std::string::npos);
  CHECK(shown.find("ALTER TABLE t") != std::string::npos);
  CHECK(json::parse(shown)["live"]["blockers"][0]["query_hidden"] == true);
  CHECK(json::parse(shown)["live"]["blockers"][0]["pid"] == 1);
  CHECK(without_queries(R"({"state":"paused"})") == R"({"state":"paused"})");
}

TEST_CASE("a body is not read from whoever is not known") {
  RunningServer server({}, [](FakeService& service) { service.doorman.caller = {}; });
  auto client = server.client();
  // more is announced than is ever sent: who waited for it would not answer
  client.send(
      "POST /api/v1/plans HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/yaml\r\n"
      "Content-Length: 1000000\r\n\r\nrunbook: 1");
  CHECK(client.read_answer().status == 401);
}
