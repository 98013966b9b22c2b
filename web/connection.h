// One client's connection: reads requests within limits of size and time, answers them one after
// another.
#pragma once

#include <memory>

#include <boost/asio/generic/stream_protocol.hpp>

#include "web/serving.h"

namespace runbookd::web {

// TCP and Unix sockets alike.
using Socket = boost::asio::generic::stream_protocol::socket;

// Takes the socket over until it is closed.
void converse(Socket socket, bool unix_socket, std::shared_ptr<Serving> serving);

}  // namespace runbookd::web
