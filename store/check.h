// A look at a whole store that nobody uses: is it sound, does every record fit, what is in it.
// Changes nothing in it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "planner/error.h"
#include "store/file.h"
#include "store/sqlite.h"

namespace runbookd::store {

struct StoreReport {
  std::string path, id;
  std::int64_t bytes = 0, schema_version = 0;
  std::int64_t plans = 0, runs = 0, unfinished = 0, events = 0, fingerprints = 0, audit_entries = 0;
  std::vector<std::string> problems;  // one sentence each; empty: the store is in order
};

// An error: it cannot be looked at (missing, foreign, newer, in use: by whom).
planner::Result<StoreReport> check_store(std::string const& path);

// A store that no daemon holds, opened as it stands: no schema is brought up to date, no log
// brought in. A copy that no daemon ever used gets no lock file; SQLite's own lock keeps others out
// then.
struct AtRest {
  std::unique_ptr<FileLock> lock;
  std::unique_ptr<Connection> connection;
};
planner::Result<AtRest> open_at_rest(std::string const& path);
// With the lock taken by the caller.
planner::Result<std::unique_ptr<Connection>> connect_at_rest(std::string const& path);
StoreReport report_on(Connection& connection);

}  // namespace runbookd::store
