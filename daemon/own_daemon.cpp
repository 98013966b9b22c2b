#include "daemon/own_daemon.h"

#include <chrono>

#include "store/file.h"
#include "web/body.h"
#include "web/ctl/address.h"
#include "web/ctl/http_client.h"

namespace runbookd::daemon {
namespace {

constexpr auto patience = std::chrono::seconds{30};

ctl::Address address_of(config::Settings const& settings) {
  auto chosen = settings.listen.front();
  for (auto const& address : settings.listen) {
    chosen = address.is_unix() ? address : chosen;
  }
  return {.socket = chosen.path,
          .host = chosen.host,
          .port = std::to_string(chosen.port),
          .tls = chosen.tls};
}

}  // namespace

planner::Result<std::string> ask_own_daemon(config::Settings const& settings,
                                            std::string const& method, std::string const& path,
                                            std::string const& body) {
  auto const address = address_of(settings);
  ctl::HttpRequest request{.method = method, .target = path};
  if (method != "GET") {
    request.headers.emplace_back("Content-Type", "application/json");
    request.body = body.empty() ? "{}" : body;
  }
  auto const answer = ctl::exchange(address, request, patience);
  if (!answer) {
    return store::refused("the daemon that holds the store does not answer at " + to_text(address) +
                              ": " + answer.error().why,
                          "is it the daemon of this configuration? name another with --config");
  }
  if (answer->status < 300) {
    return answer->body;
  }
  bool const by_socket = address.is_socket();
  bool const not_allowed = answer->status == 401 || answer->status == 403;
  return store::refused(web::top_level_text(answer->body, "detail"),
                        not_allowed && !by_socket
                            ? "let it listen on a Unix socket too, where it sees who asks (listen: "
                              "[unix:/run/runbookd/runbookd.sock]), or stop it first"
                            : web::top_level_text(answer->body, "next"));
}

}  // namespace runbookd::daemon
