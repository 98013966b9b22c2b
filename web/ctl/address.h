// Where the daemon listens: TCP, with TLS or without, or a Unix socket.
#pragma once

#include <string>
#include <string_view>

#include "web/ctl/failure.h"

namespace runbookd::ctl {

inline constexpr std::string_view default_socket = "/run/runbookd/runbookd.sock";
inline constexpr std::string_view default_url = "http://127.0.0.1:8090";

struct Address {
  std::string socket;  // the path of a Unix socket; empty = TCP
  std::string host;
  std::string port;
  bool tls = false;
  std::string ca_file;  // whose certificates are trusted; empty: the system's
  bool is_socket() const { return !socket.empty(); }
  std::string host_header() const;
  bool operator==(Address const&) const = default;
};

// "http://host:port", "https://host:port", "host:port", "unix:/path" or "/path".
Maybe<Address> parse_address(std::string_view text);
std::string to_text(Address const& address);
// Whether nobody on the way reads what is sent there.
bool keeps_secrets(Address const& address);

// Flag, then environment, then the socket if there is one, then the default port.
std::string chosen_address(std::string const& flag, std::string const& environment,
                           bool socket_exists);

}  // namespace runbookd::ctl
