#include <algorithm>
#include <array>

#include "web/api.h"
#include "web/body.h"
#include "web/conditional.h"
#include "web/problem.h"

namespace runbookd::web {

using planner::Error;
using planner::ErrorCode;
using planner::EventSeq;
using planner::Result;

namespace {

// In these states something goes on after the answer; a client may want to wait.
constexpr std::array<std::string_view, 3> working_states = {"running", "pausing", "cancelling"};

RunId run_of(Request const& request) { return {request.part("run")}; }

Response answer(Result<Document> document) {
  if (!document) {
    return problem(document.error());
  }
  return {.body = std::move(document->json)};
}

Response snapshot(Document document, int status) {
  return {.status = status, .body = std::move(document.json), .headers = {etag(document.revision)}};
}

// The planner's wish, with who asks.
Result<planner::Command> read_asked(Request const& request) {
  if (auto type = check_json_type(request); !type) {
    return tl::unexpected(type.error());
  }
  auto actor = read_actor(request);
  if (!actor) {
    return tl::unexpected(actor.error());
  }
  auto command = read_command(request.segments.back(), request.body);
  if (command) {
    command->actor = std::move(*actor);
  }
  return command;
}

Result<RunRequest> read_wanted_run(Request const& request) {
  if (auto type = check_json_type(request); !type) {
    return tl::unexpected(type.error());
  }
  auto actor = read_actor(request);
  if (!actor) {
    return tl::unexpected(actor.error());
  }
  auto wanted = read_run_request(request.body);
  if (wanted) {
    wanted->actor = std::move(*actor);
  }
  return wanted;
}

Response part_of_run(Request const& request, RunService& service, RunPart part) {
  if (auto known = check_query(request, {}); !known) {
    return problem(known.error());
  }
  return answer(service.show_part(run_of(request), part));
}

Response part_of_step(Request const& request, RunService& service, StepPart part) {
  if (auto known = check_query(request, {}); !known) {
    return problem(known.error());
  }
  auto const label = request.part("phase") + "/" + request.part("step");
  return answer(service.show_step(run_of(request), label, part));
}

Result<planner::Moment> read_since(Request const& request) {
  auto const text = query_text(request, "since");
  auto const moment = planner::parse_rfc3339(text);
  if (!text.empty() && !moment) {
    return tl::unexpected(
        Error{.code = ErrorCode::malformed,
              .detail = "since must be a time such as 2026-12-01T04:28:40Z, not \"" + text + "\""});
  }
  return moment.value_or(planner::Moment{});
}

// A client whose revision is stale needs the current one next.
Response refused(Error const& error, Request const& request, RunService& service) {
  auto response = problem(error);
  if (error.code == ErrorCode::stale_revision) {
    if (auto const current = service.show_run(run_of(request), request.caller.principal)) {
      response.headers.push_back(etag(current->revision));
    }
  }
  return response;
}

}  // namespace

Response list_runs(Request const& request, RunService& service) {
  if (auto known =
          check_query(request, {"state", "target", "plan", "actor", "since", "limit", "cursor"});
      !known) {
    return problem(known.error());
  }
  auto const limit = read_limit(request);
  if (!limit) {
    return problem(limit.error());
  }
  auto const since = read_since(request);
  if (!since) {
    return problem(since.error());
  }
  auto page = service.list_runs({.state = query_text(request, "state"),
                                 .target = query_text(request, "target"),
                                 .plan = query_text(request, "plan"),
                                 .actor = query_text(request, "actor"),
                                 .since = *since,
                                 .limit = *limit,
                                 .cursor = query_text(request, "cursor"),
                                 .caller = request.caller.principal});
  return page ? with_next_page(request, std::move(page->json)) : problem(page.error());
}

Response create_run(Request const& request, RunService& service) {
  auto const wanted = read_wanted_run(request);
  if (!wanted) {
    return problem(wanted.error());
  }
  auto created = service.create_run(*wanted, request.caller.principal);
  if (!created) {
    return problem(created.error());
  }
  auto const run = top_level_text(created->json, "run");
  auto response = snapshot(std::move(*created), 201);
  response.headers.push_back({"Location", "/api/v1/runs/" + run});
  return response;
}

Response show_run(Request const& request, RunService& service) {
  auto run = service.show_run(run_of(request), request.caller.principal);
  return run ? snapshot(std::move(*run), 200) : problem(run.error());
}

Response show_steps(Request const& request, RunService& service) {
  return part_of_run(request, service, RunPart::steps);
}
Response show_phases(Request const& request, RunService& service) {
  return part_of_run(request, service, RunPart::phases);
}
Response show_gates(Request const& request, RunService& service) {
  return part_of_run(request, service, RunPart::gates);
}

Response show_step(Request const& request, RunService& service) {
  return part_of_step(request, service, StepPart::all);
}
Response show_attempts(Request const& request, RunService& service) {
  return part_of_step(request, service, StepPart::attempts);
}

Response preview_rollback(Request const& request, RunService& service) {
  if (auto known = check_query(request, {"to"}); !known) {
    return problem(known.error());
  }
  auto const to = query_text(request, "to");
  auto const extent = read_extent(to.empty() ? "last" : to);
  if (!extent) {
    return problem(extent.error());
  }
  return answer(service.rollback_preview(run_of(request), *extent));
}

Response command_run(Request const& request, RunService& service) {
  auto const run = run_of(request);
  auto const expected = read_if_match(request);
  if (!expected) {
    return problem(expected.error());
  }
  auto const command = read_asked(request);
  if (!command) {
    return problem(command.error());
  }
  auto after = service.submit(run, *command, *expected, request.caller.principal);
  if (!after) {
    return refused(after.error(), request, service);
  }
  auto const state = top_level_text(after->json, "state");
  bool const working =
      std::find(working_states.begin(), working_states.end(), state) != working_states.end();
  return snapshot(std::move(*after), working ? 202 : 200);
}

}  // namespace runbookd::web
