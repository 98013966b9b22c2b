#include "web/address.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include <arpa/inet.h>
#include <sys/un.h>

namespace runbookd::web {

using planner::Error;
using planner::ErrorCode;
using planner::Result;

namespace {

constexpr std::string_view unix_prefix = "unix:", tls_prefix = "tls:",
                           insecure_prefix = "insecure:";
constexpr std::size_t longest_socket_path = sizeof(sockaddr_un::sun_path) - 1;

struct HostAndPort {
  std::string_view host;
  std::optional<std::string_view> port;
};

// "[::1]:80" -> "::1" and "80". A bare IPv6 address is ambiguous and gives nothing.
std::optional<HostAndPort> split(std::string_view text) {
  if (text.starts_with('[')) {
    auto const end = text.find(']');
    if (end == std::string_view::npos) {
      return std::nullopt;
    }
    auto const rest = text.substr(end + 1);
    if (!rest.empty() && rest.front() != ':') {
      return std::nullopt;
    }
    auto const host = text.substr(1, end - 1);
    return rest.empty() ? HostAndPort{host, {}} : HostAndPort{host, rest.substr(1)};
  }
  auto const colon = text.find(':');
  if (colon == std::string_view::npos) {
    return HostAndPort{text, {}};
  }
  if (text.find(':', colon + 1) != std::string_view::npos) {
    return std::nullopt;
  }
  return HostAndPort{text.substr(0, colon), text.substr(colon + 1)};
}

std::optional<std::uint16_t> read_port(std::string_view text) {
  std::uint16_t port = 0;
  auto const [end, problem] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (text.empty() || problem != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return port;
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

bool is_address(std::string const& host) {
  in6_addr ignored{};
  return inet_pton(AF_INET, host.c_str(), &ignored) == 1 ||
         inet_pton(AF_INET6, host.c_str(), &ignored) == 1;
}

bool is_loopback_address(std::string const& host) {
  in_addr v4{};
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) {
    return (ntohl(v4.s_addr) >> 24) == 127;
  }
  in6_addr v6{};
  return inet_pton(AF_INET6, host.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

// How its bytes travel, where the address says so.
std::string_view manner_of(std::string_view text) {
  for (auto const manner : {tls_prefix, insecure_prefix}) {
    if (text.starts_with(manner)) {
      return manner;
    }
  }
  return {};
}

Error bad_address(std::string_view text, std::string why) {
  return {
      .code = ErrorCode::malformed,
      .detail = "cannot listen on \"" + std::string(text) + "\": " + std::move(why),
      .next =
          "use a loopback address such as 127.0.0.1:8321, unix:/path/to/socket, or tls: before it"};
}

Result<ListenAddress> read_unix_address(std::string_view text) {
  auto const path = text.substr(unix_prefix.size());
  if (!path.starts_with('/')) {
    return tl::unexpected(bad_address(text, "the socket's path must begin with \"/\""));
  }
  if (path.size() > longest_socket_path) {
    return tl::unexpected(bad_address(text, "the system allows socket paths of at most " +
                                                std::to_string(longest_socket_path) + " bytes"));
  }
  return ListenAddress{.unix_socket = true, .host = std::string(path)};
}

}  // namespace

Result<ListenAddress> read_listen_address(std::string_view text) {
  if (text.starts_with(unix_prefix)) {
    return read_unix_address(text);
  }
  auto const manner = manner_of(text);
  auto const parts = split(text.substr(manner.size()));
  auto const port = parts && parts->port ? read_port(*parts->port) : std::nullopt;
  if (!port) {
    return tl::unexpected(bad_address(text, "it must read <address>:<port>"));
  }
  auto host = same_name(parts->host, "localhost") ? "127.0.0.1" : std::string(parts->host);
  if (!is_address(host)) {
    return tl::unexpected(bad_address(text, "it must be an IP address, or localhost"));
  }
  bool const tls = manner == tls_prefix;
  if (!is_loopback_address(host) && manner.empty()) {
    return tl::unexpected(bad_address(
        text, "other machines could reach it, and nothing would protect tokens on their way"));
  }
  return ListenAddress{.host = std::move(host), .port = *port, .tls = tls};
}

std::string to_text(ListenAddress const& address) {
  if (address.unix_socket) {
    return std::string(unix_prefix) + address.host;
  }
  bool const v6 = address.host.find(':') != std::string::npos;
  return std::string(address.tls ? tls_prefix : "") +
         (v6 ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

bool is_known_host(std::string_view host_header, std::vector<std::string> const& allowed) {
  auto const parts = split(host_header);
  if (!parts || parts->host.empty() || (parts->port && !read_port(*parts->port))) {
    return false;
  }
  if (same_name(parts->host, "localhost") || is_loopback_address(std::string(parts->host))) {
    return true;
  }
  return std::any_of(allowed.begin(), allowed.end(), [&](std::string const& name) {
    return same_name(name, parts->host) || same_name(name, host_header);
  });
}

bool is_same_origin(std::string_view origin, std::string_view host_header) {
  auto const mark = origin.find("://");
  return mark != std::string_view::npos && same_name(origin.substr(mark + 3), host_header);
}

}  // namespace runbookd::web
