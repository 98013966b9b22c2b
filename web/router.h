// The whole API on one page: router.cpp has one table of method, path and handler.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "web/http.h"
#include "web/service.h"

namespace runbookd::web {

// Never throws for what a client did; what the service throws passes through.
Response respond(Request request, RunService& service);

struct RouteName {
  std::string_view method, pattern;
};
// For GET /api/v1, tests and documentation.
std::vector<RouteName> route_names();

}  // namespace runbookd::web
