// The bytes of one connection, plain or through TLS. For web/connection.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>

namespace runbookd::web {

// TCP and Unix sockets alike.
using Socket = boost::asio::generic::stream_protocol::socket;

class Channel {
 public:
  struct Moved {
    boost::system::error_code error;
    std::size_t size = 0;
  };

  // Without a context: plain.
  Channel(Socket socket, std::shared_ptr<boost::asio::ssl::context> tls);

  bool is_secure() const { return secured_ != nullptr; }
  Socket& socket() { return secured_ ? secured_->next_layer() : *plain_; }
  boost::asio::any_io_executor get_executor() { return socket().get_executor(); }

  // TLS: the handshake. Plain: nothing.
  boost::asio::awaitable<boost::system::error_code> greet();
  boost::asio::awaitable<Moved> read_some(boost::asio::mutable_buffer into);
  boost::asio::awaitable<Moved> write(boost::asio::const_buffer bytes);  // all of them
  // Beside a write; `told` is called with what came of it.
  void read_beside(boost::asio::mutable_buffer into,
                   std::function<void(boost::system::error_code)> told);
  void end_sending();
  void close();

 private:
  using Secured = boost::asio::ssl::stream<Socket>;
  std::shared_ptr<boost::asio::ssl::context> tls_;  // the one that it began with
  std::unique_ptr<Secured> secured_;
  std::unique_ptr<Socket> plain_;  // where it is not secured
};

}  // namespace runbookd::web
