#include "tests/support/postgres_cluster.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <grp.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/free_port.h"

namespace runbookd::testing {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void give_up(std::string const& what) {
  throw std::runtime_error("PostgresCluster: " + what);
}

std::string read_file(std::string const& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// The server refuses to run as root.
passwd const& ordinary_user() {
  for (auto const* name : {"postgres", "nobody"}) {
    if (passwd const* entry = getpwnam(name); entry != nullptr) {
      return *entry;
    }
  }
  give_up(
      "running as root, and there is neither a user postgres nor a user nobody to start the server "
      "as");
}

std::string fresh_folder() {
  std::string path = (fs::temp_directory_path() / "runbookd-pg-XXXXXX").string();
  constexpr std::size_t socket_path_limit = 80;
  if (path.size() > socket_path_limit) {
    path = "/tmp/runbookd-pg-XXXXXX";
  }
  if (mkdtemp(path.data()) == nullptr) {
    give_up("no temporary folder at " + path);
  }
  return path;
}

int wait_for(pid_t process) {
  int status = 0;
  while (waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

}  // namespace

void left_out(std::string const& why) {
  if (char const* all = std::getenv("RUNBOOKD_PG_ALL"); all != nullptr && std::string(all) == "1") {
    throw std::runtime_error("a test cannot run: " + why);
  }
  std::cerr << "SKIPPED: " << why << std::endl;
}

std::optional<std::string> PostgresCluster::programs(int major) {
  auto const name = "RUNBOOKD_PG" + std::to_string(major) + "_BIN";
  std::string folder = "/usr/lib/postgresql/" + std::to_string(major) + "/bin";
  if (char const* named = std::getenv(name.c_str()); named != nullptr && *named != '\0') {
    folder = named;
  }
  return fs::exists(folder + "/postgres") ? std::optional(folder) : std::nullopt;
}

PostgresCluster::PostgresCluster(ClusterOptions options) : options_(std::move(options)) {
  auto const found = programs(options_.major);
  if (!found) {
    give_up("no server programs of PostgreSQL " + std::to_string(options_.major) +
            "; name their folder in RUNBOOKD_PG" + std::to_string(options_.major) + "_BIN");
  }
  programs_ = *found;
  folder_ = fresh_folder();
  if (geteuid() == 0) {
    auto const& user = ordinary_user();
    user_ = user.pw_uid;
    group_ = user.pw_gid;
    if (chown(folder_.c_str(), user_, group_) != 0) {
      give_up("cannot hand over " + folder_);
    }
  }
  fs::permissions(folder_, fs::perms(0755));
  port_ = options_.tcp ? free_port() : port_;
  if (options_.standby_of != nullptr) {
    copy_primary();
  } else {
    initialize();
  }
  start();
}

PostgresCluster::~PostgresCluster() {
  stop(Stop::immediate);
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

pid_t PostgresCluster::launch(std::vector<std::string> const& command) const {
  std::vector<char*> arguments;
  for (auto const& word : command) {
    arguments.push_back(const_cast<char*>(word.c_str()));
  }
  arguments.push_back(nullptr);
  auto const log = folder_ + "/log";
  pid_t const parent = getpid();
  pid_t const child = fork();
  if (child != 0) {
    return child;
  }
  int const output = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  setpgid(0, 0);  // a Ctrl-C is for the test, which stops the server itself
  bool const switched =
      user_ == 0 || (setgroups(1, &group_) == 0 && setgid(group_) == 0 && setuid(user_) == 0);
  prctl(PR_SET_PDEATHSIG, SIGQUIT);
  if (!switched || getppid() != parent || chdir(folder_.c_str()) != 0) {
    _exit(126);
  }
  setenv("LC_ALL", "C", 1);
  execv(arguments[0], arguments.data());
  _exit(127);
}

void PostgresCluster::initialize() const {
  auto const secret = folder_ + "/secret";
  std::ofstream(secret) << password << "\n";
  fs::permissions(secret, fs::perms(0644));
  auto const status = wait_for(launch(
      {programs_ + "/initdb", "-D", folder_ + "/data", "-U", superuser, "--no-locale", "-E", "UTF8",
       "-N", "--auth-local=trust", "--auth-host=scram-sha-256", "--pwfile=" + secret}));
  if (status != 0) {
    give_up("initdb failed:\n" + read_file(folder_ + "/log"));
  }
  std::ofstream settings(folder_ + "/data/postgresql.conf", std::ios::app);
  if (!options_.durable) {
    settings << "fsync = off\nfull_page_writes = off\n";
  }
  for (auto const& [name, value] : options_.settings) {
    settings << name << " = '" << value << "'\n";
  }
}

// Not every server comes with pg_basebackup; at rest its folder can simply be copied.
void PostgresCluster::copy_primary() const {
  auto& primary = *options_.standby_of;
  primary.stop();
  auto const status =
      wait_for(launch({"/bin/cp", "-a", primary.folder_ + "/data", folder_ + "/data"}));
  primary.start();
  if (status != 0) {
    give_up("the primary's folder cannot be copied:\n" + read_file(folder_ + "/log"));
  }
  std::ofstream(folder_ + "/data/standby.signal");
  std::ofstream(folder_ + "/data/postgresql.auto.conf", std::ios::app)
      << "primary_conninfo = 'host=" << primary.folder_ << " port=" << primary.port_
      << " user=" << superuser << "'\n";
}

void PostgresCluster::start() {
  server_ = launch({programs_ + "/postgres", "-D", folder_ + "/data", "-k", folder_, "-p",
                    std::to_string(port_), "-h", options_.tcp ? "127.0.0.1" : ""});
  auto const deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!answers()) {
    int status = 0;
    bool const ended = waitpid(server_, &status, WNOHANG) == server_;
    if (ended || std::chrono::steady_clock::now() > deadline) {
      server_ = ended ? 0 : server_;
      give_up("the server does not start:\n" + read_file(folder_ + "/log"));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

bool PostgresCluster::answers() const { return PQping(dsn().c_str()) == PQPING_OK; }

void PostgresCluster::stop(Stop how) {
  if (server_ <= 0) {
    return;
  }
  kill(server_, how == Stop::fast ? SIGINT : SIGQUIT);
  wait_for(server_);
  server_ = 0;
}

std::string PostgresCluster::dsn(std::string const& database, std::string const& user) const {
  return "host=" + folder_ + " port=" + std::to_string(port_) + " dbname=" + database +
         " user=" + user;
}

std::string PostgresCluster::tcp_dsn(std::string const& database, std::string const& user,
                                     std::string const& secret) const {
  return "host=127.0.0.1 port=" + std::to_string(port_) + " dbname=" + database + " user=" + user +
         " password='" + secret + "'";
}

void PostgresCluster::create_database(std::string const& name) {
  sql("postgres", "CREATE DATABASE " + name);
}

std::string PostgresCluster::sql(std::string const& database, std::string const& text) const {
  auto const connection =
      std::unique_ptr<PGconn, decltype(&PQfinish)>(PQconnectdb(dsn(database).c_str()), &PQfinish);
  if (PQstatus(connection.get()) != CONNECTION_OK) {
    give_up(PQerrorMessage(connection.get()));
  }
  PQsetNoticeProcessor(connection.get(), [](void*, char const*) {}, nullptr);
  auto const result = std::unique_ptr<PGresult, decltype(&PQclear)>(
      PQexec(connection.get(), text.c_str()), &PQclear);
  auto const status = PQresultStatus(result.get());
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
    give_up(std::string(PQerrorMessage(connection.get())) + "in: " + text);
  }
  bool const has_value = PQntuples(result.get()) > 0 && PQnfields(result.get()) > 0;
  return has_value ? PQgetvalue(result.get(), 0, 0) : "";
}

}  // namespace runbookd::testing
