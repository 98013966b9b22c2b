#include <nlohmann/json.hpp>

#include "web/api.h"
#include "web/conditional.h"
#include "web/plan_schema.h"
#include "web/problem.h"
#include "web/router.h"

namespace runbookd::web {

using planner::ErrorCode;

namespace {

constexpr std::string_view front_text = R"html(
<p>This is runbookd: it carries database migrations through phases and back again.</p>
<p>It has no console yet. Steer it from a terminal:</p>
<pre>runbookctl run list
runbookctl status
runbookctl --help</pre>
<p>or over HTTP, where everything is below <a href="/api/v1"><code>/api/v1</code></a>:</p>
<ul>
<li><a href="/api/v1/runs"><code>/api/v1/runs</code></a>: the runs</li>
<li><a href="/api/v1/plans"><code>/api/v1/plans</code></a>: the plans</li>
<li><a href="/api/v1/schemas/plan.json"><code>/api/v1/schemas/plan.json</code></a>: the schema of plan files</li>
<li><a href="/readyz"><code>/readyz</code></a>: whether it is ready</li>
</ul>
<p>Nobody is asked for a name or a password here: whoever can reach this address may do everything.
That is why it listens on this machine only.</p>
)html";

}  // namespace

Response front_page(Request const&, RunService&) { return html_page("runbookd", front_text); }

Response live(Request const&, RunService&) { return {.body = R"({"live":true})"}; }

Response ready(Request const&, RunService& service) {
  return {.status = service.is_ready() ? 200 : 503, .body = service.ready().json};
}

// What the daemon says of itself, and every path that it answers at.
Response about(Request const&, RunService& service) {
  auto document = nlohmann::json::parse(service.about().json);
  auto& routes = document["routes"] = nlohmann::json::array();
  for (auto const& route : route_names()) {
    routes.push_back({{"method", route.method}, {"path", route.pattern}});
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
  auto const begun = service.start_backup();
  return begun ? Response{.status = 202, .body = begun->json} : problem(begun.error());
}

Response show_backup(Request const&, RunService& service) {
  auto const shown = service.show_backup();
  return shown ? Response{.body = shown->json} : problem(shown.error());
}

Response show_plan_schema(Request const&, RunService&) {
  return {.content_type = "application/schema+json", .body = std::string(plan_schema())};
}

Response show_problem(Request const& request, RunService&) {
  if (auto page = problem_page(request.part("slug"))) {
    return std::move(*page);
  }
  return problem({.code = ErrorCode::not_found, .detail = "no problem has this name"});
}

}  // namespace runbookd::web
