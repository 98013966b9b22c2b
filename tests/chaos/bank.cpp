#include "tests/chaos/bank.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <random>
#include <utility>

#include <libpq-fe.h>

#include "tests/chaos/scenario.h"

namespace runbookd::chaos {
namespace {

using namespace std::chrono_literals;
using Connection = std::unique_ptr<PGconn, decltype(&PQfinish)>;

bool done(Connection const& connection, std::string const& sql) {
  auto const result = std::unique_ptr<PGresult, decltype(&PQclear)>(
      PQexec(connection.get(), sql.c_str()), &PQclear);
  auto const status = PQresultStatus(result.get());
  return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

std::string change(int account, int amount) {
  return "UPDATE bank SET balance = balance + " + std::to_string(amount) +
         ", moves = moves + 1 WHERE id = " + std::to_string(account) + ";";
}

}  // namespace

Bank::Bank(std::string dsn, int clients) : dsn_(std::move(dsn)) {
  for (int i = 0; i < clients; ++i) {
    clients_.emplace_back(
        [this, i](std::stop_token const& stop) { work(stop, static_cast<unsigned>(i)); });
  }
}

void Bank::stop() {
  for (auto& client : clients_) {
    client.request_stop();
  }
  clients_.clear();
}

void Bank::work(std::stop_token const& stop, unsigned seed) {
  std::mt19937 chance(seed);
  std::uniform_int_distribution<int> account(1, bank_accounts);
  Connection connection(nullptr, &PQfinish);
  while (!stop.stop_requested()) {
    std::this_thread::sleep_for(1ms);
    if (PQstatus(connection.get()) != CONNECTION_OK) {
      connection.reset(PQconnectdb((dsn_ + " application_name=bank").c_str()));
      PQsetNoticeProcessor(connection.get(), [](void*, char const*) {}, nullptr);
      continue;
    }
    auto const [low, high] = std::minmax({account(chance), account(chance)});
    if (low == high) {
      continue;
    }
    // always in the order of the accounts, so that two clients do not wait for each other
    if (!done(connection, "BEGIN;" + change(low, -7) + change(high, 7))) {
      done(connection, "ROLLBACK");
    } else if (done(connection, "COMMIT")) {
      ++moved_;
    } else {
      ++unsure_;
    }
  }
}

}  // namespace runbookd::chaos
