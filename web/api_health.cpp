#include <nlohmann/json.hpp>

#include "web/alert_page.h"
#include "web/api.h"
#include "web/body.h"
#include "web/conditional.h"
#include "web/openapi.h"
#include "web/plan_schema.h"
#include "web/problem.h"
#include "web/router.h"

namespace runbookd::web {

using planner::Capability;
using planner::ErrorCode;

Response live(Request const&, RunService&) { return {.body = R"({"live":true})"}; }

Response ready(Request const&, RunService& service) {
  return {.status = service.is_ready() ? 200 : 503, .body = service.ready().json};
}

Response metrics(Request const&, RunService& service) {
  auto text = service.metrics();
  return text ? Response{.content_type = "text/plain; version=0.0.4; charset=utf-8",
                         .body = std::move(*text)}
              : problem(text.error());
}

// What the daemon says of itself, and every path that it answers at.
Response about(Request const& request, RunService& service) {
  auto document = nlohmann::json::parse(service.about().json);
  auto const& caller = request.caller;
  document["identity"] = identity_words(caller);
  document["local_mode"] = caller.by == Caller::By::local;
  auto& targets = document["targets"];
  for (auto target = targets.begin(); target != targets.end();) {
    auto const name = target->value("name", "");
    bool const shown = may(caller.principal, Capability::read, name);
    target = shown ? target + 1 : targets.erase(target);
  }
  auto& routes = document["routes"] = nlohmann::json::array();
  for (auto const& route : route_names()) {
    routes.push_back({{"method", route.method},
                      {"path", route.pattern},
                      {"needs", planner::to_text(route.needs)}});
  }
  return {.body = document.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)};
}

// A page of another site can send a form without asking the browser first, but not JSON.
Response start_backup(Request const& request, RunService& service) {
  if (media_type(request) != "application/json") {
    return problem({.code = ErrorCode::unsupported_type,
                    .detail = "a request for a backup must say that it is JSON",
                    .next = "add the header Content-Type: application/json"});
  }
  if (auto read = read_nothing(request.body); !read) {
    return problem(read.error());
  }
  auto const begun = service.start_backup();
  return begun ? Response{.status = 202, .body = begun->json} : problem(begun.error());
}

Response show_backup(Request const&, RunService& service) {
  auto const shown = service.show_backup();
  return shown ? Response{.body = shown->json} : problem(shown.error());
}

Response show_openapi(Request const& request, RunService&) {
  return unchanging(request, "application/json", openapi_document());
}

Response show_plan_schema(Request const& request, RunService&) {
  return unchanging(request, "application/schema+json", plan_schema());
}

Response show_problem(Request const& request, RunService&) {
  if (auto page = problem_page(request.part("slug"))) {
    return std::move(*page);
  }
  return problem({.code = ErrorCode::not_found, .detail = "no problem has this name"});
}

Response show_alert(Request const& request, RunService&) {
  if (auto page = alert_page(request.part("name"))) {
    return std::move(*page);
  }
  return problem({.code = ErrorCode::not_found, .detail = "no alert has this name"});
}

}  // namespace runbookd::web
