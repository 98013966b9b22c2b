#include "web/router.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "tests/web/asking.h"
#include "web/plan_schema.h"

using namespace runbookd::web;
using namespace runbookd::web::test;
using nlohmann::json;

TEST_CASE("every route of the table is found by a path of its pattern") {
  FakeService service;
  service.runs["x"];
  for (auto const& route : route_names()) {
    CAPTURE(route.pattern);
    std::string path(route.pattern);
    for (auto at = path.find('{'); at != std::string::npos; at = path.find('{')) {
      path = path.substr(0, at).append("x").append(path.substr(path.find('}') + 1));
    }
    auto const response = ask(service, std::string(route.method), path);
    if (path != "/api/v1/problems/x" && path != "/console/x/x") {
      CHECK(response.status != 404);
    }
    CHECK(response.status != 405);
  }
}

TEST_CASE("a path that does not exist is a problem, not silence") {
  FakeService service;
  for (auto const* path :
       {"/nothing", "/api", "/api/v2", "/api/v1/", "/api/v1/runs/", "/api/v1/runs//steps", "//",
        "/api/v1/runs/x/explode", "/api/v1/runs/x/steps/p", "/API/v1"}) {
    CAPTURE(path);
    auto const response = ask(service, "GET", path);
    CHECK(response.status == 404);
    CHECK(json::parse(response.body)["code"] == "not-found");
  }
}

TEST_CASE("a method that a path does not take is refused with those that it takes") {
  FakeService service;
  auto const response = ask(service, "DELETE", "/api/v1/runs");
  CHECK(response.status == 405);
  CHECK(header_of(response, "Allow") == "GET, HEAD, POST");
  CHECK(header_of(ask(service, "GET", "/api/v1/runs/x/pause"), "Allow") == "POST");
  CHECK(ask(service, "BREW", "/").status == 405);
  CHECK(ask(service, "OPTIONS", "/api/v1").status == 405);
}

TEST_CASE("no other verb than those of the table reaches a run") {
  FakeService service;
  service.runs["x"];
  CHECK(ask(service, "POST", "/api/v1/runs/x/explode").status == 404);
  CHECK(service.submitted == 0);
}

TEST_CASE("HEAD is answered like GET") {
  FakeService service;
  CHECK(ask(service, "HEAD", "/livez").status == 200);
}

TEST_CASE("the daemon says that it lives") {
  FakeService service;
  CHECK(json::parse(ask(service, "GET", "/livez").body)["live"] == true);
}

TEST_CASE("readiness is a status and a list of checks") {
  FakeService service;
  CHECK(ask(service, "GET", "/readyz").status == 200);
  service.ready_now = false;
  auto const response = ask(service, "GET", "/readyz");
  CHECK(response.status == 503);
  CHECK(json::parse(response.body)["ready"] == false);
}

TEST_CASE("the API's root says what it is, and every path with what it asks of its caller") {
  FakeService service;
  auto const root = json::parse(ask(service, "GET", "/api/v1").body);
  CHECK(root["version"] == "test");
  CHECK(root["routes"].size() == route_names().size());
  auto const has = [&root](char const* method, char const* path, char const* needs) {
    json const wanted = {{"method", method}, {"path", path}, {"needs", needs}};
    return std::find(root["routes"].begin(), root["routes"].end(), wanted) != root["routes"].end();
  };
  CHECK(has("POST", "/api/v1/runs/{run}/pause", "stop"));
  CHECK(has("GET", "/api/v1/runs/{run}/locks", "read"));
  CHECK(has("GET", "/api/v1/runs/{run}/events", "read"));
}

TEST_CASE("the schema of plans is the one of this build") {
  FakeService service;
  auto const response = ask(service, "GET", "/api/v1/schemas/plan.json");
  CHECK(response.status == 200);
  CHECK(response.body == plan_schema());
  CHECK(json::parse(response.body).is_object());
}

TEST_CASE("a problem's type leads to its page") {
  FakeService service;
  auto const missing = ask(service, "GET", "/nothing");
  auto const page = ask(service, "GET", json::parse(missing.body)["type"]);
  CHECK(page.status == 200);
  CHECK(page.body.find("not-found") != std::string::npos);
  CHECK(ask(service, "GET", "/api/v1/problems/no-such").status == 404);
}
