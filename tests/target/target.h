// A fresh database on this suite's server, and short ways to say what the tests are about.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "daemon/target/procedures.h"
#include "tests/support/postgres_cluster.h"

namespace runbookd::testing {

// The one server of this run, made by main().
PostgresCluster& server();
void use_server(PostgresCluster* cluster);

class Target {
 public:
  Target();
  ~Target();
  Target(Target const&) = delete;
  Target& operator=(Target const&) = delete;

  std::unique_ptr<daemon::Session> connect(
      std::string const& application = "test",
      std::string const& user = PostgresCluster::superuser) const;
  // As superuser, outside the code under test. Gives the first value.
  std::string sql(std::string const& text) const;
  // Polls until the query gives "t"; throws after half a minute.
  void until(std::string const& query) const;
  // Ends every other session whose application name begins so, and waits until they are gone.
  void terminate(std::string const& application) const;
  std::string const& name() const { return name_; }

 private:
  std::string name_;
};

daemon::AttemptTag tag(int attempt = 1, planner::Direction direction = planner::Direction::forward);
planner::SqlAction action(std::string const& sql);
planner::SqlText text(std::string const& sql);
std::stop_token never();

// Runs the call on another thread, as the daemon's hands do.
class Hands {
 public:
  explicit Hands(std::function<daemon::AttemptResult()> call);
  ~Hands();
  daemon::AttemptResult result();

 private:
  struct Work;
  std::unique_ptr<Work> work_;
};

}  // namespace runbookd::testing
