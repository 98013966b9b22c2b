#include "tests/web/client.h"

#include <algorithm>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

namespace runbookd::web::test {

namespace {

constexpr time_t longest_wait = 30;

[[noreturn]] void fail(char const* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

template <typename Address>
void connect_to(int socket, Address const& address) {
  if (connect(socket, reinterpret_cast<sockaddr const*>(&address), sizeof address) != 0) {
    close(socket);  // who asks a dead daemon again and again must not run out of them
    fail("connect");
  }
}

int opened(int family, int receive_buffer) {
  int const socket = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) {
    fail("socket");
  }
  timeval const wait{.tv_sec = longest_wait, .tv_usec = 0};
  setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
  setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
  if (receive_buffer > 0) {
    setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  }
  return socket;
}

int connected(std::string const& address, int receive_buffer) {
  if (address.starts_with("unix:")) {
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    address.substr(5).copy(to.sun_path, sizeof to.sun_path - 1);
    int const socket = opened(AF_UNIX, receive_buffer);
    connect_to(socket, to);
    return socket;
  }
  auto const port = static_cast<in_port_t>(std::stoi(address.substr(address.rfind(':') + 1)));
  if (address.starts_with('[')) {
    sockaddr_in6 to{};
    to.sin6_family = AF_INET6;
    to.sin6_port = htons(port);
    to.sin6_addr = in6addr_loopback;
    int const socket = opened(AF_INET6, receive_buffer);
    connect_to(socket, to);
    return socket;
  }
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int const socket = opened(AF_INET, receive_buffer);
  connect_to(socket, to);
  return socket;
}

}  // namespace

Client::Client(std::string const& address, int receive_buffer)
    : socket_(connected(address, receive_buffer)) {}

Client::Client(Client&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)), pending_(std::move(other.pending_)) {}

Client::~Client() {
  if (socket_ >= 0) {
    close(socket_);
  }
}

bool Client::try_send(std::string_view bytes) {
  while (!bytes.empty()) {
    auto const sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) {
      return false;
    }
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

void Client::send(std::string_view bytes) {
  if (!try_send(bytes)) {
    fail("send");
  }
}

void Client::end_sending() { shutdown(socket_, SHUT_WR); }

// False at the end, however it came.
bool Client::fill() {
  char bytes[4096];
  auto const got = recv(socket_, bytes, sizeof bytes, 0);
  if (got < 0 && errno == EAGAIN) {
    throw std::runtime_error("no answer in time; until then came: " + pending_);
  }
  if (got <= 0) {
    return false;
  }
  pending_.append(bytes, static_cast<std::size_t>(got));
  return true;
}

std::string Client::read_until(std::string_view mark) {
  auto at = pending_.find(mark);
  while (at == std::string::npos) {
    if (!fill()) {
      return std::exchange(pending_, "");
    }
    at = pending_.find(mark);
  }
  auto out = pending_.substr(0, at + mark.size());
  pending_.erase(0, out.size());
  return out;
}

std::string Client::read_to_end() {
  while (fill()) {
  }
  return std::exchange(pending_, "");
}

bool Client::reads_end() { return read_to_end().empty(); }

Answer Client::read_answer(bool with_body) {
  auto const head = read_until("\r\n\r\n");
  if (!head.starts_with("HTTP/1.1 ")) {
    throw std::runtime_error("no HTTP answer but: \"" + head + "\"");
  }
  Answer answer{.status = std::stoi(head.substr(9, 3))};
  auto at = head.find("\r\n") + 2;
  while (head.compare(at, 2, "\r\n") != 0) {
    auto const end = head.find("\r\n", at);
    auto const line = head.substr(at, end - at);
    auto name = line.substr(0, line.find(':'));
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    answer.headers[name] = line.substr(line.find(':') + 2);
    at = end + 2;
  }
  auto const length = answer.headers.find("content-length");
  if (with_body && length != answer.headers.end()) {
    auto const size = std::stoul(length->second);
    while (pending_.size() < size && fill()) {
    }
    answer.body = pending_.substr(0, size);
    pending_.erase(0, size);
  }
  return answer;
}

Answer Client::get(std::string const& target) {
  send(get_request(target));
  return read_answer();
}

Answer Client::post(std::string const& target, std::string const& body,
                    std::string const& more_headers) {
  send(post_request(target, body, "Content-Type: application/json\r\n" + more_headers));
  return read_answer();
}

std::string get_request(std::string const& target, std::string const& more_headers) {
  return "GET " + target + " HTTP/1.1\r\nHost: localhost\r\n" + more_headers + "\r\n";
}

std::string post_request(std::string const& target, std::string const& body,
                         std::string const& more_headers) {
  return "POST " + target + " HTTP/1.1\r\nHost: localhost\r\n" + more_headers +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

}  // namespace runbookd::web::test
