#include "web/api.h"
#include "web/body.h"
#include "web/conditional.h"
#include "web/problem.h"
#include "web/run_answer.h"

namespace runbookd::web {

using planner::Error;
using planner::ErrorCode;
using planner::EventSeq;
using planner::Result;

namespace {

RunId run_of(Request const& request) { return {request.part("run")}; }

Response answer(Result<Document> document) {
  if (!document) {
    return problem(document.error());
  }
  return {.body = std::move(document->json)};
}

Response waits_for(RunId const& run, std::chrono::seconds at_most,
                   std::function<std::optional<Response>(bool)> ask) {
  Response response;
  response.wait =
      std::make_shared<Wait>(Wait{.run = run, .at_most = at_most, .ask = std::move(ask)});
  return response;
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
  return created_run(*std::move(created));
}

Response show_run(Request const& request, RunService& service) {
  if (auto known = check_query(request, {"wait"}); !known) {
    return problem(known.error());
  }
  auto const patience = read_patience(query_text(request, "wait"));
  if (!patience) {
    return problem(patience.error());
  }
  auto const seen = std::string(request.header("if-none-match").value_or(""));
  auto const show = [&service, seen, run = run_of(request),
                     caller = request.caller.principal](bool time_is_over) {
    auto shown = service.show_run(run, caller);
    bool const as_seen = shown && !seen.empty() && etag(shown->revision).value == seen;
    if (as_seen && !time_is_over) {
      return std::optional<Response>();
    }
    if (as_seen) {
      return std::optional(Response{.status = 304, .headers = {etag(shown->revision)}});
    }
    return std::optional(shown ? snapshot(std::move(*shown), 200) : problem(shown.error()));
  };
  if (auto now = show(!*patience); now) {
    return std::move(*now);
  }
  return waits_for(run_of(request), **patience, show);
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
  if (auto query = check_query(request, {"dry_run"}); !query) {
    return problem(query.error());
  }
  auto const tries = read_flag(request, "dry_run");
  if (!tries) {
    return problem(tries.error());
  }
  auto const& caller = request.caller.principal;
  auto after = *tries ? service.try_out(run, *command, *expected, caller)
                      : service.submit(run, *command, *expected, caller);
  if (!after) {
    return refused(after.error(), request, service);
  }
  auto const patience = read_patience(preferred_wait(request));
  bool const working = is_working(*after, *tries ? "would_be" : "state");
  if (!working || *tries || !patience || !*patience) {
    return snapshot(std::move(*after), working ? 202 : 200);
  }
  return waits_for(run, **patience, [&service, run, caller](bool time_is_over) {
    auto shown = service.show_run(run, caller);
    if (!shown) {
      return std::optional(problem(shown.error()));
    }
    bool const still = is_working(*shown, "state");
    if (still && !time_is_over) {
      return std::optional<Response>();
    }
    auto response = snapshot(std::move(*shown), still ? 202 : 200);
    response.headers.push_back({"Preference-Applied", "wait"});
    return std::optional(std::move(response));
  });
}

}  // namespace runbookd::web
