#include "web/listener.h"

#include <cstring>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "web/connection.h"

namespace runbookd::web {

namespace asio = boost::asio;
using boost::system::error_code;
using planner::Error;
using planner::ErrorCode;
using planner::Result;
using Endpoint = asio::generic::stream_protocol::endpoint;

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
// File descriptors come free when connections end; asking again at once would only burn the CPU.
constexpr std::chrono::milliseconds back_off{200};

Error cannot_listen(ListenAddress const& address, std::string const& why, std::string next = "") {
  return {.code = ErrorCode::internal,
          .detail = "cannot listen on " + to_text(address) + ": " + why,
          .next = std::move(next)};
}

Endpoint endpoint_of(ListenAddress const& address) {
  if (address.unix_socket) {
    return asio::local::stream_protocol::endpoint(address.host);
  }
  return asio::ip::tcp::endpoint(asio::ip::make_address(address.host), address.port);
}

std::uint16_t port_of(Endpoint const& bound) {
  asio::ip::tcp::endpoint tcp;
  tcp.resize(bound.size());
  std::memcpy(tcp.data(), bound.data(), bound.size());
  return tcp.port();
}

std::uint64_t inode_of(std::string const& path) {
  struct stat info{};
  return lstat(path.c_str(), &info) == 0 ? info.st_ino : 0;
}

// A socket file outlives a daemon that was killed. Somebody else's file, or a daemon that answers,
// stays.
Result<void> clear_stale_socket(asio::io_context& io, ListenAddress const& address) {
  struct stat info{};
  if (lstat(address.host.c_str(), &info) != 0) {
    return {};
  }
  if (!S_ISSOCK(info.st_mode)) {
    return tl::unexpected(cannot_listen(address, "there is a file of that name that is no socket"));
  }
  Socket probe(io);
  error_code error;
  probe.connect(endpoint_of(address), error);
  if (error != asio::error::connection_refused) {
    return tl::unexpected(cannot_listen(address, "another process is listening there",
                                        "stop the other daemon, or choose another path"));
  }
  unlink(address.host.c_str());
  return {};
}

constexpr mode_t for_the_owner = S_IRUSR | S_IWUSR;
constexpr mode_t for_everybody = for_the_owner | S_IRGRP | S_IWGRP | S_IROTH | S_IWOTH;

Result<Listener::Acceptor> bound_acceptor(asio::io_context& io, ListenAddress const& address,
                                          mode_t socket_mode) {
  Listener::Acceptor acceptor(io);
  auto const endpoint = endpoint_of(address);
  error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error && !address.unix_socket) {
    acceptor.set_option(asio::socket_base::reuse_address(true), error);
  }
  if (!error) {
    acceptor.bind(endpoint, error);
  }
  // before listen(), so that at no moment anybody else can connect
  if (!error && address.unix_socket && chmod(address.host.c_str(), socket_mode) != 0) {
    error = error_code(errno, boost::system::system_category());
  }
  if (!error) {
    acceptor.listen(asio::socket_base::max_listen_connections, error);
  }
  if (error) {
    return tl::unexpected(cannot_listen(address, error.message()));
  }
  return acceptor;
}

void send_at_once(Socket& socket) {
  error_code ignored;
  socket.set_option(asio::ip::tcp::no_delay(true), ignored);
}

}  // namespace

Result<std::shared_ptr<Listener>> Listener::open(asio::io_context& io, ListenAddress address,
                                                 std::shared_ptr<Serving> serving) {
  if (address.unix_socket) {
    if (auto cleared = clear_stale_socket(io, address); !cleared) {
      return tl::unexpected(cleared.error());
    }
  }
  auto acceptor = bound_acceptor(
      io, address, serving->options.socket_for_everybody ? for_everybody : for_the_owner);
  if (!acceptor) {
    return tl::unexpected(acceptor.error());
  }
  if (!address.unix_socket) {
    address.port = port_of(acceptor->local_endpoint());
  }
  return std::make_shared<Listener>(std::move(*acceptor), std::move(address), std::move(serving));
}

Listener::Listener(Acceptor acceptor, ListenAddress address, std::shared_ptr<Serving> serving)
    : acceptor_(std::move(acceptor)),
      pause_(acceptor_.get_executor()),
      address_(std::move(address)),
      serving_(std::move(serving)),
      socket_file_(address_.unix_socket ? inode_of(address_.host) : 0) {}

Listener::~Listener() { stop(); }

void Listener::start() {
  asio::co_spawn(acceptor_.get_executor(), accept_all(shared_from_this()),
                 [](std::exception_ptr thrown) {
                   if (thrown) {
                     std::rethrow_exception(thrown);
                   }
                 });
}

void Listener::stop() {
  if (std::exchange(stopped_, true)) {
    return;
  }
  error_code ignored;
  acceptor_.close(ignored);
  pause_.cancel();
  if (socket_file_ != 0 && inode_of(address_.host) == socket_file_) {
    unlink(address_.host.c_str());
  }
}

void Listener::look_again() { pause_.cancel(); }

bool Listener::is_full() const {
  return serving_->open.size() >= serving_->options.max_connections;
}

// Once for each stretch of trouble, not once for each try.
void Listener::complain(error_code error) {
  if (!std::exchange(in_trouble_, true)) {
    serving_->tell_trouble(to_text(address_) + ": cannot accept a connection: " + error.message());
  }
}

asio::awaitable<void> Listener::rest(std::chrono::milliseconds how_long) {
  pause_.expires_after(how_long);
  co_await pause_.async_wait(as_result);
}

asio::awaitable<void> Listener::accept_all(std::shared_ptr<Listener> self) {
  while (!self->stopped_) {
    if (is_full()) {
      co_await acceptor_.async_wait(Acceptor::wait_read, as_result);
      serving_->end_the_longest_idle();
      co_await rest(back_off);
      continue;
    }
    auto [error, socket] = co_await acceptor_.async_accept(as_result);
    if (!error) {
      in_trouble_ = false;
      send_at_once(socket);
      auto tls = address_.tls ? serving_->tls.context() : nullptr;
      converse(Channel(std::move(socket), std::move(tls)), address_.unix_socket, serving_);
    } else if (!stopped_) {
      complain(error);
      co_await rest(back_off);
    }
  }
}

}  // namespace runbookd::web
