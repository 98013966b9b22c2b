// What stands behind the keywords of a connection string, held against what libpq takes. Private to
// daemon/target.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "daemon/target/dsn.h"

namespace runbookd::daemon {

using Keywords = std::map<std::string, std::string>;

std::string value_of(Keywords const& keywords, std::string const& name);  // empty: not there
std::vector<DsnProblem> value_problems(Keywords const& keywords);

}  // namespace runbookd::daemon
