#include "web/ctl/address.h"

#include <algorithm>
#include <cctype>

namespace runbookd::ctl {

namespace {

constexpr std::string_view known_forms =
    "an address is written http://HOST:PORT, https://HOST:PORT or unix:/path/to/socket";

tl::unexpected<Failure> wrong(std::string_view text, std::string_view why) {
  return fail(Exit::usage, "--addr " + std::string(text),
              std::string(why) + "; " + std::string(known_forms));
}

bool is_port(std::string_view text) {
  auto const digits =
      std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
  return !text.empty() && text.size() <= 5 && digits && std::stoi(std::string(text)) <= 65'535;
}

// The host stands in a request header.
bool is_host(std::string_view text) {
  auto const fits = [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '.' || c == '-' || c == ':' || c == '_';
  };
  return !text.empty() && std::all_of(text.begin(), text.end(), fits);
}

Maybe<Address> tcp_address(std::string_view whole, std::string_view rest) {
  if (auto const slash = rest.find('/'); slash != std::string_view::npos) {
    if (slash + 1 != rest.size()) {
      return wrong(whole, "it has a path, and the daemon has none");
    }
    rest.remove_suffix(1);
  }
  std::string_view host = rest;
  std::string_view port = "8090";
  auto const bracket = rest.find(']');
  auto const colon = rest.rfind(':');
  if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
    host = rest.substr(0, colon);
    port = rest.substr(colon + 1);
  }
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  }
  if (!is_port(port)) {
    return wrong(whole, "'" + std::string(port) + "' is not a port");
  }
  return is_host(host) ? Maybe<Address>(Address{
                             .socket = "", .host = std::string(host), .port = std::string(port)})
                       : wrong(whole, "it names no host");
}

}  // namespace

std::string Address::host_header() const {
  if (is_socket()) {
    return "localhost";
  }
  return (host.find(':') == std::string::npos ? host : '[' + host + ']') + ':' + port;
}

Maybe<Address> parse_address(std::string_view text) {
  if (text.starts_with("unix:") || text.starts_with('/')) {
    auto path = text.substr(text.starts_with('/') ? 0 : 5);
    if (path.starts_with("//")) {
      path.remove_prefix(2);
    }
    return path.starts_with('/')
               ? Maybe<Address>(Address{.socket = std::string(path), .host = "", .port = ""})
               : wrong(text, "the path of the socket has to start with /");
  }
  if (text.starts_with("https://")) {
    auto address = tcp_address(text, text.substr(8));
    if (address) {
      address->tls = true;
    }
    return address;
  }
  return tcp_address(text, text.starts_with("http://") ? text.substr(7) : text);
}

std::string to_text(Address const& address) {
  if (address.is_socket()) {
    return "unix:" + address.socket;
  }
  return (address.tls ? "https://" : "http://") + address.host_header();
}

std::string chosen_address(std::string const& flag, std::string const& environment,
                           bool socket_exists) {
  if (!flag.empty()) {
    return flag;
  }
  if (!environment.empty()) {
    return environment;
  }
  return socket_exists ? "unix:" + std::string(default_socket) : std::string(default_url);
}

namespace {

bool is_loopback_number(std::string_view host) {
  return host.starts_with("127.") &&
         host.find_first_not_of("0123456789.") == std::string_view::npos;
}

}  // namespace

bool keeps_secrets(Address const& address) {
  bool const loopback = address.host == "localhost" || is_loopback_number(address.host) ||
                        address.host == "::1" || address.host == "[::1]";
  return address.is_socket() || address.tls || loopback;
}

}  // namespace runbookd::ctl
