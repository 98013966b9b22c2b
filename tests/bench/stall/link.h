// A libpq connection that lives as long as its value. Throws what the server says.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>

#include <libpq-fe.h>

namespace runbookd::bench {

class Link {
 public:
  explicit Link(std::string const& dsn) : connection_(PQconnectdb(dsn.c_str()), PQfinish) {
    if (PQstatus(connection_.get()) != CONNECTION_OK) {
      throw std::runtime_error(PQerrorMessage(connection_.get()));
    }
  }
  // The SQLSTATE, or nothing where it went well.
  std::string attempt(std::string const& sql) {
    std::unique_ptr<PGresult, decltype(&PQclear)> const result(
        PQexec(connection_.get(), sql.c_str()), PQclear);
    auto const status = PQresultStatus(result.get());
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) {
      value_ = PQntuples(result.get()) > 0 ? PQgetvalue(result.get(), 0, 0) : "";
      return "";
    }
    auto const* state = PQresultErrorField(result.get(), PG_DIAG_SQLSTATE);
    return state != nullptr ? state : "08006";
  }
  std::string run(std::string const& sql) {
    if (auto const state = attempt(sql); !state.empty()) {
      throw std::runtime_error(sql + ": " + PQerrorMessage(connection_.get()));
    }
    return value_;
  }

 private:
  std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
  std::string value_;
};

}  // namespace runbookd::bench
