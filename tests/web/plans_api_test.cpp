#include <doctest/doctest.h>

#include "tests/web/asking.h"

using namespace runbookd;
using namespace runbookd::web;
using namespace runbookd::web::test;
using planner::ErrorCode;

namespace {

Response upload(FakeService& service, std::string const& type, std::string const& body,
                std::string const& path = "/api/v1/plans") {
  return ask(service, "POST", path, body, {{"content-type", type}});
}

}  // namespace

TEST_CASE("a new plan is created at its digest") {
  FakeService service;
  auto const response = upload(service, "application/yaml", "name: p");
  CHECK(response.status == 201);
  CHECK(header_of(response, "Location") == "/api/v1/plans/sha256:0123");
  CHECK(service.upload.text == "name: p");
  CHECK(service.upload.file_name == "plan.yaml");
}

TEST_CASE("a plan carries the name of who sends it") {
  FakeService service;
  ask(service, "POST", "/api/v1/plans", "name: p",
      {{"content-type", "text/yaml"}, {"runbook-actor", "ana"}});
  CHECK(service.upload.actor == "ana");
  upload(service, "text/yaml", "name: p");
  CHECK(service.upload.actor == "local");
}

TEST_CASE("a plan from an actor without a name is refused") {
  FakeService service;
  CHECK(ask(service, "POST", "/api/v1/plans", "name: p",
            {{"content-type", "text/yaml"}, {"runbook-actor", ""}})
            .status == 400);
}

TEST_CASE("a plan that was there already is not created again") {
  FakeService service;
  service.plan_is_new = false;
  CHECK(upload(service, "application/yaml", "name: p").status == 200);
}

TEST_CASE("a plan is taken as YAML under each of its names, and as JSON") {
  FakeService service;
  for (auto const* type : {"application/yaml", "text/yaml", "application/x-yaml", "text/x-yaml",
                           "Application/YAML; charset=utf-8"}) {
    CAPTURE(type);
    CHECK(upload(service, type, "name: p").status == 201);
  }
  CHECK(upload(service, "application/json", "{}").status == 201);
  CHECK(service.upload.file_name == "plan.json");
}

TEST_CASE("a bundle brings its files along") {
  FakeService service;
  auto const response = upload(service, "application/vnd.runbook.bundle+json",
                               R"({"text":"name: p","files":{"a.sql":"select 1"}})");
  CHECK(response.status == 201);
  CHECK(service.upload.file_name == "plan.yaml");
  CHECK(service.upload.files.at("a.sql") == "select 1");
}

TEST_CASE("a broken bundle is refused") {
  FakeService service;
  CHECK(upload(service, "application/vnd.runbook.bundle+json", "{}").status == 400);
}

TEST_CASE("a plan of another type or of none is refused") {
  FakeService service;
  for (auto const* type :
       {"text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""}) {
    CAPTURE(type);
    CHECK(code_of(upload(service, type, "name: p")) == "unsupported-type");
  }
  CHECK(ask(service, "POST", "/api/v1/plans", "name: p").status == 415);
}

TEST_CASE("a plan without text is refused") {
  FakeService service;
  CHECK(code_of(upload(service, "application/yaml", "")) == "malformed");
}

TEST_CASE("an invalid plan's findings reach the client") {
  FakeService service;
  service.refuse =
      planner::Error{.code = ErrorCode::plan_invalid,
                     .findings = {{.rule = "plan/unknown-key", .message = "no such key"}}};
  auto const response = upload(service, "application/yaml", "nam: p");
  CHECK(response.status == 422);
  CHECK(response.body.find("plan/unknown-key") != std::string::npos);
}

TEST_CASE("validating a plan keeps nothing") {
  FakeService service;
  auto const response = upload(service, "text/yaml", "name: p", "/api/v1/plans/validate");
  CHECK(response.status == 200);
  CHECK(service.asked == "validate_plan");
}

TEST_CASE("validating wants a known type as well") {
  FakeService service;
  CHECK(upload(service, "text/plain", "name: p", "/api/v1/plans/validate").status == 415);
}

TEST_CASE("plans are listed in pages") {
  FakeService service;
  CHECK(ask(service, "GET", "/api/v1/plans").status == 200);
  CHECK(service.asked == "list_plans 50 ");
  ask(service, "GET", "/api/v1/plans?limit=7&cursor=abc");
  CHECK(service.asked == "list_plans 7 abc");
}

TEST_CASE("a page larger than the largest is lowered to it") {
  FakeService service;
  ask(service, "GET", "/api/v1/plans?limit=99999999999");
  CHECK(service.asked == "list_plans 500 ");
}

TEST_CASE("a page size that is no count is refused") {
  FakeService service;
  for (auto const* limit : {"0", "-1", "x", "5x", "1.5", "+5"}) {
    CAPTURE(limit);
    CHECK(ask(service, "GET", std::string("/api/v1/plans?limit=") + limit).status == 400);
  }
}

TEST_CASE("a query parameter that does not exist or stands twice is refused") {
  FakeService service;
  CHECK(ask(service, "GET", "/api/v1/plans?limt=5").status == 400);
  CHECK(ask(service, "GET", "/api/v1/plans?limit=5&limit=6").status == 400);
}

TEST_CASE("a plan is shown by its digest") {
  FakeService service;
  CHECK(ask(service, "GET", "/api/v1/plans/sha256:ab").status == 200);
  CHECK(service.asked == "show_plan sha256:ab");
}

TEST_CASE("a plan that is not there is not found") {
  FakeService service;
  service.refuse = planner::Error{.code = ErrorCode::not_found};
  CHECK(ask(service, "GET", "/api/v1/plans/sha256:ab").status == 404);
  CHECK(ask(service, "GET", "/api/v1/plans").status == 404);
}
