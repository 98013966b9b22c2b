// Questions whose answers come from a target: the connection waits for them.
#include "web/api.h"
#include "web/conditional.h"
#include "web/problem.h"

namespace runbookd::web {

using planner::Result;

namespace {

Response answered(Result<Document> const& document) {
  return document ? Response{.body = document->json} : problem(document.error());
}

}  // namespace

// The service outlives every connection.
Response when_told(std::function<void(Told)> ask) {
  return {.later = [ask = std::move(ask)](std::function<void(Response)> const& tell) {
    ask([tell](Result<Document> document) { tell(answered(document)); });
  }};
}

Response show_locks(Request const& request, RunService& service) {
  if (auto known = check_query(request, {}); !known) {
    return problem(known.error());
  }
  RunId const run{request.part("run")};
  return when_told([&service, run](Told told) { service.show_locks(run, std::move(told)); });
}

Response show_preflight(Request const& request, RunService& service) {
  if (auto known = check_query(request, {"phase"}); !known) {
    return problem(known.error());
  }
  RunId const run{request.part("run")};
  auto const phase = query_text(request, "phase");
  return when_told(
      [&service, run, phase](Told told) { service.show_preflight(run, phase, std::move(told)); });
}

Response show_catalog(Request const& request, RunService& service) {
  if (auto known = check_query(request, {}); !known) {
    return problem(known.error());
  }
  std::string const target(request.part("target"));
  return when_told(
      [&service, target](Told told) { service.show_catalog(target, std::move(told)); });
}

}  // namespace runbookd::web
