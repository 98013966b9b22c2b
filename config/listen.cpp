// Where the daemon may be reached. Only from this machine, for the time being.
#include <algorithm>
#include <charconv>
#include <utility>

#include "config/settings.h"

namespace runbookd::config {
namespace {

constexpr std::string_view unix_prefix = "unix:";
constexpr std::size_t longest_socket_path =
    107;  // sockaddr_un holds 108 bytes with the closing NUL

tl::unexpected<planner::Error> refused(std::string detail, std::string next = "") {
  return tl::unexpected(planner::Error{
      .code = planner::ErrorCode::malformed, .detail = std::move(detail), .next = std::move(next)});
}

bool is_ipv4_loopback(std::string_view host) {
  constexpr std::string_view start = "127.";
  int octets = 1, value = 0;
  std::size_t digits = 0;
  if (!host.starts_with(start)) {
    return false;
  }
  for (char const c : host.substr(start.size() - 1)) {
    if (c == '.') {
      octets += 1;
      value = 0;
      digits = 0;
      continue;
    }
    value = value * 10 + (c - '0');
    if (c < '0' || c > '9' || ++digits > 3 || value > 255) {
      return false;
    }
  }
  return octets == 4 && digits > 0;
}

bool is_loopback(std::string_view host) {
  return host == "localhost" || host == "::1" || is_ipv4_loopback(host);
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  auto const end = text.data() + text.size();
  auto const [read, error] = std::from_chars(text.data(), end, port);
  bool const whole = error == std::errc() && read == end && !text.empty();
  return whole ? std::optional(port) : std::nullopt;
}

planner::Result<ListenAddress> parse_unix(std::string_view path) {
  if (!path.starts_with('/')) {
    return refused("the path of a Unix socket must begin with /",
                   "unix:/run/runbookd/runbookd.sock");
  }
  if (path.size() > longest_socket_path || path.find('\0') != std::string_view::npos) {
    return refused("the path of a Unix socket may have at most 107 bytes");
  }
  return ListenAddress{.host = "", .port = 0, .path = std::string(path)};
}

// "[::1]" or "127.0.0.1"
std::string_view without_brackets(std::string_view host) {
  bool const bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  return bracketed ? host.substr(1, host.size() - 2) : host;
}

}  // namespace

std::string to_text(ListenAddress const& address) {
  if (address.is_unix()) {
    return std::string(unix_prefix) + address.path;
  }
  bool const v6 = address.host.find(':') != std::string::npos;
  return (v6 ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

planner::Result<ListenAddress> parse_listen(std::string_view text) {
  if (text.starts_with(unix_prefix)) {
    return parse_unix(text.substr(unix_prefix.size()));
  }
  auto const colon = text.rfind(':');
  auto const port =
      colon == std::string_view::npos ? std::nullopt : parse_port(text.substr(colon + 1));
  if (!port) {
    return refused("\"" + std::string(text) + "\" is no address with a port",
                   "127.0.0.1:8090, [::1]:8090 or unix:/run/runbookd/runbookd.sock");
  }
  auto const host = without_brackets(text.substr(0, colon));
  if (!is_loopback(host)) {
    return refused(
        "\"" + std::string(text) +
            "\" can be reached from other machines; tokens and TLS are not available in "
            "this version",
        "listen on loopback (127.0.0.1:8090) or a Unix socket (unix:/run/runbookd/runbookd.sock)");
  }
  return ListenAddress{.host = std::string(host), .port = *port, .path = ""};
}

}  // namespace runbookd::config
