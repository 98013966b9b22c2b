// A daemon and a database of its own for one test, and plans as text.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/support/postgres_cluster.h"
#include "tests/support/running_daemon.h"

namespace runbookd::testing {

PostgresCluster& server();
void use_server(PostgresCluster* cluster);
int server_major();  // of it, and of any other that a test starts

// A fresh database on this suite's server, with table t (id bigint primary key, a int) of `rows`
// rows.
class Database {
 public:
  explicit Database(int rows = 100, PostgresCluster& cluster = server());
  std::string sql(std::string const& text) const { return cluster_.sql(name_, text); }
  std::string dsn() const { return cluster_.dsn(name_); }
  std::string const& name() const { return name_; }
  std::string fingerprint() const;
  std::string fingerprint_body() const;
  // Polls until the query gives "t"; throws after a minute.
  void until(std::string const& query) const;

 private:
  PostgresCluster& cluster_;
  std::string name_;
};

// A session that holds what it was told to, until destroyed.
class Holder {
 public:
  Holder(Database const& database, std::string const& sql);
  ~Holder();
  Holder(Holder const&) = delete;
  Holder& operator=(Holder const&) = delete;

 private:
  void* connection_;
};

struct Scene {
  explicit Scene(int rows = 100, DaemonOptions options = {});
  Database database;
  RunningDaemon daemon;
};

// One phase of sql steps; each is "forward -- back".
struct StepText {
  std::string name, forward, backward, more;
};
std::string plan_text(std::vector<StepText> const& steps, std::string const& more_of_phase = "",
                      std::string const& more_of_plan = "");
// Column c1 … cn on t, one step each.
std::vector<StepText> column_steps(int count);
json step_of(json const& run, std::string const& phase, std::string const& step);
int count_kind(std::vector<json> const& events, std::string const& kind);

}  // namespace runbookd::testing
