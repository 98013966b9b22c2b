// What is refused before a request's body is read: by the looks of its head alone.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "planner/error.h"
#include "web/http.h"

namespace runbookd::web {

struct Admission {
  bool unix_socket = false;  // no browser reaches us there, so the Host's name does not matter
  std::vector<std::string> allowed_hosts;
};

std::optional<planner::Error> refusal(Request const& head, Admission const& admission);

// Whether the client waits for "100 Continue" before it sends the body.
bool expects_continue(Request const& head);

}  // namespace runbookd::web
