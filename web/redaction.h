// What other sessions of a target run is for some roles only.
#pragma once

#include <string>

namespace runbookd::web {

// The document without the text of other sessions' queries: wherever blockers and waiters are
// listed, in snapshots, events and looks alike.
std::string without_queries(std::string const& json);

}  // namespace runbookd::web
