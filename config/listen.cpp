// Where the daemon may be reached: from other machines by TLS, or where the settings say that they
// know what they do.
#include <algorithm>
#include <charconv>
#include <utility>

#include "config/settings.h"

namespace runbookd::config {
namespace {

constexpr std::string_view unix_prefix = "unix:", tls_prefix = "tls:",
                           insecure_prefix = "insecure:";
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
  ListenAddress address;
  address.host = "";
  address.port = 0;
  address.path = std::string(path);
  return address;
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
  std::string const manner(address.tls        ? tls_prefix
                           : address.insecure ? insecure_prefix
                                              : std::string_view());
  return manner + (v6 ? "[" + address.host + "]" : address.host) + ":" +
         std::to_string(address.port);
}

bool ListenAddress::is_local() const { return is_unix() || is_loopback(host); }

planner::Result<ListenAddress> parse_listen(std::string_view text) {
  if (text.starts_with(unix_prefix)) {
    return parse_unix(text.substr(unix_prefix.size()));
  }
  ListenAddress address{.tls = text.starts_with(tls_prefix),
                        .insecure = text.starts_with(insecure_prefix)};
  auto const manner = address.tls        ? tls_prefix.size()
                      : address.insecure ? insecure_prefix.size()
                                         : 0;
  text.remove_prefix(manner);
  auto const colon = text.rfind(':');
  auto const port =
      colon == std::string_view::npos ? std::nullopt : parse_port(text.substr(colon + 1));
  if (!port) {
    return refused("\"" + std::string(text) + "\" is no address with a port",
                   "127.0.0.1:8090, [::1]:8090 or unix:/run/runbookd/runbookd.sock");
  }
  auto const host = without_brackets(text.substr(0, colon));
  address.host = std::string(host);
  address.port = *port;
  if (!address.is_local() && manner == 0) {
    return refused("\"" + std::string(text) +
                       "\" can be reached from other machines, and nothing would protect tokens on "
                       "their way",
                   "tls:" + std::string(text) +
                       " with tls: {certificate: FILE, key: FILE}; or a "
                       "loopback address; or insecure:" +
                       std::string(text));
  }
  return address;
}

}  // namespace runbookd::config
