#include "deploy/demo/load_application.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <utility>

namespace runbookd::demo {
namespace {

constexpr auto touch_user = "UPDATE users SET last_seen = now() WHERE id = $1";

char const* read_user(AppVersion version) {
  switch (version) {
    case AppVersion::v1:
    case AppVersion::v2:
      return "SELECT email, account_id FROM users WHERE id = $1";
    case AppVersion::v3:
      return "SELECT email, org_id FROM users WHERE id = $1";
  }
  std::abort();
}

char const* add_user(AppVersion version) {
  switch (version) {
    case AppVersion::v1:
      return "INSERT INTO users (email, account_id) SELECT $2, id FROM accounts WHERE id = $1";
    case AppVersion::v2:
      return "INSERT INTO users (email, account_id, org_id) SELECT $2, id, organisation_id "
             "FROM accounts WHERE id = $1";
    case AppVersion::v3:
      return "INSERT INTO users (email, org_id) SELECT $2, organisation_id "
             "FROM accounts WHERE id = $1";
  }
  std::abort();
}

struct FreeResult {
  void operator()(PGresult* result) const { PQclear(result); }
};
using ResultPtr = std::unique_ptr<PGresult, FreeResult>;

bool went_well(PGresult const* result) {
  auto const status = PQresultStatus(result);
  return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
}

// A dead server gives no SQLSTATE; 08006 is what it would be.
std::string sqlstate_of(PGresult const* result) {
  char const* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  return state != nullptr ? state : "08006";
}

}  // namespace

std::string name_of(AppVersion version) {
  switch (version) {
    case AppVersion::v1:
      return "v1";
    case AppVersion::v2:
      return "v2";
    case AppVersion::v3:
      return "v3";
  }
  std::abort();
}

LoadApplication::LoadApplication(std::string dsn, unsigned seed)
    : dsn_(std::move(dsn)), chance_(seed) {}

std::string LoadApplication::connect() {
  connection_.reset(PQconnectdb(dsn_.c_str()));
  if (PQstatus(connection_.get()) != CONNECTION_OK) {
    return PQerrorMessage(connection_.get());
  }
  std::lock_guard const lock(cancel_mutex_);
  cancel_.reset(PQgetCancel(connection_.get()));
  return {};
}

KnownRows LoadApplication::look_around() {
  return {.last_user = single_number("SELECT coalesce(max(id), 0) FROM users"),
          .last_account = single_number("SELECT coalesce(max(id), 0) FROM accounts")};
}

// Of a hundred transactions 70 read, 28 update and 2 sign somebody up.
Transaction LoadApplication::transact(AppVersion version, KnownRows const& known) {
  if (PQstatus(connection_.get()) != CONNECTION_OK) {
    if (auto const problem = connect(); !problem.empty()) {
      return {.kind = "connect", .sqlstate = "08001", .message = problem};
    }
  }
  auto const dice = pick(100);
  if (dice > 98) {
    auto const email = "new" + std::to_string(pick(1'000'000'000)) + "@example.org";
    return run("insert", add_user(version), {std::to_string(pick(known.last_account)), email});
  }
  auto const user = std::to_string(pick(known.last_user));
  return dice > 70 ? run("update", touch_user, {user, {}})
                   : run("select", read_user(version), {user, {}});
}

void LoadApplication::cancel() {
  std::lock_guard const lock(cancel_mutex_);
  if (cancel_) {
    std::array<char, 256> ignored{};
    PQcancel(cancel_.get(), ignored.data(), ignored.size());
  }
}

Transaction LoadApplication::run(char const* kind, char const* sql, Parameters const& parameters) {
  std::array<char const*, 2> const values{parameters.first.c_str(), parameters.second.c_str()};
  int const count = parameters.second.empty() ? 1 : 2;
  ResultPtr const result(
      PQexecParams(connection_.get(), sql, count, nullptr, values.data(), nullptr, nullptr, 0));
  if (went_well(result.get())) {
    return {.kind = kind};
  }
  return {.kind = kind,
          .sqlstate = sqlstate_of(result.get()),
          .message = PQerrorMessage(connection_.get())};
}

std::int64_t LoadApplication::pick(std::int64_t last) {
  return std::uniform_int_distribution<std::int64_t>(1, std::max<std::int64_t>(last, 1))(chance_);
}

std::int64_t LoadApplication::single_number(char const* sql) {
  ResultPtr const result(PQexec(connection_.get(), sql));
  return went_well(result.get()) ? std::atoll(PQgetvalue(result.get(), 0, 0)) : 0;
}

}  // namespace runbookd::demo
