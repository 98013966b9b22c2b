// The entry around a handler: what is recorded, in which order things are checked, and what goes
// out when nothing can be recorded.
#include "web/recorded.h"

#include <map>

#include <doctest/doctest.h>

#include "tests/web/asking.h"
#include "web/router.h"

namespace runbookd::web::test {
namespace {

constexpr auto run_path = "/api/v1/runs/run_1/";

struct Desk {
  FakeService service;
  Desk() { service.runs["run_1"]; }
  Response verb(std::string const& name, std::string const& body = "{}", Headers headers = {}) {
    return post(service, run_path + name, body, std::move(headers));
  }
  std::vector<Asked> const& begun() const { return service.book.begun; }
};

Headers with_key(std::string key) { return {{"idempotency-key", std::move(key)}}; }

}  // namespace

TEST_CASE("every route has an action of its own name, and verbs have their own word") {
  CHECK(action_of("POST", "/api/v1/runs/{run}/start") == "start");
  CHECK(action_of("POST", "/api/v1/runs") == "runs.create");
  CHECK(action_of("DELETE", "/api/v1/tokens/{token}") == "tokens.delete");
  CHECK(action_of("PUT", "/api/v1/hold") == "hold.set");
  CHECK(action_of("GET", "/api/v1/audit/export") == "audit.export");
  std::map<std::string, int> times;
  for (auto const& route : route_names()) {
    if (route.recorded) {
      ++times[action_of(route.method, route.pattern)];
    }
  }
  for (auto const& [action, count] : times) {
    CAPTURE(action);
    CHECK_FALSE(action.empty());
    CHECK(count == 1);
  }
}

TEST_CASE("whatever may change something is recorded, and of what only looks the audit alone") {
  for (auto const& route : route_names()) {
    CAPTURE(route.method);
    CAPTURE(route.pattern);
    bool const only_looks = route.method == "GET" || route.pattern == "/api/v1/plans/validate" ||
                            route.pattern.ends_with("/ways-back");
    CHECK(route.recorded == (!only_looks || route.needs == planner::Capability::read_audit));
  }
}

TEST_CASE_FIXTURE(Desk, "an entry says who asked for what, on which run, why, and what was seen") {
  verb("advance", R"({"to_phase":"backfill","reason":"checks are green"})",
       {{"if-match", "\"17\""}, {"runbook-actor", "ana"}, {"user-agent", "curl"}});
  REQUIRE(begun().size() == 1);
  auto const& asked = begun().front();
  CHECK(asked.action == "advance");
  CHECK(asked.actor == "ana");
  CHECK_FALSE(asked.proven);
  CHECK(asked.auth == "local");
  CHECK(asked.run == "run_1");
  CHECK(asked.phase == "backfill");
  CHECK(asked.reason == "checks are green");
  CHECK(asked.saw == 17);
  CHECK(asked.agent == "curl");
  CHECK(asked.path == "/api/v1/runs/run_1/advance");
  CHECK_FALSE(asked.stops);
}

TEST_CASE_FIXTURE(Desk, "what stops is marked as such, so that it is done unrecorded too") {
  verb("pause");
  verb("throttle", R"({"ratio":"30%"})");
  verb("cancel");
  verb("resume");
  REQUIRE(begun().size() == 4);
  CHECK(begun()[0].stops);
  CHECK(begun()[1].stops);
  CHECK(begun()[2].stops);
  CHECK_FALSE(begun()[3].stops);
}

TEST_CASE_FIXTURE(Desk, "a refusal is recorded with its status, whoever refused") {
  verb("start", "[");
  service.doorman.caller = {
      .principal = {.name = "vic", .grants = {{.role = planner::Role::viewer}}},
      .by = Caller::By::token,
      .token = "0123abcd"};
  verb("start");
  REQUIRE(begun().size() == 2);
  CHECK(service.book.ended == std::vector<int>{400, 403});
  CHECK(begun()[1].token == "0123abcd");
  CHECK(begun()[1].roles == "viewer");
}

TEST_CASE_FIXTURE(Desk, "of those whom nobody knows there is no entry") {
  service.doorman.caller = {};
  CHECK(verb("start").status == 401);
  CHECK(begun().empty());
}

TEST_CASE_FIXTURE(Desk, "a rehearsed verb leaves no entry") {
  post(service, std::string(run_path) + "start?dry_run=true", "{}");
  CHECK(begun().empty());
}

TEST_CASE_FIXTURE(Desk, "what had to be recorded first and could not be is refused") {
  service.book.refuse =
      planner::Error{.code = planner::ErrorCode::audit_unavailable, .detail = "the disk is full"};
  auto const answer = verb("start");
  CHECK(answer.status == 503);
  CHECK(code_of(answer) == "audit-unavailable");
  CHECK(header_of(answer, "Retry-After") == "2");
}

TEST_CASE_FIXTURE(Desk, "every answer that is recorded names its entry") {
  CHECK(header_of(verb("start"), "Runbook-Request") == "0123456789abcdef");
}

TEST_CASE_FIXTURE(Desk, "the same request with the same key is answered again, and asked once") {
  auto const first = verb("start", R"({"reason":"x"})", with_key("k1"));
  auto const again = verb("start", R"({"reason":"x"})", with_key("\"k1\""));
  CHECK(again.status == first.status);
  CHECK(again.body == first.body);
  CHECK(header_of(first, "Idempotency-Replayed").empty());
  CHECK(header_of(again, "Idempotency-Replayed") == "true");
  CHECK(service.submitted == 1);
}

TEST_CASE_FIXTURE(Desk, "a key stands for who asks, what, and on which path") {
  verb("start", "{}", with_key("k1"));
  verb("resume", "{}", with_key("k1"));
  verb("start", "{}", {{"idempotency-key", "k1"}, {"runbook-actor", "ben"}});
  auto const& keys = service.book.keys;
  REQUIRE(keys.size() == 3);
  CHECK(keys[0].scope != keys[1].scope);
  CHECK(keys[0].scope != keys[2].scope);
  CHECK(service.submitted == 3);
}

TEST_CASE_FIXTURE(Desk, "a key's fingerprint covers the body and If-Match") {
  service.book.refuse_key = std::nullopt;
  verb("start", "{}", with_key("k1"));
  verb("start", R"({"reason":"x"})", with_key("k2"));
  verb("start", "{}", {{"idempotency-key", "k3"}, {"if-match", "\"1\""}});
  auto const& keys = service.book.keys;
  REQUIRE(keys.size() == 3);
  CHECK(keys[0].fingerprint != keys[1].fingerprint);
  CHECK(keys[0].fingerprint != keys[2].fingerprint);
}

TEST_CASE_FIXTURE(Desk, "the key is looked at after the caller's rights and before the body") {
  service.book.refuse_key = planner::Error{
      .code = planner::ErrorCode::request_in_progress, .detail = "under way", .retry_after = 1};
  auto const answer = verb("start", "[", with_key("k1"));
  CHECK(answer.status == 409);
  CHECK(code_of(answer) == "request-in-progress");
  CHECK(header_of(answer, "Retry-After") == "1");
  service.doorman.caller = {
      .principal = {.name = "vic", .grants = {{.role = planner::Role::viewer}}},
      .by = Caller::By::token};
  CHECK(verb("start", "[", with_key("k1")).status == 403);
  CHECK(service.submitted == 0);
}

TEST_CASE_FIXTURE(Desk, "a key that is none is refused, and nothing is done") {
  for (auto const& key :
       {std::string(), std::string("a b"), std::string(256, 'x'), std::string("\xC3\xA4")}) {
    CAPTURE(key);
    CHECK(verb("start", "{}", with_key(key)).status == 400);
  }
  CHECK(service.submitted == 0);
}

TEST_CASE_FIXTURE(Desk, "the audit is searched by what the query names") {
  CHECK(ask(service, "GET",
            "/api/v1/audit?actor=ana&action=start&run=run_1&outcome=denied&limit=9"
            "&cursor=77")
            .status == 200);
  CHECK(service.book.searched == "search ana,start,run_1,denied,9,77");
  CHECK(ask(service, "GET", "/api/v1/audit?since=yesterday").status == 400);
  CHECK(ask(service, "GET", "/api/v1/audit?who=ana").status == 400);
}

TEST_CASE_FIXTURE(Desk, "an export comes in parts, as lines of JSON") {
  auto const answer = ask(service, "GET", "/api/v1/audit/export");
  CHECK(answer.content_type == "application/x-ndjson");
  REQUIRE(answer.parts);
  CHECK(answer.parts().value() == "{\"audit\":1}\n");
  CHECK(answer.parts().value() == "{\"audit\":1}\n");
  CHECK(answer.parts().value().empty());
}

}  // namespace runbookd::web::test
