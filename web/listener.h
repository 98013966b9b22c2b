// Accepts connections on one address and hands each to web/connection.
#pragma once

#include <memory>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "web/address.h"
#include "web/serving.h"

namespace runbookd::web {

class Listener : public std::enable_shared_from_this<Listener> {
 public:
  using Acceptor = boost::asio::basic_socket_acceptor<boost::asio::generic::stream_protocol>;

  // Bound and listening; takes nobody before start().
  static planner::Result<std::shared_ptr<Listener>> open(boost::asio::io_context& io,
                                                         ListenAddress address,
                                                         std::shared_ptr<Serving> serving);
  Listener(Acceptor acceptor, ListenAddress address, std::shared_ptr<Serving> serving);
  ~Listener();

  ListenAddress const& address() const { return address_; }
  void start();
  void stop();
  // A connection has ended.
  void look_again();

 private:
  boost::asio::awaitable<void> accept_all(std::shared_ptr<Listener> self);
  boost::asio::awaitable<void> rest(std::chrono::milliseconds how_long);
  bool is_full() const;
  void complain(boost::system::error_code error);

  Acceptor acceptor_;
  boost::asio::steady_timer pause_;
  ListenAddress address_;
  std::shared_ptr<Serving> serving_;
  std::uint64_t socket_file_ = 0;  // the inode of our Unix socket
  bool stopped_ = false;
  bool in_trouble_ = false;
};

}  // namespace runbookd::web
