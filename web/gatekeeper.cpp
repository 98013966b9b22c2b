#include "web/gatekeeper.h"

#include <algorithm>

#include "planner/words.h"
#include "web/http.h"

namespace runbookd::web {

std::string_view to_text(Caller::By by) {
  switch (by) {
    case Caller::By::nobody:
      return "nobody";
    case Caller::By::local:
      return "local";
    case Caller::By::peer:
      return "unix-socket";
    case Caller::By::token:
      return "token";
    case Caller::By::session:
      return "session";
  }
  __builtin_unreachable();
}

std::string bearer_of(Request const& head) {
  constexpr std::string_view scheme = "bearer ";
  std::string_view const value = head.header("authorization").value_or("");
  if (planner::lower(value.substr(0, scheme.size())) != scheme) {
    return {};
  }
  return std::string(value.substr(scheme.size()));
}

std::string_view cookie_name(Peer const& peer) {
  return peer.secure ? "__Host-runbookd_session" : "runbookd_session";
}

std::string cookie_of(Request const& head, Peer const& peer) {
  std::string_view rest = head.header("cookie").value_or("");
  while (!rest.empty()) {
    auto const pair = rest.substr(0, rest.find(';'));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    rest.remove_prefix(std::min(rest.size(), rest.find_first_not_of(' ')));
    auto const equals = pair.find('=');
    if (equals != std::string_view::npos && pair.substr(0, equals) == cookie_name(peer)) {
      return std::string(pair.substr(equals + 1));
    }
  }
  return {};
}

}  // namespace runbookd::web
