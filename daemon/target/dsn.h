// libpq connection strings: read, shown without their password, and completed with what a session
// of ours needs.
#pragma once

#include <string>

#include "daemon/target/session.h"

namespace runbookd::daemon {

// The keyword form of `target.dsn` with application name, time limits and keepalives added where it
// does not say them itself; an error text where it cannot be read.
tl::expected<std::string, std::string> session_dsn(TargetSettings const& target,
                                                   std::string const& application_name);

}  // namespace runbookd::daemon
