// The seam to one PostgreSQL session. Blocking; used by one thread at a time, except `pid` and
// `cancel`. Never reconnects: a lost session is an outcome, and whoever opens a new one starts from
// nothing. A session whose statement was cancelled is not to be used again: a cancel that arrives
// late would hit the next statement.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "planner/gate.h"

namespace runbookd::daemon {

using planner::Cell;
using planner::SqlFailure;

// What a cell says as a whole number; nothing, or 0, for NULL and for what is none.
std::optional<std::int64_t> known_number_in(Cell const& cell);
std::int64_t number_in(Cell const& cell);

struct Rows {
  std::vector<std::string> columns;
  std::vector<std::vector<Cell>> rows;
  std::int64_t affected = 0;
};
template <typename T>
using SqlResult = tl::expected<T, SqlFailure>;

class Line;

class Session {
 public:
  virtual ~Session() = default;
  // One simple-protocol message: one statement, or several of ours in one string. The answer is the
  // last statement's.
  virtual SqlResult<Rows> run(std::string_view sql) = 0;
  // $1, $2 …; prepared once per session and text.
  virtual SqlResult<Rows> run(std::string const& sql, std::vector<Cell> const& arguments) = 0;
  // Lets the server read one statement and does not run it; 42601 = it cannot.
  virtual SqlResult<void> parse(std::string const& sql) = 0;
  virtual int pid() const = 0;
  virtual int server_version() const = 0;  // 150020
  virtual bool alive() const = 0;
  // To end it from another thread, and to limit how long it waits for an answer.
  virtual std::shared_ptr<Line> line() const = 0;
  virtual std::string quote_name(std::string_view name) const = 0;
  virtual std::string quote_literal(std::string_view text) const = 0;
};

struct TargetSettings {
  std::string name;
  std::string dsn;        // libpq keywords, password included; never logged
  std::string described;  // host, port, dbname, user: safe to show
  planner::Duration connect_timeout{10'000};
};

// "host=db.example port=5432 dbname=app user=runbookd" of any libpq connection string; never its
// password.
std::string described_dsn(std::string const& dsn);

// Opens a session: application_name, search_path left as the role has it, no automatic
// reconnection, keepalives, client_connection_check_interval where the server knows it. A refusal
// carries the reason. Its line waits for an answer as long as the connect timeout says.
SqlResult<std::unique_ptr<Session>> connect(TargetSettings const& target,
                                            std::string const& application_name);

// Takes back what a plan's SQL may have set for its session (settings, role, temporary tables,
// advisory locks), so that it reaches neither the next step nor a check. Whoever gets an error
// throws the session away.
SqlResult<void> clean_session(Session& session);

}  // namespace runbookd::daemon
