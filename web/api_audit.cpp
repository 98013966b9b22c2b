// What was asked of the daemon, read out: searched, checked, exported.
#include "web/api.h"
#include "web/conditional.h"
#include "web/problem.h"

namespace runbookd::web {

using planner::Error;
using planner::ErrorCode;
using planner::Moment;
using planner::Result;

namespace {

Response answer(Result<Document> document) {
  return document ? Response{.body = std::move(document->json)} : problem(document.error());
}

Result<std::optional<Moment>> read_moment(Request const& request, std::string_view name) {
  auto const text = query_text(request, name);
  if (text.empty()) {
    return std::optional<Moment>{};
  }
  if (auto const moment = planner::parse_rfc3339(text)) {
    return moment;
  }
  return tl::unexpected(Error{.code = ErrorCode::malformed,
                              .detail = std::string(name) +
                                        " is a moment such as "
                                        "2026-12-01T03:12:00Z, not \"" +
                                        text + '"'});
}

Result<std::int64_t> read_cursor(Request const& request) {
  auto const text = query_text(request, "cursor");
  return text.empty() ? Result<std::int64_t>(0) : read_seq(text, "cursor");
}

// The first of them that is an error.
template <typename... Parts>
std::optional<Error> first_error(Parts const&... parts) {
  std::optional<Error> first;
  auto const look = [&](auto const& part) {
    if (!part && !first) {
      first = part.error();
    }
  };
  (look(parts), ...);
  return first;
}

Result<ReportForm> read_form(Request const& request) {
  auto const text = query_text(request, "format");
  if (text.empty() || text == "json") {
    return ReportForm::json;
  }
  if (text == "md" || text == "html") {
    return text == "md" ? ReportForm::markdown : ReportForm::html;
  }
  return tl::unexpected(
      Error{.code = ErrorCode::malformed,
            .detail = "a report's format is json, md or html, not \"" + text + '"'});
}

}  // namespace

Response search_audit(Request const& request, RunService& service) {
  auto const names = check_query(
      request, {"actor", "action", "run", "outcome", "since", "until", "limit", "cursor"});
  auto const since = read_moment(request, "since");
  auto const until = read_moment(request, "until");
  auto const limit = read_limit(request);
  auto const cursor = read_cursor(request);
  if (auto const wrong = first_error(names, since, until, limit, cursor)) {
    return problem(*wrong);
  }
  return answer(service.audit().search({.actor = query_text(request, "actor"),
                                        .action = query_text(request, "action"),
                                        .run = query_text(request, "run"),
                                        .outcome = query_text(request, "outcome"),
                                        .since = *since,
                                        .until = *until,
                                        .limit = *limit,
                                        .before = *cursor}));
}

Response show_audit_key(Request const&, RunService& service) {
  return answer(service.audit().key());
}

Response verify_audit(Request const&, RunService& service) {
  Response response;
  response.later = [&service](std::function<void(Response)> const& tell) {
    service.audit().verify([tell](Result<Document> found) { tell(answer(std::move(found))); });
  };
  return response;
}

Response export_audit(Request const&, RunService& service) {
  auto parts = service.audit().read_out();
  if (!parts) {
    return problem(parts.error());
  }
  return {.content_type = "application/x-ndjson",
          .headers = {{"Content-Disposition", "attachment; filename=\"runbookd-audit.ndjson\""}},
          .parts = *std::move(parts)};
}

Response show_report(Request const& request, RunService& service) {
  auto const names = check_query(request, {"format"});
  auto const form = read_form(request);
  if (auto const wrong = first_error(names, form)) {
    return problem(*wrong);
  }
  auto report = service.show_report({request.part("run")}, *form);
  if (!report) {
    return problem(report.error());
  }
  Response response{.content_type = std::move(report->content_type),
                    .body = std::move(report->body)};
  if (*form == ReportForm::html) {
    response.headers.push_back({"Content-Security-Policy",
                                "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors "
                                "'none'; base-uri 'none'; form-action 'none'"});
  }
  return response;
}

}  // namespace runbookd::web
