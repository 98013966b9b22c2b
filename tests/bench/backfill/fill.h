// One table, filled in many ways: by hand, or by the real daemon.
#pragma once

#include <string>
#include <vector>

#include "tests/bench/backfill/application.h"
#include "tests/support/postgres_cluster.h"

namespace runbookd::bench {

// Who fills, and with what: one statement by hand, or a plan's batch settings. Neither: nobody, for
// so many seconds.
struct Way {
  std::string name, sql;
  std::string batch;  // of the plan, beside the defaults: "workers: 4"
  double idle_seconds = 0;
};

struct Measured {
  double seconds = 0;           // of the statement, or of the step's attempt
  double wal_mb = 0;            // of the whole server meanwhile
  double heap = 0;              // the table's size after beside its size before
  double cpu_seconds = 0;       // of all sessions that the server had meanwhile
  std::vector<double> batches;  // milliseconds
  std::vector<Latency> latencies;
  std::string note;  // of the attempt: for how long it was slowed or stopped
};

// Users of about 250 bytes, their accounts, organisations; an index and a foreign key on the column
// that is to be filled.
void make_original(testing::PostgresCluster& cluster, long rows);
// On a fresh copy, under an application of so many transactions a second. Throws where a row is
// left out.
Measured measure(testing::PostgresCluster& cluster, Way const& way, long rows, double load);

// From the request to pause until the run says that it stands, each beside the longest batch seen.
struct Pauses {
  std::vector<double> quiet_after_ms;
  double longest_batch_ms = 0;
  std::string still_active;  // sessions of ours that were at work then
};
Pauses measure_pauses(testing::PostgresCluster& cluster, long rows, int times);

Way one_update();
Way usual_loop();
Way by_daemon(int workers);

}  // namespace runbookd::bench
