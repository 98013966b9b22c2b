// Reads what is in a target's database, as far as it decides what statements do there.
#pragma once

#include "daemon/target/session.h"
#include "planner/catalog.h"
#include "planner/catalog_json.h"

namespace runbookd::daemon {

// One snapshot in one message each; the whole database but the server's own schemas and ours.
SqlResult<planner::Catalog> read_catalog(Session& session);
SqlResult<planner::ServerCatalog> read_server(Session& session);

}  // namespace runbookd::daemon
