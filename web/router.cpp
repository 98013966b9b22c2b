#include "web/router.h"

#include <array>
#include <optional>
#include <utility>

#include "web/api.h"
#include "web/problem.h"

namespace runbookd::web {

using planner::Error;
using planner::ErrorCode;

namespace {

struct Route {
  std::string_view method;
  std::string_view pattern;
  Response (*handler)(Request const&, RunService&);
};

// A pattern's {name} takes one segment. HEAD is answered like GET, without the body.
constexpr Route routes[] = {
    {"GET", "/", overview_page},
    {"GET", "/history", history_page},
    {"GET", "/plans", plans_page},
    {"GET", "/plans/{digest}", plan_page},
    {"GET", "/runs/{run}", run_page},
    {"GET", "/runs/{run}/rollback", run_page},
    {"GET", "/console/{version}/{file}", console_file},
    {"GET", "/livez", live},
    {"GET", "/readyz", ready},
    {"GET", "/metrics", metrics},
    {"GET", "/api/v1", about},
    {"GET", "/api/v1/schemas/plan.json", show_plan_schema},
    {"GET", "/api/v1/problems/{slug}", show_problem},
    {"GET", "/api/v1/alerts/{name}", show_alert},
    {"GET", "/api/v1/store/backup", show_backup},
    {"POST", "/api/v1/store/backup", start_backup},

    {"GET", "/api/v1/targets/{target}/catalog", show_catalog},

    {"GET", "/api/v1/plans", list_plans},
    {"POST", "/api/v1/plans", upload_plan},
    {"POST", "/api/v1/plans/validate", validate_plan},
    {"GET", "/api/v1/plans/{digest}", show_plan},

    {"GET", "/api/v1/runs", list_runs},
    {"POST", "/api/v1/runs", create_run},
    {"GET", "/api/v1/runs/{run}", show_run},
    {"GET", "/api/v1/runs/{run}/steps", show_steps},
    {"GET", "/api/v1/runs/{run}/steps/{phase}/{step}", show_step},
    {"GET", "/api/v1/runs/{run}/rollback-preview", preview_rollback},
    {"GET", "/api/v1/runs/{run}/locks", show_locks},
    {"GET", "/api/v1/runs/{run}/preflight", show_preflight},
    {"GET", "/api/v1/runs/{run}/events", show_events},

    {"POST", "/api/v1/runs/{run}/start", command_run},
    {"POST", "/api/v1/runs/{run}/advance", command_run},
    {"POST", "/api/v1/runs/{run}/approve", command_run},
    {"POST", "/api/v1/runs/{run}/reject", command_run},
    {"POST", "/api/v1/runs/{run}/evaluate", command_run},
    {"POST", "/api/v1/runs/{run}/confirm", command_run},
    {"POST", "/api/v1/runs/{run}/pause", command_run},
    {"POST", "/api/v1/runs/{run}/throttle", command_run},
    {"POST", "/api/v1/runs/{run}/resume", command_run},
    {"POST", "/api/v1/runs/{run}/retry", command_run},
    {"POST", "/api/v1/runs/{run}/skip", command_run},
    {"POST", "/api/v1/runs/{run}/resolve", command_run},
    {"POST", "/api/v1/runs/{run}/rollback", command_run},
    {"POST", "/api/v1/runs/{run}/cancel", command_run},
};

// What the pattern's names stand for, if the pattern fits at all.
std::optional<Parameters> fit(std::string_view pattern, std::vector<std::string> const& segments) {
  Parameters names;
  pattern.remove_prefix(1);
  for (auto const& segment : segments) {
    if (pattern.empty()) {
      return std::nullopt;
    }
    auto const piece = pattern.substr(0, pattern.find('/'));
    pattern.remove_prefix(piece.size() == pattern.size() ? piece.size() : piece.size() + 1);
    if (piece.starts_with('{') && !segment.empty()) {
      names.push_back({std::string(piece.substr(1, piece.size() - 2)), segment});
    } else if (piece != segment) {
      return std::nullopt;
    }
  }
  if (!pattern.empty()) {
    return std::nullopt;
  }
  return names;
}

Response no_such_method(Request const& request, std::string const& allowed) {
  auto response = problem({.code = ErrorCode::method_not_allowed,
                           .detail = "this path takes " + allowed + ", not " + request.method});
  response.headers.push_back({"Allow", allowed});
  return response;
}

Response no_such_path() {
  return problem({.code = ErrorCode::not_found,
                  .detail = "there is nothing at this path",
                  .next = "GET /api/v1 lists every path (routes)"});
}

}  // namespace

Response respond(Request request, RunService& service) {
  std::string allowed;
  auto const method = request.method == "HEAD" ? std::string("GET") : request.method;
  for (auto const& route : routes) {
    auto names = fit(route.pattern, request.segments);
    if (!names) {
      continue;
    }
    if (route.method == method) {
      request.path = std::move(*names);
      auto response = route.handler(request, service);
      response.route = route.pattern;
      return response;
    }
    allowed += (allowed.empty() ? "" : ", ") + std::string(route.method);
    allowed += route.method == "GET" ? ", HEAD" : "";
  }
  return allowed.empty() ? no_such_path() : no_such_method(request, allowed);
}

std::vector<RouteName> route_names() {
  std::vector<RouteName> names;
  for (auto const& route : routes) {
    names.push_back({route.method, route.pattern});
  }
  return names;
}

}  // namespace runbookd::web
