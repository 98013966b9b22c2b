#include "daemon/target/transaction.h"

#include <utility>

#include "daemon/target/fence.h"
#include "planner/mutant.h"

namespace runbookd::daemon {
namespace {

std::string millis(planner::Duration duration) { return std::to_string(duration.count()); }

std::string set_sql(std::string const& set, Limits const& limits, planner::Duration idle) {
  return set + "lock_timeout = " + millis(limits.lock) + "; " + set +
         "statement_timeout = " + millis(limits.statement) + "; " + set +
         "idle_in_transaction_session_timeout = " + millis(idle) + "; ";
}

SqlFailure limits_differ(std::vector<Cell> const& shown, std::vector<Cell> const& wanted) {
  std::string message = "the server did not take our time limits, so nothing was run:";
  constexpr const char* names[] = {"lock_timeout", "statement_timeout",
                                   "idle_in_transaction_session_timeout"};
  for (std::size_t i = 0; i < shown.size() && i < std::size(names); ++i) {
    message += std::string(" ") + names[i] + " is " + shown[i].value_or("?") + " ms, not " +
               wanted[i].value_or("?") + " ms;";
  }
  if (shown.size() > std::size(names) && shown.back() != "t") {
    message += " synchronous_commit is not on, so that a commit could be lost in a crash;";
  }
  return {.message = message +
                     " a connection pooler between us and the server may be the cause: name the "
                     "server itself"};
}

}  // namespace

std::string_view const limits_shown = R"sql(SELECT
  (extract(epoch FROM current_setting('lock_timeout')::interval) * 1000)::bigint,
  (extract(epoch FROM current_setting('statement_timeout')::interval) * 1000)::bigint,
  (extract(epoch FROM current_setting('idle_in_transaction_session_timeout')::interval) * 1000)::bigint,
  current_setting('synchronous_commit') IN ('on', 'remote_apply'))sql";

std::string durable_commit(std::string_view only_this_transaction) {
  return "set_config('synchronous_commit', CASE WHEN current_setting('synchronous_commit') = "
         "'remote_apply' THEN 'remote_apply' ELSE 'on' END, " +
         std::string(only_this_transaction) + ")";
}

std::string begin_sql(Limits const& limits) {
  if (planner::mutant(planner::Mutant::limits_not_set)) {
    return "BEGIN; ";
  }
  return "BEGIN ISOLATION LEVEL READ COMMITTED; " + set_sql("SET LOCAL ", limits, idle_limit) +
         "SELECT " +
         (limits.durable ? durable_commit("true")
                         : "set_config('synchronous_commit', 'off', true)") +
         "; ";
}

std::string session_limits_sql(Limits const& limits) {
  return set_sql("SET ", limits, planner::Duration(0));
}

SqlResult<void> limits_hold(SqlResult<Rows> const& shown, Limits const& limits,
                            planner::Duration idle) {
  if (!shown) {
    return tl::unexpected(shown.error());
  }
  std::vector<Cell> const wanted{millis(limits.lock), millis(limits.statement), millis(idle), "t"};
  if (shown->rows.size() != 1 || shown->rows.front() != wanted) {
    return tl::unexpected(
        limits_differ(shown->rows.empty() ? wanted : shown->rows.front(), wanted));
  }
  return {};
}

AttemptResult ended_by(SqlFailure failure, std::stop_token const& stop,
                       planner::Duration statement_limit) {
  if (keeps_out(failure)) {
    return {.end = planner::AttemptEnd::fenced, .failure = std::move(failure)};
  }
  if (failure.fate == SqlFailure::Fate::unknown || failure.sqlstate == already_done_code) {
    return {.end = planner::AttemptEnd::lost, .failure = std::move(failure)};
  }
  if (failure.sqlstate == "55P03" || failure.sqlstate == "40P01" ||
      failure.sqlstate == other_session_code) {
    return {.end = planner::AttemptEnd::busy, .failure = std::move(failure)};
  }
  if (failure.sqlstate == "57014" && stop.stop_requested()) {
    return {.end = planner::AttemptEnd::interrupted,
            .failure = std::move(failure),
            .note = "cancelled on request"};
  }
  if (failure.sqlstate == "57014" && statement_limit.count() > 0) {
    failure.message += ": the statement ran into statement_timeout " +
                       planner::to_text(statement_limit) +
                       ", or somebody cancelled it; raise the step's statement_timeout in the plan "
                       "if it needs longer";
  }
  return {.end = planner::AttemptEnd::failed, .failure = std::move(failure)};
}

AttemptResult interrupted(std::string note) {
  return {.end = planner::AttemptEnd::interrupted, .note = std::move(note)};
}

AttemptResult failed(std::string sqlstate, std::string message, std::string statement) {
  return {.end = planner::AttemptEnd::failed,
          .failure = SqlFailure{.sqlstate = std::move(sqlstate),
                                .message = std::move(message),
                                .statement = std::move(statement)}};
}

void roll_back(Session& session) {
  if (session.alive()) {
    (void)session.run("ROLLBACK");
  }
}

}  // namespace runbookd::daemon
