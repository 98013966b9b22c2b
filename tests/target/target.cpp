#include "tests/target/target.h"

#include <chrono>
#include <future>
#include <stdexcept>
#include <thread>
#include <utility>

#include "daemon/target/line.h"

namespace runbookd::testing {
namespace {

PostgresCluster* the_server = nullptr;
int databases = 0;

}  // namespace

PostgresCluster& server() { return *the_server; }
void use_server(PostgresCluster* cluster) { the_server = cluster; }

Target::Target() : name_("t" + std::to_string(++databases)) {
  server().create_database(name_);
  if (auto const ready = daemon::prepare_target(*connect("preparation")); !ready) {
    throw std::runtime_error(ready.error().message);
  }
  sql("INSERT INTO runbookd.fence (store, number, holder, host, pid) VALUES ('store-1', 1, 'us', "
      "'here', 1)");
}

Target::~Target() {
  try {
    server().sql("postgres", "DROP DATABASE " + name_ + " WITH (FORCE)");
  } catch (std::exception const&) {
    // the whole server goes soon
  }
}

std::unique_ptr<daemon::Session> Target::connect(std::string const& application,
                                                 std::string const& user) const {
  auto session = daemon::connect({.name = "main", .dsn = server().dsn(name_, user)}, application);
  if (!session) {
    throw std::runtime_error(session.error().message);
  }
  (*session)->line()->answer_within({});  // as while the daemon's eyes look on
  return std::move(*session);
}

std::string Target::sql(std::string const& text) const { return server().sql(name_, text); }

void Target::until(std::string const& query) const {
  auto const deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (sql(query) != "t") {
    if (std::chrono::steady_clock::now() > deadline) {
      throw std::runtime_error("never true: " + query);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

void Target::terminate(std::string const& application) const {
  auto const theirs = " FROM pg_stat_activity WHERE application_name LIKE '" + application + "%'";
  sql("SELECT pg_terminate_backend(pid)" + theirs);
  until("SELECT count(*) = 0" + theirs);
}

daemon::AttemptTag tag(int attempt, planner::Direction direction) {
  return {.store = "store-1",
          .run = "run_0123456789ab",
          .ref = {1, 2},
          .direction = direction,
          .attempt = attempt,
          .label = "expand/add-column",
          .fence = {.number = 1, .holder = "us"}};
}

planner::SqlText text(std::string const& sql) { return {.text = sql}; }

planner::SqlAction action(std::string const& sql) {
  auto read = planner::read_sql(text(sql));
  if (!read.findings.empty()) {
    throw std::runtime_error(read.findings.front().message);
  }
  return {.source = text(sql), .statements = std::move(read.statements)};
}

std::stop_token never() { return {}; }

struct Hands::Work {
  std::future<daemon::AttemptResult> answer;
};
Hands::Hands(std::function<daemon::AttemptResult()> call)
    : work_(std::make_unique<Work>(Work{std::async(std::launch::async, std::move(call))})) {}
Hands::~Hands() = default;
daemon::AttemptResult Hands::result() { return work_->answer.get(); }

}  // namespace runbookd::testing
