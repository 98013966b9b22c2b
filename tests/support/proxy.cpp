#include "tests/support/proxy.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <deque>
#include <list>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace runbookd::testing {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto look_every = 5ms;

[[noreturn]] void failed(std::string const& what) {
  throw std::runtime_error("proxy: " + what + ": " + std::strerror(errno));
}

class Socket {
 public:
  Socket() = default;
  explicit Socket(int descriptor) : descriptor_(descriptor) {}
  ~Socket() { close(); }
  Socket(Socket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Socket& operator=(Socket&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  explicit operator bool() const { return descriptor_ >= 0; }
  int get() const { return descriptor_; }
  void close() {
    if (descriptor_ >= 0) {
      ::close(std::exchange(descriptor_, -1));
    }
  }
  void reset() {
    linger const now{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close();
  }

 private:
  int descriptor_ = -1;
};

Socket listening(int& port) {
  Socket socket(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* any = reinterpret_cast<sockaddr*>(&address);
  if (::bind(socket.get(), any, size) != 0 || ::listen(socket.get(), 64) != 0 ||
      ::getsockname(socket.get(), any, &size) != 0) {
    failed("cannot listen");
  }
  port = ntohs(address.sin_port);
  return socket;
}

// Invalid where the server does not listen.
Socket connected(std::string const& path) {
  Socket socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    throw std::runtime_error("proxy: the path of the server's socket is too long: " + path);
  }
  path.copy(address.sun_path, path.size());
  if (::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    return {};
  }
  ::fcntl(socket.get(), F_SETFL, O_NONBLOCK);
  return socket;
}

// Bytes of one direction that have not been delivered yet, each with the time it may be.
struct Stream {
  struct Piece {
    Clock::time_point due;
    std::string bytes;
  };
  std::deque<Piece> pieces;
  bool ended = false;  // nothing more comes
};

enum class Flow { goes_on, over };

Flow receive(Socket const& from, Stream& stream, std::chrono::milliseconds delay) {
  std::array<char, 65536> buffer{};
  auto const size = ::recv(from.get(), buffer.data(), buffer.size(), 0);
  if (size > 0) {
    stream.pieces.push_back(
        {Clock::now() + delay, std::string(buffer.data(), static_cast<std::size_t>(size))});
  } else if (size == 0) {
    stream.ended = true;
  } else if (errno != EAGAIN && errno != EINTR) {
    return Flow::over;
  }
  return Flow::goes_on;
}

Flow deliver(Socket const& to, Stream& stream, std::atomic<long long>& moved) {
  while (!stream.pieces.empty() && stream.pieces.front().due <= Clock::now()) {
    auto& bytes = stream.pieces.front().bytes;
    auto const sent = ::send(to.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0) {
      return errno == EAGAIN || errno == EINTR ? Flow::goes_on : Flow::over;
    }
    moved += sent;
    bytes.erase(0, static_cast<std::size_t>(sent));
    if (!bytes.empty()) {
      return Flow::goes_on;
    }
    stream.pieces.pop_front();
  }
  return stream.ended && stream.pieces.empty() ? Flow::over : Flow::goes_on;
}

struct Pair {
  Socket client, server;
  Stream up, down;
};

}  // namespace

struct Proxy::Parts {
  explicit Parts(std::string path) : listener(listening(port)), server_path(std::move(path)) {
    thread = std::jthread([this](std::stop_token const& stop) {
      while (!stop.stop_requested()) {
        wait();
        std::lock_guard const lock(mutex);
        accept();
        pairs.remove_if([this](Pair& pair) { return pump(pair) == Flow::over; });
      }
    });
  }

  // Polls everything, but not for long: delayed bytes and orders are looked at in between.
  void wait() {
    std::vector<pollfd> watched{{.fd = listener.get(), .events = POLLIN, .revents = 0}};
    {
      std::lock_guard const lock(mutex);
      for (auto const& pair : pairs) {
        if (pair.client && pair.server && !stalled) {
          watched.push_back({.fd = pair.client.get(), .events = POLLIN, .revents = 0});
          watched.push_back({.fd = pair.server.get(), .events = POLLIN, .revents = 0});
        }
      }
    }
    ::poll(watched.data(), watched.size(), static_cast<int>(look_every.count()));
  }

  void accept() {
    while (!away) {
      Socket client(::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (!client) {
        return;
      }
      if (auto server = connected(server_path)) {
        pairs.push_back({.client = std::move(client), .server = std::move(server)});
      }
    }
  }

  Flow pump(Pair& pair) {
    if (!pair.server) {  // half open: what the client says goes nowhere
      Stream nowhere;
      auto const flow = receive(pair.client, nowhere, 0ms);
      for (auto const& piece : nowhere.pieces) {
        held += std::ssize(piece.bytes);
      }
      return nowhere.ended ? Flow::over : flow;
    }
    if (stalled) {
      int waiting = 0;
      char byte = 0;
      waiting += ::recv(pair.client.get(), &byte, 1, MSG_PEEK) > 0 ? 1 : 0;
      waiting += ::recv(pair.server.get(), &byte, 1, MSG_PEEK) > 0 ? 1 : 0;
      held += waiting;
      return Flow::goes_on;
    }
    for (auto const flow :
         {receive(pair.client, pair.up, delay), receive(pair.server, pair.down, delay),
          deliver(pair.server, pair.up, moved), deliver(pair.client, pair.down, moved)}) {
      if (flow == Flow::over) {
        return flow;
      }
    }
    return Flow::goes_on;
  }

  int port = 0;
  Socket listener;
  std::mutex mutex;  // guards all below but the counters
  std::string server_path;
  std::list<Pair> pairs;
  bool stalled = false, away = false;
  std::chrono::milliseconds delay{};
  std::atomic<long long> moved{0}, held{0};
  std::jthread thread;  // last: it uses all of the above
};

Proxy::Proxy(std::string server_socket)
    : parts_(std::make_unique<Parts>(std::move(server_socket))) {}
Proxy::~Proxy() = default;

int Proxy::port() const { return parts_->port; }

int Proxy::reset() {
  std::lock_guard const lock(parts_->mutex);
  auto const count = static_cast<int>(parts_->pairs.size());
  for (auto& pair : parts_->pairs) {
    pair.client.reset();
  }
  parts_->pairs.clear();
  return count;
}

void Proxy::stall(bool stalled) {
  std::lock_guard const lock(parts_->mutex);
  parts_->stalled = stalled;
}

int Proxy::half_open() {
  std::lock_guard const lock(parts_->mutex);
  int count = 0;
  for (auto& pair : parts_->pairs) {
    count += pair.server ? 1 : 0;
    pair.server.close();
    pair.up = pair.down = {};
  }
  return count;
}

void Proxy::delay(std::chrono::milliseconds by) {
  std::lock_guard const lock(parts_->mutex);
  parts_->delay = by;
}

void Proxy::away() {
  reset();
  std::lock_guard const lock(parts_->mutex);
  parts_->away = true;
}

void Proxy::lead_to(std::string server_socket) {
  std::lock_guard const lock(parts_->mutex);
  parts_->server_path = std::move(server_socket);
  parts_->away = false;
}

long long Proxy::moved() const { return parts_->moved; }
long long Proxy::held() const { return parts_->held; }

}  // namespace runbookd::testing
