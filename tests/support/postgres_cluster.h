// A throw-away PostgreSQL of its own: made, started and removed by a test, run by an ordinary user,
// reached by a socket in its own folder (and, where asked for, by loopback on a free port).
// Construct it on the main thread: the server is told to stop when the thread that started it ends.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace runbookd::testing {

struct ClusterOptions {
  int major = 15;
  bool durable =
      false;  // true: fsync and full_page_writes on, as a server keeps data that is worth something
  bool tcp = false;  // listens on 127.0.0.1 too, where a password is asked for
  std::map<std::string, std::string> settings;  // postgresql.conf
  // a streaming copy of this running server, which is stopped for the moment of copying
  class PostgresCluster* standby_of = nullptr;
};

// A test that lacks something of its machine says so; where everything was asked for
// (RUNBOOKD_PG_ALL, as tests/run.sh does) it fails: throws.
void left_out(std::string const& why);

class PostgresCluster {
 public:
  // The folder of a version's server programs: RUNBOOKD_PG<major>_BIN, or Debian's.
  static std::optional<std::string> programs(int major);

  explicit PostgresCluster(ClusterOptions options = {});
  ~PostgresCluster();
  PostgresCluster(PostgresCluster const&) = delete;
  PostgresCluster& operator=(PostgresCluster const&) = delete;

  static constexpr auto superuser = "postgres";
  static constexpr auto password = "correct horse";

  // libpq keywords; by socket nobody is asked for a password.
  std::string dsn(std::string const& database = "postgres",
                  std::string const& user = superuser) const;
  std::string tcp_dsn(std::string const& database, std::string const& user,
                      std::string const& secret) const;
  std::string const& folder() const { return folder_; }
  int port() const { return port_; }
  int major() const { return options_.major; }
  pid_t pid() const { return server_; }

  void create_database(std::string const& name);
  // Runs SQL as superuser and gives the first value of the last answer; throws where the server
  // refuses.
  std::string sql(std::string const& database, std::string const& text) const;

  // Another program, as the server's user, with its output in this folder's log.
  pid_t launch(std::vector<std::string> const& command) const;

  enum class Stop { fast, immediate };
  void start();
  void stop(Stop how = Stop::fast);

 private:
  void initialize() const;
  void copy_primary() const;
  bool answers() const;

  ClusterOptions options_;
  std::string programs_, folder_;
  uid_t user_ = 0;
  gid_t group_ = 0;
  int port_ = 5432;
  pid_t server_ = 0;
};

}  // namespace runbookd::testing
