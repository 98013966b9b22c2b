#include <algorithm>
#include <array>

#include "web/api.h"
#include "web/body.h"
#include "web/conditional.h"
#include "web/problem.h"

namespace runbookd::web {

using planner::Error;
using planner::ErrorCode;
using planner::Result;

namespace {

constexpr std::string_view bundle_type = "application/vnd.runbook.bundle+json";
constexpr std::array<std::string_view, 4> yaml_types = {"application/yaml", "application/x-yaml",
                                                        "text/yaml", "text/x-yaml"};

// Findings need a file name even where the client sent none.
PlanUpload raw_upload(Request const& request, std::string file_name) {
  return {.text = request.body, .file_name = std::move(file_name)};
}

Result<PlanUpload> read_bundle_upload(Request const& request) {
  auto upload = read_bundle(request.body);
  if (upload && upload->file_name.empty()) {
    upload->file_name = "plan.yaml";
  }
  return upload;
}

Result<PlanUpload> read_body(Request const& request) {
  if (request.body.empty()) {
    return tl::unexpected(
        Error{.code = ErrorCode::malformed,
              .detail = "the request has no body; it must be the plan's text",
              .next = "curl --data-binary @plan.yaml -H 'Content-Type: application/yaml' …"});
  }
  auto const type = media_type(request);
  if (std::find(yaml_types.begin(), yaml_types.end(), type) != yaml_types.end()) {
    return raw_upload(request, "plan.yaml");
  }
  if (type == "application/json") {
    return raw_upload(request, "plan.json");
  }
  if (type == bundle_type) {
    return read_bundle_upload(request);
  }
  return tl::unexpected(Error{.code = ErrorCode::unsupported_type,
                              .detail = "a plan is sent as application/yaml, application/json, or, "
                                        "with its SQL files, as " +
                                        std::string(bundle_type),
                              .next = "add the header Content-Type: application/yaml"});
}

Result<PlanUpload> read_upload(Request const& request) {
  auto actor = read_actor(request);
  if (!actor) {
    return tl::unexpected(actor.error());
  }
  auto upload = read_body(request);
  if (upload) {
    upload->actor = std::move(*actor);
  }
  return upload;
}

Response answer(Result<Document> document) {
  if (!document) {
    return problem(document.error());
  }
  return {.body = std::move(document->json)};
}

}  // namespace

Response list_plans(Request const& request, RunService& service) {
  if (auto known = check_query(request, {"limit", "cursor"}); !known) {
    return problem(known.error());
  }
  auto const limit = read_limit(request);
  if (!limit) {
    return problem(limit.error());
  }
  auto page = service.list_plans({.limit = *limit,
                                  .cursor = query_text(request, "cursor"),
                                  .caller = request.caller.principal});
  return page ? with_next_page(request, std::move(page->json)) : problem(page.error());
}

Response upload_plan(Request const& request, RunService& service) {
  auto const upload = read_upload(request);
  if (!upload) {
    return problem(upload.error());
  }
  auto plan = service.upload_plan(*upload);
  if (!plan) {
    return problem(plan.error());
  }
  return {.status = plan->created ? 201 : 200,
          .body = std::move(plan->document.json),
          .headers = {{"Location", "/api/v1/plans/" + plan->digest}}};
}

Response validate_plan(Request const& request, RunService& service) {
  auto const upload = read_upload(request);
  if (!upload) {
    return problem(upload.error());
  }
  return answer(service.validate_plan(*upload));
}

Response show_ways_back(Request const& request, RunService& service) {
  auto upload = read_upload(request);
  if (!upload) {
    return problem(upload.error());
  }
  std::string const target(request.part("target"));
  return when_told([&service, target, upload = *std::move(upload)](Told told) {
    service.show_ways_back(target, upload, std::move(told));
  });
}

Response show_plan(Request const& request, RunService& service) {
  return answer(service.show_plan(request.part("digest"), request.caller.principal));
}

Response diff_plans(Request const& request, RunService& service) {
  if (auto known = check_query(request, {"against"}); !known) {
    return problem(known.error());
  }
  auto const against = query_text(request, "against");
  if (against.empty()) {
    return problem({.code = ErrorCode::malformed,
                    .detail = "against has to name the plan that this one is compared with",
                    .next = "add ?against=DIGEST"});
  }
  return answer(service.diff_plans(request.part("digest"), against, request.caller.principal));
}

}  // namespace runbookd::web
