#include "tests/e2e/scenario.h"

#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <thread>

#include <libpq-fe.h>

#include "daemon/target/procedures.h"

namespace runbookd::testing {
namespace {

using namespace std::chrono_literals;

PostgresCluster* the_server = nullptr;
int databases_made = 0;

daemon::Fingerprint fingerprint_of(std::string const& dsn) {
  auto session = daemon::connect({.name = "test", .dsn = dsn, .described = "test"}, "test");
  if (!session) {
    throw std::runtime_error(session.error().message);
  }
  auto taken = daemon::take_fingerprint(**session);
  if (!taken) {
    throw std::runtime_error(taken.error().message);
  }
  return *taken;
}

DaemonOptions with_target(DaemonOptions options, Database const& database) {
  options.targets.emplace("main", database.dsn());
  return options;
}

std::string indented(std::string const& text, std::string const& by) {
  std::string result = by;
  for (char const c : text) {
    result += c;
    if (c == '\n') {
      result += by;
    }
  }
  return result;
}

}  // namespace

PostgresCluster& server() { return *the_server; }
void use_server(PostgresCluster* cluster) { the_server = cluster; }
int server_major() {
  char const* asked = std::getenv("RUNBOOKD_TEST_MAJOR");
  return asked == nullptr ? 15 : std::stoi(asked);
}

Database::Database(int rows, PostgresCluster& cluster)
    : cluster_(cluster), name_("e2e_" + std::to_string(++databases_made)) {
  cluster_.create_database(name_);
  sql("CREATE TABLE t (id bigint PRIMARY KEY, a int)");
  sql("INSERT INTO t SELECT g, 0 FROM generate_series(1, " + std::to_string(rows) + ") g");
  sql("ANALYZE t");
}

std::string Database::fingerprint() const { return fingerprint_of(dsn()).digest; }
std::string Database::fingerprint_body() const { return fingerprint_of(dsn()).body; }

void Database::until(std::string const& query) const {
  auto const end = std::chrono::steady_clock::now() + 1min;
  while (sql(query) != "t") {
    if (std::chrono::steady_clock::now() > end) {
      throw std::runtime_error("waited in vain for: " + query);
    }
    std::this_thread::sleep_for(5ms);
  }
}

Holder::Holder(Database const& database, std::string const& sql)
    : connection_(PQconnectdb((database.dsn() + " application_name=holder").c_str())) {
  auto* connection = static_cast<PGconn*>(connection_);
  auto* result = PQexec(connection, ("BEGIN; " + sql).c_str());
  bool const held =
      PQresultStatus(result) == PGRES_COMMAND_OK || PQresultStatus(result) == PGRES_TUPLES_OK;
  std::string const why = PQerrorMessage(connection);
  PQclear(result);
  if (!held) {
    throw std::runtime_error("Holder: " + why);
  }
}

Holder::~Holder() { PQfinish(static_cast<PGconn*>(connection_)); }

Scene::Scene(int rows, DaemonOptions options)
    : database(rows), daemon(with_target(std::move(options), database)) {}

std::string plan_text(std::vector<StepText> const& steps, std::string const& more_of_phase,
                      std::string const& more_of_plan) {
  std::string text = "runbook: 1\nname: small\ntitle: A small plan\n" + more_of_plan +
                     "phases:\n  - name: only\n    kind: expand\n" +
                     (more_of_phase.empty() ? "" : indented(more_of_phase, "    ") + "\n") +
                     "    steps:\n";
  for (auto const& step : steps) {
    text += "      - name: " + step.name + "\n";
    if (!step.forward.empty()) {
      text += "        sql: |\n" + indented(step.forward, "          ") + "\n";
    }
    if (step.backward == "auto") {
      text += "        rollback: auto\n";
    } else if (!step.backward.empty()) {
      text += "        rollback: |\n" + indented(step.backward, "          ") + "\n";
    }
    if (!step.more.empty()) {
      text += indented(step.more, "        ") + "\n";
    }
  }
  return text;
}

std::vector<StepText> column_steps(int count) {
  std::vector<StepText> steps;
  for (int i = 1; i <= count; ++i) {
    auto const column = "c" + std::to_string(i);
    steps.push_back({.name = "add-" + column,
                     .forward = "ALTER TABLE t ADD COLUMN " + column + " int",
                     .backward = "ALTER TABLE t DROP COLUMN " + column});
  }
  return steps;
}

json step_of(json const& run, std::string const& phase, std::string const& step) {
  for (auto const& one : run.at("phases")) {
    for (auto const& candidate : one.at("steps")) {
      if (one.at("name") == phase && candidate.at("name") == step) {
        return candidate;
      }
    }
  }
  throw std::runtime_error("no step " + phase + "/" + step + " in " + run.dump(2));
}

int count_kind(std::vector<json> const& events, std::string const& kind) {
  int count = 0;
  for (auto const& event : events) {
    count += event.at("kind") == kind ? 1 : 0;
  }
  return count;
}

}  // namespace runbookd::testing
