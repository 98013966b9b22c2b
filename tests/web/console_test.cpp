#include <string>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "tests/web/asking.h"
#include "web/console_assets.h"

using namespace runbookd::web;
using namespace runbookd::web::test;
using nlohmann::json;

namespace {

// What a page was given to begin with, by the question that it answers.
json told_by(Response const& page) {
  constexpr std::string_view begin = "id=\"told\">";
  auto const from = page.body.find(begin) + begin.size();
  return json::parse(page.body.substr(from, page.body.find("</script>", from) - from));
}

std::string address_of(std::string_view file) {
  return "/console/" + std::string(console_version()) + "/" + std::string(file);
}

bool has_console() { return !console_assets().empty(); }

}  // namespace

TEST_CASE("a program without the console says so and leads to the API") {
  if (has_console()) {
    return;
  }
  FakeService service;
  for (auto const* path : {"/", "/history", "/plans", "/runs/run_1"}) {
    auto const page = ask(service, "GET", path);
    CHECK(page.status == 200);
    CHECK(page.body.find("RUNBOOKD_CONSOLE=OFF") != std::string::npos);
    CHECK(page.body.find("src=") == std::string::npos);
  }
}

TEST_CASE("a page brings the API's own answers along") {
  if (!has_console()) {
    return;
  }
  FakeService service;
  service.runs["run_1"];
  auto const page = ask(service, "GET", "/runs/run_1");
  CHECK(page.status == 200);
  auto const told = told_by(page);
  CHECK(told["/api/v1/runs/run_1"] == json::parse(ask(service, "GET", "/api/v1/runs/run_1").body));
  CHECK(told["/api/v1"]["version"] == "test");
}

TEST_CASE("the page of a plan brings the plan along, by its digest") {
  if (!has_console()) {
    return;
  }
  FakeService service;
  auto const page = ask(service, "GET", "/plans/sha256:0123abcd");
  CHECK(page.status == 200);
  CHECK(told_by(page).contains("/api/v1/plans/sha256:0123abcd"));
}

TEST_CASE("nothing that a run says ends the element that it stands in") {
  if (!has_console()) {
    return;
  }
  FakeService service;
  service.runs["run_1"].state = "</script><script>x()</script><!--";
  auto const page = ask(service, "GET", "/runs/run_1");
  CHECK(page.body.find("<script>x()") == std::string::npos);
  CHECK(told_by(page)["/api/v1/runs/run_1"]["state"] == "</script><script>x()</script><!--");
}

TEST_CASE("the page of a run that is not there says so by its status") {
  if (!has_console()) {
    return;
  }
  FakeService service;
  for (auto const* path : {"/runs/run_2", "/runs/..%2f..%2fplans", "/runs/x%3Fy%22%3E"}) {
    CAPTURE(path);
    auto const page = ask(service, "GET", path);
    CHECK(page.status == 404);
    CHECK(told_by(page).size() == 2);
  }
}

TEST_CASE("pages are never kept, and run nothing but our own files") {
  if (!has_console()) {
    return;
  }
  FakeService service;
  auto const page = ask(service, "GET", "/");
  auto const policy = header_of(page, "Content-Security-Policy");
  CHECK(policy.starts_with("default-src 'none'; script-src 'self';"));
  CHECK(policy.find("unsafe") == std::string::npos);
  CHECK(policy.find("require-trusted-types-for 'script'") != std::string::npos);
  CHECK(header_of(page, "Cache-Control").empty());  // the wire then says no-store
}

TEST_CASE("the console's files are kept for good, under a name that only this build answers") {
  if (!has_console()) {
    return;
  }
  FakeService service;
  auto const file = ask(service, "GET", address_of("main.js"));
  CHECK(file.status == 200);
  CHECK(header_of(file, "Content-Encoding") == "gzip");
  CHECK(header_of(file, "Cache-Control").find("immutable") != std::string::npos);
  auto const again =
      ask(service, "GET", address_of("main.js"), "", {{"if-none-match", header_of(file, "ETag")}});
  CHECK(again.status == 304);
  CHECK(again.body.empty());
  CHECK(ask(service, "GET", address_of("nothing.js")).status == 404);
  CHECK(ask(service, "GET", "/console/0123456789abcdef/main.js").status == 404);
  auto const plain =
      ask(service, "GET", address_of("main.js"), "", {{"accept-encoding", "identity"}});
  CHECK(code_of(plain) == "not-acceptable");
}
