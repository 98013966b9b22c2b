// The one place where libpqxx's exceptions become values.
#pragma once

#include <string>
#include <string_view>

#include "daemon/target/session.h"

namespace runbookd::daemon {

// Call inside a catch block: translates the exception in flight, by its type first, because libpqxx
// 6 drops the SQLSTATE of some. Exceptions that mean a mistake of ours go on flying.
SqlFailure failure_in_flight(std::string_view statement);

// For a refused connection: what libpq said, in words that name the target and what to do.
SqlFailure connection_refused(TargetSettings const& target, std::string const& words);

// The server's text without its severity, its excerpt of the statement and its line breaks.
std::string tidy_server_message(std::string_view text);

}  // namespace runbookd::daemon
