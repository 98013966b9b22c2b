#include "tests/web/ctl/canned_server.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>
#include <sstream>
#include <stdexcept>
#include <utility>

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace runbookd::ctl::tests {

namespace {

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

std::pair<int, int> listen_tcp() {
  auto const listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof name;
  auto* generic = reinterpret_cast<sockaddr*>(&name);
  if (::bind(listener, generic, size) != 0 || ::listen(listener, 16) != 0 ||
      ::getsockname(listener, generic, &size) != 0) {
    throw std::runtime_error("no loopback port");
  }
  return {listener, ntohs(name.sin_port)};
}

int listen_unix(std::string const& path) {
  auto const listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  std::memcpy(name.sun_path, path.data(), std::min(path.size(), sizeof name.sun_path - 1));
  if (::bind(listener, reinterpret_cast<sockaddr*>(&name), sizeof name) != 0 ||
      ::listen(listener, 16) != 0) {
    throw std::runtime_error("no Unix socket at " + path);
  }
  return listener;
}

std::string read_some(int connection) {
  std::array<char, 4096> buffer;
  auto const size = ::recv(connection, buffer.data(), buffer.size(), 0);
  return size > 0 ? std::string(buffer.data(), static_cast<std::size_t>(size)) : std::string();
}

void send_all(int connection, std::string const& text) {
  std::size_t sent = 0;
  while (sent < text.size()) {
    auto const size = ::send(connection, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
    if (size <= 0) {
      return;
    }
    sent += static_cast<std::size_t>(size);
  }
}

Asked parse_head(std::string const& head) {
  Asked asked;
  std::istringstream lines(head);
  std::string line;
  std::getline(lines, line);
  std::istringstream(line) >> asked.method >> asked.target;
  while (std::getline(lines, line) && line != "\r" && !line.empty()) {
    auto const colon = line.find(':');
    auto value = line.substr(std::min(line.size(), colon + 2));
    while (!value.empty() && value.back() == '\r') {
      value.pop_back();
    }
    asked.headers[lower(line.substr(0, colon))] = value;
  }
  return asked;
}

Asked read_request(int connection) {
  std::string bytes;
  while (bytes.find("\r\n\r\n") == std::string::npos) {
    auto const more = read_some(connection);
    if (more.empty()) {
      return {};
    }
    bytes += more;
  }
  auto const end = bytes.find("\r\n\r\n") + 4;
  auto asked = parse_head(bytes.substr(0, end));
  asked.body = bytes.substr(end);
  auto const length = asked.headers.count("content-length") == 0
                          ? 0UL
                          : std::stoul(asked.headers["content-length"]);
  while (asked.body.size() < length) {
    asked.body += read_some(connection);
  }
  return asked;
}

std::string chunk(std::string const& text) {
  std::ostringstream out;
  out << std::hex << text.size() << "\r\n" << text << "\r\n";
  return out.str();
}

void send_stream(int connection, Canned const& canned) {
  send_all(
      connection,
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (auto const& piece : canned.pieces) {
    send_all(connection, chunk(piece));
  }
  send_all(connection, canned.proper_end ? "0\r\n\r\n" : "5\r\nab");
}

void send_answer(int connection, Canned const& canned) {
  auto head = "HTTP/1.1 " + std::to_string(canned.status) +
              " X\r\nContent-Length: " + std::to_string(canned.body.size()) + "\r\n";
  if (!canned.etag.empty()) {
    head += "ETag: " + canned.etag + "\r\n";
  }
  send_all(connection, head + "Connection: close\r\n\r\n" + canned.body);
}

}  // namespace

CannedServer::CannedServer(Handler handler, std::string unix_path)
    : handler_(std::move(handler)), unix_path_(std::move(unix_path)) {
  if (unix_path_.empty()) {
    std::tie(listener_, port_) = listen_tcp();
  } else {
    listener_ = listen_unix(unix_path_);
  }
  thread_ = std::thread([this] { serve(); });
}

CannedServer::~CannedServer() {
  stop_ = true;
  ::shutdown(listener_, SHUT_RDWR);  // wakes accept
  thread_.join();
  ::close(listener_);
  if (!unix_path_.empty()) {
    ::unlink(unix_path_.c_str());
  }
}

std::string CannedServer::address() const {
  return unix_path_.empty() ? "http://127.0.0.1:" + std::to_string(port_) : "unix:" + unix_path_;
}

std::vector<Asked> CannedServer::asked() const {
  std::lock_guard const lock(mutex_);
  return asked_;
}

std::vector<Asked> CannedServer::asked(std::string const& method) const {
  auto all = asked();
  std::erase_if(all, [&method](Asked const& each) { return each.method != method; });
  return all;
}

void CannedServer::serve() {
  while (!stop_) {
    auto const connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection >= 0) {
      serve_one(connection);
      ::close(connection);
    }
  }
}

void CannedServer::serve_one(int connection) {
  auto const asked = read_request(connection);
  if (asked.method.empty()) {
    return;
  }
  Canned canned;
  {
    std::lock_guard const lock(mutex_);
    asked_.push_back(asked);
    canned = handler_(asked);
  }
  if (canned.hang) {
    read_some(connection);  // until the client gives up
  } else if (canned.hang_up) {
    // the connection is closed behind us
  } else if (!canned.pieces.empty()) {
    send_stream(connection, canned);
  } else {
    send_answer(connection, canned);
  }
}

}  // namespace runbookd::ctl::tests
