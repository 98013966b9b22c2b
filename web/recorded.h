// A request that is recorded: who asked for what, as an entry of the audit around its handler, and
// the answer that it had before where its Idempotency-Key says that it came before.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "web/http.h"
#include "web/service.h"

namespace runbookd::web {

// "start", "tokens.create", "audit.export": from the route, so that none is without a name.
std::string action_of(std::string_view method, std::string_view pattern);

struct Recorded {
  std::string_view pattern;
  bool stops = false;     // done even where it cannot be recorded
  bool admitted = false;  // its caller may ask for it
};

// `judge` is called once at the most.
Response recorded(Request const& request, Recorded const& what, RunService& service,
                  std::function<Response()> const& judge);

}  // namespace runbookd::web
