#include "daemon/target/pq_failure.h"

#include <algorithm>
#include <array>
#include <exception>

#include <pqxx/except>

#include "daemon/target/fence.h"

namespace runbookd::daemon {
namespace {

using Fate = SqlFailure::Fate;

constexpr auto lost_connection =
    "the connection to the server was lost (the backend was ended, the server stopped, or the "
    "network failed)";

SqlFailure failed(std::string sqlstate, std::string_view words, std::string_view statement) {
  return {.sqlstate = std::move(sqlstate),
          .message = tidy_server_message(words),
          .statement = std::string(statement),
          .fate = Fate::failed};
}

SqlFailure unknown(std::string sqlstate, std::string message, std::string_view statement) {
  return {.sqlstate = std::move(sqlstate),
          .message = std::move(message),
          .statement = std::string(statement),
          .fate = Fate::unknown};
}

// After these the server ends the session, so that nobody hears how the transaction ended.
bool ends_the_session(std::string_view sqlstate) {
  constexpr std::array<std::string_view, 6> ending{"57P01", "57P02", "57P03",
                                                   "57P05", "25P03", "25P04"};
  return sqlstate.starts_with("08") || std::ranges::find(ending, sqlstate) != ending.end();
}

SqlFailure from_server(pqxx::sql_error const& error, std::string_view statement) {
  if (ends_the_session(error.sqlstate())) {
    return unknown(error.sqlstate(), tidy_server_message(error.what()), statement);
  }
  auto failure = failed(error.sqlstate(), error.what(), statement);
  translate_guard(failure);
  return failure;
}

bool is_excerpt_line(std::string_view line) {
  auto const first = line.find_first_not_of(' ');
  return line.starts_with("LINE ") ||
         (first != std::string_view::npos && line.substr(first) == "^");
}

std::string_view without_severity(std::string_view line) {
  auto const colon = line.find(":  ");
  auto const word = line.substr(0, colon);
  bool const one_word = colon != std::string_view::npos && word.find(' ') == std::string_view::npos;
  return one_word && word != "DETAIL" && word != "HINT" && word != "CONTEXT"
             ? line.substr(colon + 3)
             : line;
}

}  // namespace

std::string tidy_server_message(std::string_view text) {
  std::string tidy;
  while (!text.empty()) {
    auto const end = text.find('\n');
    auto line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty() || is_excerpt_line(line)) {
      continue;
    }
    line = without_severity(line);
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    tidy += (tidy.empty() ? "" : " ") + std::string(line);
  }
  return tidy;
}

SqlFailure failure_in_flight(std::string_view statement) {
  try {
    throw;
  } catch (pqxx::too_many_connections const& e) {
    return unknown("53300", tidy_server_message(e.what()), statement);
  } catch (pqxx::broken_connection const&) {
    return unknown("", lost_connection, statement);
  } catch (pqxx::in_doubt_error const&) {
    return unknown("", lost_connection, statement);
  } catch (pqxx::statement_completion_unknown const& e) {
    return unknown("40003", tidy_server_message(e.what()), statement);
  } catch (pqxx::deadlock_detected const& e) {
    return failed("40P01", e.what(), statement);
  } catch (pqxx::serialization_failure const& e) {
    return failed("40001", e.what(), statement);
  } catch (pqxx::transaction_rollback const& e) {
    return failed("40000", e.what(), statement);
  } catch (pqxx::insufficient_privilege const& e) {
    return failed("42501", e.what(), statement);
  } catch (pqxx::sql_error const& e) {
    return from_server(e, statement);
  } catch (pqxx::failure const& e) {
    return unknown("", tidy_server_message(e.what()), statement);
  }
}

namespace {

struct Saying {
  std::string_view words;     // of libpq or the server
  std::string_view sqlstate;  // empty: no server answered
  std::string_view meaning;
};
constexpr std::array<Saying, 13> sayings{{
    {"password authentication failed", "28P01", "the password was refused"},
    {"no password supplied", "28P01", "the server wants a password and none is configured"},
    {"no pg_hba.conf entry", "28000",
     "the server's pg_hba.conf does not let this user in from here"},
    {"role \"", "28000", "the user does not exist or may not log in"},
    {"database \"", "3D000", "the database does not exist"},
    {"permission denied for database", "42501", "the user may not connect to this database"},
    {"too many", "53300", "the server has no free connection"},
    {"the database system is", "57P03", "the server is not ready"},
    {"could not translate host name", "", "the host name is not known"},
    {"Connection refused", "", "nothing listens there"},
    {"No such file or directory", "", "no server listens on this socket"},
    {"timeout expired", "", "no answer within the connect timeout"},
    {"SSL", "", "the TLS handshake failed"},
}};

std::string last_line(std::string_view words) {
  auto const fatal = words.rfind("FATAL:  ");
  return tidy_server_message(fatal == std::string_view::npos ? words : words.substr(fatal));
}

}  // namespace

// Here libpq hands over no SQLSTATE, only words.
SqlFailure connection_refused(TargetSettings const& target, std::string const& words) {
  auto const said = last_line(words);
  auto const* saying = std::ranges::find_if(
      sayings, [&](Saying const& s) { return said.find(s.words) != std::string::npos; });
  std::string message =
      "target " + target.name + " (" + described_dsn(target.dsn) + ") cannot be reached";
  if (saying != sayings.end()) {
    message += ": " + std::string(saying->meaning);
  }
  return {.sqlstate = saying == sayings.end() ? "" : std::string(saying->sqlstate),
          .message = message + " (" + said + ")",
          .fate = Fate::failed};
}

}  // namespace runbookd::daemon
