// Where we listen and which names a client may call us by.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "planner/error.h"

namespace runbookd::web {

struct ListenAddress {
  bool unix_socket = false;
  std::string host;  // an IP address in text, or the socket's path
  std::uint16_t port = 0;
  bool tls = false;
};

// "127.0.0.1:8321", "[::1]:8321", "localhost:8321", "unix:/run/runbookd/api.sock" or, by TLS,
// "tls:0.0.0.0:8443". What other machines could reach without TLS is refused, unless it says so
// itself
// ("insecure:0.0.0.0:8321"). Port 0 lets the system choose.
planner::Result<ListenAddress> read_listen_address(std::string_view text);

std::string to_text(ListenAddress const& address);

// Whether a Host header names this machine's loopback, with or without a port, or one of `allowed`.
// Browsers send the name of the page's site, so a foreign name that resolves to us is caught here.
bool is_known_host(std::string_view host_header, std::vector<std::string> const& allowed);

// Whether an Origin header is the same host and port as the Host header.
bool is_same_origin(std::string_view origin, std::string_view host_header);

}  // namespace runbookd::web
