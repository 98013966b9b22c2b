// One client's connection: reads requests within limits of size and time, answers them one after
// another.
#pragma once

#include <memory>

#include "web/channel.h"
#include "web/serving.h"

namespace runbookd::web {

// Takes the channel over until it is closed.
void converse(Channel channel, bool unix_socket, std::shared_ptr<Serving> serving);

}  // namespace runbookd::web
