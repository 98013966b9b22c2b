// A catalog on its way from a daemon to whoever explains SQL against it. Not stored; what a reader
// does not know it passes over, and what is missing is as in a new Catalog. Pure; thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "planner/catalog.h"
#include "planner/error.h"

namespace runbookd::planner {

// With the version of the server it was read from, as server_version_num has it.
struct ServerCatalog {
  Catalog catalog;
  int server_version = 0;
};
std::string catalog_json(ServerCatalog const& known);
Result<ServerCatalog> catalog_from_json(std::string_view text);

}  // namespace runbookd::planner
