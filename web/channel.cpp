#include "web/channel.h"

#include <functional>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace runbookd::web {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

}  // namespace

Channel::Channel(Socket socket, std::shared_ptr<asio::ssl::context> tls) : tls_(std::move(tls)) {
  if (tls_) {
    secured_ = std::make_unique<Secured>(std::move(socket), *tls_);
  } else {
    plain_ = std::make_unique<Socket>(std::move(socket));
  }
}

asio::awaitable<error_code> Channel::greet() {
  if (!secured_) {
    co_return error_code();
  }
  auto const [error] = co_await secured_->async_handshake(Secured::server, as_result);
  co_return error;
}

asio::awaitable<Channel::Moved> Channel::read_some(asio::mutable_buffer into) {
  Moved moved;
  if (secured_) {
    auto const [error, size] = co_await secured_->async_read_some(into, as_result);
    moved.error = error;
    moved.size = size;
  } else {
    auto const [error, size] = co_await plain_->async_read_some(into, as_result);
    moved.error = error;
    moved.size = size;
  }
  co_return moved;
}

asio::awaitable<Channel::Moved> Channel::write(asio::const_buffer bytes) {
  Moved moved;
  if (secured_) {
    auto const [error, size] = co_await asio::async_write(*secured_, bytes, as_result);
    moved.error = error;
    moved.size = size;
  } else {
    auto const [error, size] = co_await asio::async_write(*plain_, bytes, as_result);
    moved.error = error;
    moved.size = size;
  }
  co_return moved;
}

void Channel::read_beside(asio::mutable_buffer into, std::function<void(error_code)> told) {
  auto const handler = [told = std::move(told)](error_code error, std::size_t) { told(error); };
  if (secured_) {
    secured_->async_read_some(into, handler);
  } else {
    plain_->async_read_some(into, handler);
  }
}

void Channel::end_sending() {
  error_code ignored;
  socket().shutdown(Socket::shutdown_send, ignored);
}

void Channel::close() {
  error_code ignored;
  socket().close(ignored);
}

}  // namespace runbookd::web
