#include "web/server.h"

#include <utility>

#include <boost/asio/io_context.hpp>

#include "web/listener.h"

namespace runbookd::web {

using planner::Result;

void Serving::end_the_longest_idle() const {
  OpenConnection* longest = nullptr;
  for (auto* connection : open) {
    auto const since = connection->idle_since();
    if (since && (longest == nullptr || *since < *longest->idle_since())) {
      longest = connection;
    }
  }
  auto const now = std::chrono::steady_clock::now();
  if (longest != nullptr && now - *longest->idle_since() >= options.timeouts.spare) {
    longest->finish();
  }
}

struct Server::Parts {
  Parts(boost::asio::io_context& the_io, RunService& service, ServerOptions options)
      : io(the_io), serving(std::make_shared<Serving>(service, std::move(options))) {
    serving->on_closed = [this] {
      for (auto const& listener : listeners) {
        listener->look_again();
      }
    };
  }

  boost::asio::io_context& io;
  std::shared_ptr<Serving> serving;
  std::vector<std::shared_ptr<Listener>> listeners;

  // What ends one connection can end others and change the set under the loop.
  void each_connection(void (OpenConnection::*what)()) {
    auto const open = serving->open;
    for (auto* connection : open) {
      if (serving->open.contains(connection)) {
        (connection->*what)();
      }
    }
  }
};

Server::Server(boost::asio::io_context& io, RunService& service, ServerOptions options)
    : parts_(std::make_unique<Parts>(io, service, std::move(options))) {}

Server::~Server() {
  stop();
  parts_->each_connection(&OpenConnection::drop);
  parts_->serving->on_closed = nullptr;
  parts_->serving->cut = true;
}

Result<std::vector<std::string>> Server::listen() {
  std::vector<std::shared_ptr<Listener>> listeners;
  std::vector<std::string> names;
  for (auto const& text : parts_->serving->options.listen) {
    auto const address = read_listen_address(text);
    if (!address) {
      return tl::unexpected(address.error());
    }
    if (address->tls && !parts_->serving->tls.context()) {
      auto& tls = parts_->serving->tls;
      if (auto loaded = tls.load(); !loaded) {
        return tl::unexpected(loaded.error());
      }
      // told, not refused: a daemon that does not start is one that nobody can pause a run with
      if (auto good = expect_good(tls.files()); !good) {
        parts_->serving->tell_trouble(good.error().detail + "; try: " + good.error().next);
      }
    }
    auto listener = Listener::open(parts_->io, *address, parts_->serving);
    if (!listener) {
      return tl::unexpected(listener.error());
    }
    names.push_back(to_text((*listener)->address()));
    listeners.push_back(std::move(*listener));
  }
  for (auto const& listener : listeners) {
    listener->start();
  }
  parts_->listeners = std::move(listeners);
  return names;
}

Result<void> Server::reload_tls() {
  auto& tls = parts_->serving->tls;
  return tls.context() ? expect_good(tls.files()).and_then([&] { return tls.load(); })
                       : Result<void>();
}

void Server::stop() {
  parts_->serving->stopping = true;
  for (auto const& listener : parts_->listeners) {
    listener->stop();
  }
  parts_->each_connection(&OpenConnection::finish);
}

bool Server::idle() const { return parts_->serving->open.empty(); }

int Server::streams() const { return parts_->serving->streams.all(); }

}  // namespace runbookd::web
