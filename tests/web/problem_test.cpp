#include "web/problem.h"

#include <set>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace runbookd;
using nlohmann::json;
using planner::Error;
using planner::ErrorCode;

namespace {

std::vector<ErrorCode> all_codes() {
  std::vector<ErrorCode> codes;
  for (int i = 0; i <= static_cast<int>(ErrorCode::internal); ++i) {
    codes.push_back(static_cast<ErrorCode>(i));
  }
  return codes;
}

json body_of(Error const& error) { return json::parse(web::problem(error).body); }

}  // namespace

TEST_CASE("every error code has an error status, a title and a help page of its own") {
  std::set<std::string_view> slugs, titles;
  for (auto const code : all_codes()) {
    auto const slug = planner::to_slug(code);
    auto const kind = web::problem_kind(code);
    CAPTURE(slug);
    CHECK(kind.status >= 400);
    CHECK(kind.status < 600);
    auto const page = web::problem_page(slug);
    REQUIRE(page);
    CHECK(page->content_type == "text/html; charset=utf-8");
    CHECK(page->body.find(kind.advice.substr(0, 10)) != std::string::npos);
    slugs.insert(slug);
    titles.insert(kind.title);
  }
  CHECK(slugs.size() == all_codes().size());
  CHECK(titles.size() == all_codes().size());
}

TEST_CASE("no page exists for a name that is no problem") {
  CHECK_FALSE(web::problem_page("no-such-problem"));
  CHECK_FALSE(web::problem_page(""));
}

TEST_CASE("a problem says type, title, status, detail and code") {
  auto const response = web::problem({.code = ErrorCode::not_found, .detail = "no run run_1"});
  CHECK(response.status == 404);
  CHECK(response.content_type == "application/problem+json");
  auto const body = json::parse(response.body);
  CHECK(body["type"] == "/api/v1/problems/not-found");
  CHECK(body["status"] == 404);
  CHECK(body["code"] == "not-found");
  CHECK(body["detail"] == "no run run_1");
  CHECK(body["title"].get<std::string>().size() > 5);
}

TEST_CASE("a request that cannot be read is told what to do about it") {
  CHECK(body_of({.code = ErrorCode::malformed, .detail = "x"})["next"] ==
        "GET /api/v1 lists every path (routes)");
  CHECK(body_of({.code = ErrorCode::malformed,
                 .detail = "x",
                 .findings = {{.rule = "body/unknown-key"}}})["next"] ==
        "correct what errors names, and send it again");
  CHECK(body_of({.code = ErrorCode::malformed, .detail = "x", .next = "y"})["next"] == "y");
}

TEST_CASE("what a problem does not know it leaves out") {
  auto const body = body_of({.code = ErrorCode::not_found, .detail = "x"});
  for (auto const* key : {"state", "allowed_actions", "next", "errors", "sqlstate"}) {
    CAPTURE(key);
    CHECK_FALSE(body.contains(key));
  }
}

TEST_CASE("a refusing run says its state and the verbs that fit") {
  auto const body = body_of({.code = ErrorCode::illegal_transition,
                             .detail = "x",
                             .next = "runbookctl pause run_1",
                             .state = "running",
                             .allowed = {"pause", "cancel"}});
  CHECK(body["state"] == "running");
  CHECK(body["allowed_actions"] == json{"pause", "cancel"});
  CHECK(body["next"] == "runbookctl pause run_1");
}

TEST_CASE("a final run says that no verb fits") {
  auto const body =
      body_of({.code = ErrorCode::illegal_transition, .detail = "x", .state = "succeeded"});
  CHECK(body["allowed_actions"] == json::array());
}

TEST_CASE("findings keep file, line, column, fix and step") {
  auto const body = body_of({.code = ErrorCode::plan_invalid,
                             .detail = "x",
                             .findings = {{.rule = "sql/syntax",
                                           .severity = planner::Severity::warning,
                                           .place = {"plan.yaml", 3, 7},
                                           .message = "m",
                                           .fix = "f",
                                           .step = "p/s"}}});
  auto const& error = body["errors"].at(0);
  CHECK(error["file"] == "plan.yaml");
  CHECK(error["line"] == 3);
  CHECK(error["column"] == 7);
  CHECK(error["rule"] == "sql/syntax");
  CHECK(error["severity"] == "warning");
  CHECK(error["fix"] == "f");
  CHECK(error["step"] == "p/s");
}

TEST_CASE("a problem of the request itself has a pointer and no file") {
  auto const body = body_of(
      {.code = ErrorCode::malformed, .detail = "x", .findings = {{.place = {.file = "#/mode"}}}});
  CHECK(body["errors"].at(0)["pointer"] == "#/mode");
  CHECK_FALSE(body["errors"].at(0).contains("file"));
}

TEST_CASE("what the target said keeps its SQLSTATE") {
  CHECK(body_of({.code = ErrorCode::target_refused, .sqlstate = "42501"})["sqlstate"] == "42501");
}

TEST_CASE("a problem can carry bytes that are no UTF-8") {
  CHECK_NOTHROW(body_of({.code = ErrorCode::target_refused, .detail = "caf\xe9"}));
}

TEST_CASE("what passes by itself says when to come back") {
  auto const response = web::problem({.code = ErrorCode::draining});
  REQUIRE(response.headers.size() == 1);
  CHECK(response.headers[0].name == "Retry-After");
}

TEST_CASE("a page escapes what stands in its title") {
  CHECK(web::html_page("<b>&", "").body.find("&lt;b&gt;&amp;") != std::string::npos);
}
