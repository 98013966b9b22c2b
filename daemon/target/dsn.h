// libpq connection strings: read, shown without their password, and completed with what a session
// of ours needs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "daemon/target/session.h"

namespace runbookd::daemon {

// The keyword form of `target.dsn` with application name, time limits and keepalives added where it
// does not say them itself; an error text where it cannot be read.
tl::expected<std::string, std::string> session_dsn(TargetSettings const& target,
                                                   std::string const& application_name);

struct DsnProblem {
  std::string what, fix;  // no word of the string where it may be a piece of a password
};
// What libpq or we would not take, without connecting.
std::vector<DsnProblem> dsn_problems(std::string const& dsn);
// The password file that the string names itself.
std::optional<std::string> passfile_in(std::string const& dsn);

}  // namespace runbookd::daemon
