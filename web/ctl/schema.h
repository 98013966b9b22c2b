// What SQL is held against: a schema dump, a server, or a target of the daemon.
#pragma once

#include <string>

#include "planner/catalog.h"
#include "planner/effects.h"
#include "web/ctl/commands.h"
#include "web/ctl/session.h"

namespace runbookd::ctl {

struct KnownSchema {
  planner::Catalog catalog;  // nothing is known where nothing was named
  int server_version = 0;    // 150004; 0 = not asked
  int major() const { return server_version == 0 ? newest : server_version / 10000; }
  static constexpr int newest = 18;
};
Maybe<KnownSchema> load_known(Session& session, SchemaChoice const& choice);

// A schema dump: its catalog, and its statements as they stand; without a file nothing is known.
// What could not be read is told.
Maybe<planner::Explanation> load_schema(Session& session, std::string const& file);

}  // namespace runbookd::ctl
