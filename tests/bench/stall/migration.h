// The ways in which the column is added.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tests/support/postgres_cluster.h"
#include "tests/support/running_daemon.h"

namespace runbookd::bench {

struct Migration {
  std::string name;
  std::function<void(std::string const& column)> run;  // blocks until it is there
};

// The daemon's own, with the default lock policy.
Migration ours(testing::RunningDaemon& daemon);
// psql -c, without any limit.
Migration plain(std::string const& dsn);
// One try after the other with these limits and pauses, the last pair again and again.
struct Try {
  std::chrono::milliseconds lock_timeout, pause;
};
Migration schedule(std::string name, std::string const& dsn, std::vector<Try> tries);
std::vector<Migration> schedules(std::string const& dsn);

}  // namespace runbookd::bench
