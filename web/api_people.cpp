// Remarks about a run, and the brake on all of them.
#include "web/api.h"
#include "web/body.h"
#include "web/conditional.h"
#include "web/problem.h"

namespace runbookd::web {

using planner::Result;

namespace {

// What was asked for, by whom; refused where the body is not what it says.
template <typename Wanted>
struct Asked {
  Wanted wanted;
  std::string actor;
};

template <typename Wanted>
Result<Asked<Wanted>> read_asked(Request const& request,
                                 Result<Wanted> (*read)(std::string_view body)) {
  if (auto type = check_json_type(request); !type) {
    return tl::unexpected(type.error());
  }
  auto actor = read_actor(request);
  if (!actor) {
    return tl::unexpected(actor.error());
  }
  auto wanted = read(request.body);
  if (!wanted) {
    return tl::unexpected(wanted.error());
  }
  return Asked<Wanted>{.wanted = std::move(*wanted), .actor = std::move(*actor)};
}

Response answer(Result<std::string> document) {
  return document ? Response{.body = std::move(*document)} : problem(document.error());
}

}  // namespace

Response add_note(Request const& request, RunService& service) {
  auto const asked = read_asked<std::string>(request, read_note);
  if (!asked) {
    return problem(asked.error());
  }
  auto noted = service.add_note({request.part("run")}, asked->wanted, asked->actor,
                                request.caller.principal);
  if (!noted) {
    return problem(noted.error());
  }
  return {.status = 201, .body = std::move(noted->json), .headers = {etag(noted->revision)}};
}

Response show_hold(Request const&, RunService& service) {
  return {.body = service.hold().show_hold()};
}

Response set_hold(Request const& request, RunService& service) {
  auto const asked = read_asked<HoldRequest>(request, read_hold_request);
  return asked ? answer(service.hold().set_hold(asked->wanted, asked->actor))
               : problem(asked.error());
}

Response lift_hold(Request const& request, RunService& service) {
  auto const actor = read_actor(request);
  return actor ? answer(service.hold().lift_hold(*actor)) : problem(actor.error());
}

}  // namespace runbookd::web
