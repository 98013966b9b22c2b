// The same request for people with curl.
#pragma once

#include <string>

#include "web/ctl/address.h"
#include "web/ctl/http_client.h"

namespace runbookd::ctl {

// One command line, quoted for a POSIX shell.
// The token does not stand in it: the file that holds it does.
std::string curl_command(Address const& address, HttpRequest const& request,
                         std::string const& token_file = {});

}  // namespace runbookd::ctl
