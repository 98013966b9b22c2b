#include "web/problem.h"

#include <nlohmann/json.hpp>

namespace runbookd::web {

using nlohmann::json;
using planner::Error;
using planner::Finding;

namespace {

constexpr std::string_view seconds_to_wait = "2";

// A request's own problems have a JSON pointer where a plan's have a file.
bool is_pointer(std::string const& file) { return file.starts_with('#'); }

json finding_json(Finding const& finding) {
  json out = {{"rule", finding.rule},
              {"severity", planner::to_text(finding.severity)},
              {"message", finding.message}};
  if (!finding.place.file.empty()) {
    out[is_pointer(finding.place.file) ? "pointer" : "file"] = finding.place.file;
  }
  if (finding.place.line > 0) {
    out["line"] = finding.place.line;
    out["column"] = finding.place.column;
  }
  if (!finding.fix.empty()) {
    out["fix"] = finding.fix;
  }
  if (!finding.step.empty()) {
    out["step"] = finding.step;
  }
  return out;
}

// Whoever sends the same again later may get another answer, though nobody changed the request.
bool passes_by_itself(int status) { return status == 429 || status == 503; }

// What to do about a request that nobody can read, where whoever refused it says nothing better.
std::string next_of(Error const& error) {
  if (!error.next.empty() || error.code != planner::ErrorCode::malformed) {
    return error.next;
  }
  return error.findings.empty() ? "GET /api/v1 lists every path (routes)"
                                : "correct what errors names, and send it again";
}

json problem_json(Error const& error, ProblemKind const& kind) {
  std::string const slug(planner::to_slug(error.code));
  json out = {{"type", "/api/v1/problems/" + slug},
              {"title", kind.title},
              {"status", kind.status},
              {"detail", error.detail},
              {"code", slug},
              {"retryable", passes_by_itself(kind.status)}};
  if (!error.state.empty()) {
    out["state"] = error.state;
    out["allowed_actions"] = error.allowed;
  }
  if (auto next = next_of(error); !next.empty()) {
    out["next"] = std::move(next);
  }
  if (!error.sqlstate.empty()) {
    out["sqlstate"] = error.sqlstate;
  }
  for (auto const& finding : error.findings) {
    out["errors"].push_back(finding_json(finding));
  }
  return out;
}

}  // namespace

Response problem(Error const& error) {
  auto const kind = problem_kind(error.code);
  Response response{.status = kind.status, .content_type = "application/problem+json"};
  // Names in an error may come from a request or a database and need not be UTF-8.
  response.body = problem_json(error, kind).dump(-1, ' ', false, json::error_handler_t::replace);
  if (error.retry_after > 0 || kind.status == 503) {
    auto const seconds =
        error.retry_after > 0 ? std::to_string(error.retry_after) : std::string(seconds_to_wait);
    response.headers.push_back({"Retry-After", seconds});
  }
  if (kind.status == 401) {
    response.headers.push_back({"WWW-Authenticate", "Bearer realm=\"runbookd\""});
  }
  return response;
}

}  // namespace runbookd::web
