#include "web/ctl/curl.h"

#include "web/ctl/text.h"

namespace runbookd::ctl {

namespace {

bool is_stream(HttpRequest const& request) {
  for (auto const& [name, value] : request.headers) {
    if (name == "Accept" && value == "text/event-stream") {
      return true;
    }
  }
  return false;
}

std::string url_of(Address const& address, std::string const& target) {
  return (address.is_socket() ? "http://localhost" : to_text(address)) + target;
}

}  // namespace

std::string curl_command(Address const& address, HttpRequest const& request,
                         std::string const& token_file) {
  std::string text = "curl -sS";
  text += is_stream(request) ? " -N" : "";
  if (address.is_socket()) {
    text += " --unix-socket " + shell_quote(address.socket);
  }
  if (!address.ca_file.empty()) {
    text += " --cacert " + shell_quote(address.ca_file);
  }
  if (request.method != "GET") {
    text += " -X " + request.method;
  }
  if (!token_file.empty()) {
    text += " -H \"Authorization: Bearer $(cat " + shell_quote(token_file) + ")\"";
  }
  for (auto const& [name, value] : request.headers) {
    text += " -H " + shell_quote(name + ": " + value);
  }
  if (!request.body.empty()) {
    text += " --data-raw " + shell_quote(request.body);
  }
  return text + ' ' + shell_quote(url_of(address, request.target));
}

}  // namespace runbookd::ctl
