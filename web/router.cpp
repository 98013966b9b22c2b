#include "web/router.h"

#include <array>
#include <optional>
#include <utility>

#include "planner/digest.h"
#include "web/address.h"
#include "web/api.h"
#include "web/conditional.h"
#include "web/problem.h"
#include "web/recorded.h"
#include "web/redaction.h"

namespace runbookd::web {

using planner::Capability;
using planner::Error;
using planner::ErrorCode;
using planner::Result;

namespace {

// What a route asks of its caller, and on which target. Without a default, so that no route comes
// to be without it.
struct Needs {
  enum class On { nothing, run, target, every_target };
  explicit constexpr Needs(Capability the_what, On the_on = On::nothing)
      : what(the_what), on(the_on) {}
  Capability what;
  On on;
};

struct Route {
  std::string_view method;
  std::string_view pattern;
  Response (*handler)(Request const&, RunService&);
  Needs needs;
};

constexpr Needs open{Capability::open};
constexpr Needs known{Capability::known};
constexpr Needs reads{Capability::read};
constexpr Needs reads_run{Capability::read, Needs::On::run};
constexpr Needs reads_target{Capability::read, Needs::On::target};
constexpr Needs reads_audit{Capability::read_audit};
constexpr Needs reads_evidence{Capability::read_audit, Needs::On::run};
constexpr Needs reads_all{Capability::read, Needs::On::every_target};
constexpr Needs operates{Capability::operate};
constexpr Needs administers{Capability::administer};
// What a verb asks for at the least; the rest is judged with the run (planner/verb_rights).
constexpr Needs stops{Capability::stop, Needs::On::run};
constexpr Needs rolls_back{Capability::roll_back, Needs::On::run};
constexpr Needs signs{Capability::approve, Needs::On::run};
constexpr Needs plans_for_target{Capability::operate, Needs::On::target};
constexpr Needs goes_on{Capability::operate, Needs::On::run};
constexpr Needs breaks_glass{Capability::administer, Needs::On::run};
// What touches the runs of all targets asks for the role on all of them.
constexpr Needs stops_all{Capability::stop, Needs::On::every_target};
constexpr Needs releases_all{Capability::operate, Needs::On::every_target};

// A pattern's {name} takes one segment. HEAD is answered like GET, without the body. Pages are for
// everybody: what they bring along they ask for with their caller's rights.
constexpr Route routes[] = {
    {"GET", "/", overview_page, open},
    {"GET", "/history", history_page, open},
    {"GET", "/audit", audit_page, open},
    {"GET", "/plans", plans_page, open},
    {"GET", "/plans/{digest}", plan_page, open},
    {"GET", "/runs/{run}", run_page, open},
    {"GET", "/runs/{run}/rollback", run_page, open},
    {"GET", "/console/{version}/{file}", console_file, open},
    {"GET", "/livez", live, open},
    {"GET", "/readyz", ready, open},
    {"GET", "/metrics", metrics, reads_all},
    {"GET", "/api/v1", about, known},
    {"GET", "/api/v1/whoami", who_am_i, known},
    {"POST", "/api/v1/session", open_session, open},
    {"DELETE", "/api/v1/session", end_session, known},
    {"GET", "/api/v1/tokens", list_tokens, administers},
    {"POST", "/api/v1/tokens", create_token, administers},
    {"DELETE", "/api/v1/tokens/{token}", revoke_token, administers},
    {"GET", "/api/v1/openapi.json", show_openapi, open},
    {"GET", "/api/v1/schemas/plan.json", show_plan_schema, open},
    {"GET", "/api/v1/problems/{slug}", show_problem, open},
    {"GET", "/api/v1/alerts/{name}", show_alert, open},
    {"GET", "/api/v1/store/backup", show_backup, operates},
    {"POST", "/api/v1/store/backup", start_backup, operates},

    {"GET", "/api/v1/audit", search_audit, reads_audit},
    {"GET", "/api/v1/audit/key", show_audit_key, known},
    {"GET", "/api/v1/audit/verify", verify_audit, reads_audit},
    {"GET", "/api/v1/audit/export", export_audit, reads_audit},
    {"GET", "/api/v1/hold", show_hold, known},
    {"PUT", "/api/v1/hold", set_hold, stops_all},
    {"DELETE", "/api/v1/hold", lift_hold, releases_all},

    {"GET", "/api/v1/targets/{target}/catalog", show_catalog, reads_target},
    {"POST", "/api/v1/targets/{target}/ways-back", show_ways_back, plans_for_target},

    {"GET", "/api/v1/plans", list_plans, reads},
    {"POST", "/api/v1/plans", upload_plan, operates},
    {"POST", "/api/v1/plans/validate", validate_plan, reads},
    {"GET", "/api/v1/plans/{digest}", show_plan, reads},
    {"GET", "/api/v1/plans/{digest}/diff", diff_plans, reads},

    {"GET", "/api/v1/runs", list_runs, reads},
    {"POST", "/api/v1/runs", create_run, operates},
    {"GET", "/api/v1/runs/{run}", show_run, reads_run},
    {"GET", "/api/v1/runs/{run}/phases", show_phases, reads_run},
    {"GET", "/api/v1/runs/{run}/gates", show_gates, reads_run},
    {"GET", "/api/v1/runs/{run}/steps", show_steps, reads_run},
    {"GET", "/api/v1/runs/{run}/steps/{phase}/{step}", show_step, reads_run},
    {"GET", "/api/v1/runs/{run}/steps/{phase}/{step}/attempts", show_attempts, reads_run},
    {"GET", "/api/v1/runs/{run}/rollback-preview", preview_rollback, reads_run},
    {"GET", "/api/v1/runs/{run}/locks", show_locks, reads_run},
    {"GET", "/api/v1/runs/{run}/preflight", show_preflight, reads_run},
    {"GET", "/api/v1/runs/{run}/events", show_events, reads_run},
    {"GET", "/api/v1/runs/{run}/report", show_report, reads_evidence},

    {"POST", "/api/v1/runs/{run}/notes", add_note, stops},

    {"POST", "/api/v1/runs/{run}/start", command_run, goes_on},
    {"POST", "/api/v1/runs/{run}/advance", command_run, goes_on},
    {"POST", "/api/v1/runs/{run}/approve", command_run, signs},
    {"POST", "/api/v1/runs/{run}/reject", command_run, signs},
    {"POST", "/api/v1/runs/{run}/withdraw", command_run, signs},
    {"POST", "/api/v1/runs/{run}/override", command_run, breaks_glass},
    {"POST", "/api/v1/runs/{run}/countersign", command_run, signs},
    {"POST", "/api/v1/runs/{run}/evaluate", command_run, goes_on},
    {"POST", "/api/v1/runs/{run}/confirm", command_run, goes_on},
    {"POST", "/api/v1/runs/{run}/pause", command_run, stops},
    {"POST", "/api/v1/runs/{run}/throttle", command_run, stops},
    {"POST", "/api/v1/runs/{run}/resume", command_run, goes_on},
    {"POST", "/api/v1/runs/{run}/retry", command_run, goes_on},
    {"POST", "/api/v1/runs/{run}/skip", command_run, goes_on},
    {"POST", "/api/v1/runs/{run}/resolve", command_run, goes_on},
    {"POST", "/api/v1/runs/{run}/rollback", command_run, rolls_back},
    {"POST", "/api/v1/runs/{run}/cancel", command_run, goes_on},
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

struct Found {
  Route const* route = nullptr;
  Parameters names;
  std::string allowed;  // methods, where the path has others only
};

Found find(Request const& request) {
  Found found;
  auto const method = request.method == "HEAD" ? std::string("GET") : request.method;
  for (auto const& route : routes) {
    auto names = fit(route.pattern, request.segments);
    if (!names) {
      continue;
    }
    if (route.method == method) {
      return {.route = &route, .names = std::move(*names), .allowed = {}};
    }
    found.allowed += (found.allowed.empty() ? "" : ", ") + std::string(route.method);
    found.allowed += route.method == "GET" ? ", HEAD" : "";
  }
  return found;
}

Error nobody_is_known() {
  return {.code = ErrorCode::unauthenticated,
          .detail = "this daemon serves those whom it knows, and the request shows no token",
          .next = "runbookctl login"};
}

Result<void> expect_known(Request const& request) {
  if (request.caller.refusal) {
    return tl::unexpected(*request.caller.refusal);
  }
  if (request.caller.principal.name.empty()) {
    return tl::unexpected(nobody_is_known());
  }
  return {};
}

// A browser sends its cookie along with whatever page asks; only our own page knows the word.
Result<void> expect_own_page(Request const& request) {
  bool const changes = request.method != "GET" && request.method != "HEAD";
  if (request.caller.by != Caller::By::session || !changes) {
    return {};
  }
  auto const word = request.header("runbook-csrf");
  auto const origin = request.header("origin");
  auto const host = request.header("host");
  if (word && planner::same_digest(*word, request.caller.csrf) && origin && host &&
      is_same_origin(*origin, *host)) {
    return {};
  }
  return tl::unexpected(
      Error{.code = ErrorCode::forged_request,
            .detail = "a request by the console's cookie that changes something must come from a "
                      "page of this daemon: its Origin, and the header Runbook-CSRF, say so",
            .next = "load the console again; programs send Authorization: Bearer"});
}

// Where a run or a target stands in the path. A run that is not there is on no target: who may do
// this anywhere is told that it is not there.
std::optional<std::string> target_in(Needs::On on, Request const& request, RunService& service) {
  switch (on) {
    case Needs::On::nothing:
      return std::nullopt;
    case Needs::On::run: {
      auto target = service.target_of({request.part("run")});
      return target ? std::optional(std::move(*target)) : std::nullopt;
    }
    case Needs::On::target:
      return request.part("target");
    case Needs::On::every_target:
      return std::string(planner::every_target);
  }
  __builtin_unreachable();
}

Error no_such_run(std::string const& run, RunService& service) {
  if (auto const found = service.target_of({run});
      !found && found.error().code != ErrorCode::not_found) {
    return found.error();  // such as a store that is not read any more
  }
  return {.code = ErrorCode::not_found,
          .detail = "there is no run " + run,
          .next = "runbookctl run list"};
}

using Target = std::optional<std::string>;

// The target that it is about, if it is about one. Nothing is looked up for somebody unknown.
Result<Target> admit(Needs const& needs, Request const& request, RunService& service) {
  if (needs.what == Capability::open) {
    return Target{};
  }
  return expect_known(request)
      .and_then([&] { return expect_own_page(request); })
      .and_then([&]() -> Result<Target> {
        auto target = target_in(needs.on, request, service);
        auto const& caller = request.caller.principal;
        // A run on a target that the caller may not read is answered as one that is not there, and
        // before the body is looked at, so that nothing tells the one from the other.
        bool const unseen =
            needs.on == Needs::On::run && (!target || !may(caller, Capability::read, *target));
        if (unseen && may_somewhere(caller, needs.what)) {
          return tl::unexpected(no_such_run(request.part("run"), service));
        }
        return expect_may(caller, needs.what, unseen ? Target{} : target).map([&] {
          return std::move(target);
        });
      });
}

Response hiding_queries(Response response) {
  if (response.later) {
    response.later = [later = std::move(response.later)](std::function<void(Response)> tell) {
      later([tell = std::move(tell)](Response answer) {
        answer.body = without_queries(answer.body);
        tell(std::move(answer));
      });
    };
  }
  if (response.wait) {
    response.wait->ask = [ask = std::move(response.wait->ask)](bool time_is_over) {
      auto answer = ask(time_is_over);
      if (answer) {
        answer->body = without_queries(answer->body);
      }
      return answer;
    };
  }
  response.body = without_queries(response.body);
  return response;
}

Response handled(Route const& route, Request const& request, Target const& target,
                 RunService& service) {
  auto response = route.handler(request, service);
  if (route.needs.on != Needs::On::run) {
    return response;
  }
  bool const sees = may(request.caller.principal, Capability::see_queries, target);
  if (response.follow) {
    response.follow->with_queries = sees;
  }
  return sees ? response : hiding_queries(std::move(response));
}

bool gives_up(Route const& route) { return route.pattern.ends_with("/cancel"); }

// Whatever may change something, and whoever reads the audit itself.
bool is_recorded(Route const& route) {
  bool const only_looks =
      route.method == "GET" || route.handler == validate_plan || route.handler == show_ways_back;
  return !only_looks || route.needs.what == Capability::read_audit;
}

// Nobody who is not known: of those the gatekeeper keeps count.
bool is_recorded(Route const& route, Request const& request) {
  bool const rehearsed = query_text(request, "dry_run") == "true";
  bool const is_known = route.needs.what == Capability::open || expect_known(request).has_value();
  return is_recorded(route) && !rehearsed && is_known;
}

}  // namespace

Response respond(Request request, RunService& service) {
  auto found = find(request);
  if (found.route == nullptr) {
    return found.allowed.empty() ? no_such_path() : no_such_method(request, found.allowed);
  }
  auto const& route = *found.route;
  request.path = std::move(found.names);
  auto const target = admit(route.needs, request, service);
  auto const judge = [&] {
    return target ? handled(route, request, *target, service) : problem(target.error());
  };
  auto response = is_recorded(route, request)
                      ? recorded(request,
                                 {.pattern = route.pattern,
                                  .stops = route.needs.what == Capability::stop || gives_up(route),
                                  .admitted = target.has_value()},
                                 service, judge)
                      : judge();
  response.route = route.pattern;
  return response;
}

std::optional<Error> refusal_before_body(Request const& head) {
  auto const found = find(head);
  if (found.route == nullptr || found.route->needs.what == Capability::open) {
    return std::nullopt;
  }
  auto const known = expect_known(head);
  return known ? std::nullopt : std::optional(known.error());
}

bool still_admitted(Request request, RunService& service) {
  auto found = find(request);
  if (found.route == nullptr) {
    return false;
  }
  request.path = std::move(found.names);
  return admit(found.route->needs, request, service).has_value();
}

std::vector<RouteName> route_names() {
  std::vector<RouteName> names;
  for (auto const& route : routes) {
    names.push_back({route.method, route.pattern, route.needs.what, is_recorded(route)});
  }
  return names;
}

}  // namespace runbookd::web
