#include <algorithm>
#include <utility>

#include "daemon/target/transaction.h"
#include "planner/mutant.h"
#include "store/crash_point.h"

namespace runbookd::daemon {
namespace {

using planner::QueryAnswer;

constexpr std::size_t rows_kept = 20;
constexpr planner::Duration read_lock_limit{5'000};
constexpr planner::Duration probe_lock_limit{1'000};

// A check is read through a cursor, so that a million rows stay on the server; statements that no
// cursor takes (SHOW, EXPLAIN, a write) are sent as they are.
constexpr auto open_cursor = "DECLARE runbookd_check NO SCROLL CURSOR FOR ";
constexpr auto fetch_some = "\n; FETCH FORWARD 21 FROM runbookd_check";
constexpr auto count_rest = "MOVE FORWARD ALL FROM runbookd_check";

bool no_cursor_for_it(SqlFailure const& failure) {
  return failure.sqlstate == "42601" || failure.sqlstate == "0A000";
}

QueryAnswer failed_check(SqlFailure failure, std::string const& sql, planner::Duration timeout) {
  failure.statement = sql;
  if (failure.sqlstate == "57014") {
    failure.message +=
        ": the check did not finish within its timeout of " + planner::to_text(timeout);
  }
  return {.failure = std::move(failure)};
}

QueryAnswer answered(Rows rows) {
  QueryAnswer answer{.columns = std::move(rows.columns), .rows = std::move(rows.rows)};
  answer.total_rows = static_cast<std::int64_t>(answer.rows.size());
  answer.rows.resize(std::min(answer.rows.size(), rows_kept));
  return answer;
}

std::string begin_read_only(Limits const& limits) {
  return begin_sql(limits) +
         (planner::mutant(planner::Mutant::checks_may_write) ? "" : "SET TRANSACTION READ ONLY; ");
}

SqlResult<QueryAnswer> read_by_cursor(Session& session, std::string const& sql,
                                      Limits const& limits) {
  auto fetched = session.run(begin_read_only(limits) + open_cursor + sql + fetch_some);
  if (!fetched) {
    return tl::unexpected(fetched.error());
  }
  auto answer = answered(std::move(*fetched));
  if (answer.total_rows <= static_cast<std::int64_t>(rows_kept)) {
    return answer;
  }
  auto const rest = session.run(count_rest);
  if (!rest) {
    return tl::unexpected(rest.error());
  }
  answer.total_rows += rest->affected;
  return answer;
}

SqlResult<QueryAnswer> read_directly(Session& session, std::string const& sql,
                                     Limits const& limits) {
  if (auto const begun = session.run(begin_read_only(limits)); !begun) {
    return tl::unexpected(begun.error());
  }
  auto rows = session.run(sql);
  if (!rows) {
    return tl::unexpected(rows.error());
  }
  return answered(std::move(*rows));
}

// Constraints that wait for the commit must speak now: there will be no commit.
SqlResult<QueryAnswer> probe(Session& session, std::string const& sql, Limits const& limits) {
  if (auto const begun = session.run(begin_sql(limits)); !begun) {
    return tl::unexpected(begun.error());
  }
  auto rows = session.run(sql);
  if (!rows) {
    return tl::unexpected(rows.error());
  }
  store::crash_point(store::CrashPoint::check_probe_open);
  if (auto const settled = session.run("SET CONSTRAINTS ALL IMMEDIATE"); !settled) {
    return tl::unexpected(settled.error());
  }
  return answered(std::move(*rows));
}

}  // namespace

QueryAnswer run_check(Session& session, planner::SqlText const& sql, planner::Duration timeout,
                      bool expects_error) {
  auto const most = expects_error ? probe_lock_limit : read_lock_limit;
  Limits const limits{.lock = timeout.count() > 0 ? std::min(timeout, most) : most,
                      .statement = timeout};
  if (expects_error) {
    auto probed = probe(session, sql.text, limits);
    roll_back(session);
    return probed ? std::move(*probed) : failed_check(probed.error(), sql.text, timeout);
  }
  auto read = read_by_cursor(session, sql.text, limits);
  roll_back(session);
  if (!read && no_cursor_for_it(read.error())) {
    read = read_directly(session, sql.text, limits);
    roll_back(session);
  }
  return read ? std::move(*read) : failed_check(read.error(), sql.text, timeout);
}

}  // namespace runbookd::daemon
