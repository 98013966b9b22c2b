#include "web/ctl/socket.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace runbookd::ctl {

namespace {

using Kind = TransportFailure::Kind;

tl::unexpected<TransportFailure> failed(Kind kind, std::string why) {
  return tl::unexpected(TransportFailure{kind, std::move(why)});
}

std::string error_text(int number) { return std::strerror(number); }

Transported<bool> wait_for(int descriptor, short events, Deadline deadline) {
  for (;;) {
    auto const left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd entry{descriptor, events, 0};
    auto const ready =
        ::poll(&entry, 1, static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 3'600'000)));
    if (ready > 0) {
      return true;
    }
    if (ready == 0) {
      return failed(Kind::timed_out, "no answer in time");
    }
    if (errno != EINTR) {
      return failed(Kind::broken, error_text(errno));
    }
  }
}

short events_of(TlsLine::Step const& step) {
  return step.waits == TlsLine::Waits::to_write ? POLLOUT : POLLIN;
}

int new_socket(int family) {
  return ::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

Transported<bool> finish_connect(int descriptor, sockaddr const* name, socklen_t size,
                                 Deadline deadline) {
  if (::connect(descriptor, name, size) == 0) {
    return true;
  }
  if (errno != EINPROGRESS && errno != EINTR) {
    return failed(Kind::refused, error_text(errno));
  }
  if (auto ready = wait_for(descriptor, POLLOUT, deadline); !ready) {
    return ready;
  }
  int error = 0;
  socklen_t length = sizeof error;
  ::getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &length);
  return error == 0 ? Transported<bool>(true) : failed(Kind::refused, error_text(error));
}

Transported<int> connect_unix(std::string const& path, Deadline deadline) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  if (path.size() >= sizeof name.sun_path) {
    return failed(Kind::refused, "the path of the socket is longer than the system allows");
  }
  std::memcpy(name.sun_path, path.data(), path.size());
  auto const descriptor = new_socket(AF_UNIX);
  auto const done =
      finish_connect(descriptor, reinterpret_cast<sockaddr*>(&name), sizeof name, deadline);
  if (!done) {
    ::close(descriptor);
    return tl::unexpected(done.error());
  }
  return descriptor;
}

Transported<int> connect_tcp(Address const& address, Deadline deadline) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  auto const code = ::getaddrinfo(address.host.c_str(), address.port.c_str(), &hints, &found);
  if (code != 0) {
    return failed(Kind::refused, ::gai_strerror(code));
  }
  Transported<int> result = failed(Kind::refused, "the name has no address");
  for (auto const* each = found; each != nullptr; each = each->ai_next) {
    auto const descriptor = new_socket(each->ai_family);
    auto const done = finish_connect(descriptor, each->ai_addr, each->ai_addrlen, deadline);
    if (done) {
      result = descriptor;
      break;
    }
    ::close(descriptor);
    result = tl::unexpected(done.error());
  }
  ::freeaddrinfo(found);
  return result;
}

}  // namespace

Transported<Socket> Socket::connect(Address const& address, Deadline deadline) {
  auto const descriptor =
      address.is_socket() ? connect_unix(address.socket, deadline) : connect_tcp(address, deadline);
  if (!descriptor) {
    return tl::unexpected(descriptor.error());
  }
  Socket socket(*descriptor);
  if (address.tls) {
    if (auto greeted = socket.secure(address, deadline); !greeted) {
      return tl::unexpected(greeted.error());
    }
  }
  return socket;
}

Transported<bool> Socket::secure(Address const& address, Deadline deadline) {
  tls_ = std::make_unique<TlsLine>(descriptor_, address.host, address.ca_file);
  for (;;) {
    auto const step = tls_->greet();
    if (!step.trouble.empty() || step.over) {
      return failed(Kind::distrusted, step.over ? "the daemon hung up" : step.trouble);
    }
    if (step.waits == TlsLine::Waits::no) {
      return true;
    }
    if (auto ready = wait_for(descriptor_, events_of(step), deadline); !ready) {
      return ready;
    }
  }
}

Transported<bool> Socket::send_secured(std::string_view bytes, Deadline deadline) {
  while (!bytes.empty()) {
    auto const step = tls_->send(bytes);
    if (!step.trouble.empty() || step.over) {
      return failed(Kind::broken, step.over ? "the daemon hung up" : step.trouble);
    }
    bytes.remove_prefix(step.size);
    if (step.waits != TlsLine::Waits::no) {
      if (auto ready = wait_for(descriptor_, events_of(step), deadline); !ready) {
        return ready;
      }
    }
  }
  return true;
}

Socket::Socket(Socket&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), tls_(std::move(other.tls_)) {}
Socket& Socket::operator=(Socket&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(tls_, other.tls_);
  return *this;
}
Socket::~Socket() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
  }
}

Transported<bool> Socket::send(std::string_view bytes, Deadline deadline) {
  if (tls_) {
    return send_secured(bytes, deadline);
  }
  while (!bytes.empty()) {
    if (auto ready = wait_for(descriptor_, POLLOUT, deadline); !ready) {
      return ready;
    }
    auto const sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EPIPE || errno == ECONNRESET) {
      return true;  // a refusal may be waiting to be read, such as "too large"
    } else if (errno != EAGAIN && errno != EINTR) {
      return failed(Kind::broken, "the connection broke: " + error_text(errno));
    }
  }
  return true;
}

Transported<std::string> Socket::receive(Deadline deadline) {
  for (;;) {
    // first what is there: TLS may hold what poll(2) does not see
    auto bytes = receive_now();
    if (!bytes) {
      return tl::unexpected(bytes.error());
    }
    if (*bytes) {
      return std::move(**bytes);
    }
    if (auto ready = wait_for(descriptor_, POLLIN, deadline); !ready) {
      return tl::unexpected(ready.error());
    }
  }
}

Transported<std::optional<std::string>> Socket::receive_now() {
  std::array<char, 16'384> buffer;
  if (tls_) {
    auto const step = tls_->receive(buffer);
    if (!step.trouble.empty()) {
      return failed(Kind::broken, "the connection broke: " + step.trouble);
    }
    if (step.size == 0 && !step.over) {
      return std::optional<std::string>();
    }
    return std::string(buffer.data(), step.size);
  }
  for (;;) {
    auto const size = ::recv(descriptor_, buffer.data(), buffer.size(), 0);
    if (size >= 0) {
      return std::string(buffer.data(), static_cast<std::size_t>(size));
    }
    if (errno == EAGAIN) {
      return std::optional<std::string>();
    }
    if (errno != EINTR) {
      return failed(Kind::broken, "the connection broke: " + error_text(errno));
    }
  }
}

}  // namespace runbookd::ctl
