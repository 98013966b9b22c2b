// The whole API on one page: router.cpp has one table of method, path, handler and what that asks
// of its caller.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "web/http.h"
#include "web/service.h"

namespace runbookd::web {

// Never throws for what a client did; what the service throws passes through.
Response respond(Request request, RunService& service);

// Whoever nobody knows is refused before the body is read.
std::optional<planner::Error> refusal_before_body(Request const& head);
// Of an answer that goes on: may its caller, found anew, still have it?
bool still_admitted(Request request, RunService& service);

struct RouteName {
  std::string_view method, pattern;
  planner::Capability needs;
  bool recorded = false;  // in the audit
};
// For GET /api/v1, tests and documentation.
std::vector<RouteName> route_names();

}  // namespace runbookd::web
