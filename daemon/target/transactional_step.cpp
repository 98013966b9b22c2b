#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "daemon/target/fence.h"
#include "daemon/target/lock_wait.h"
#include "daemon/target/marker.h"
#include "daemon/target/sent_crash.h"
#include "daemon/target/transaction.h"
#include "planner/mutant.h"

namespace runbookd::daemon {
namespace {

using planner::Mutant;
using planner::mutant;
using store::crash_point;
using store::CrashPoint;

// The server counts what a SELECT gives too.
bool changes_rows(planner::Statement const& statement) {
  constexpr std::array<std::string_view, 4> kinds{"INSERT", "UPDATE", "DELETE", "MERGE"};
  return std::ranges::find(kinds, statement.kind) != kinds.end();
}

// Rows changed by the statements that change rows; -1 where there is none.
std::int64_t counted(std::int64_t so_far, planner::Statement const& statement, Rows const& rows) {
  return changes_rows(statement) ? std::max<std::int64_t>(so_far, 0) + rows.affected : so_far;
}

// A plan that changed the role would write our marker as somebody who may not; one that asked for a
// commit without a sync would lose step and marker in a crash that the journal does not know of.
std::string marker_and_commit(Session const& session, AttemptTag const& tag,
                              planner::SqlAction const& action) {
  bool const sets = std::ranges::any_of(
      action.statements, [](planner::Statement const& s) { return s.kind.starts_with("SET"); });
  if (mutant(Mutant::no_marker) || mutant(Mutant::marker_first)) {
    return "COMMIT";
  }
  auto const undo = (mutant(Mutant::role_keeps) ? std::string() : "RESET ROLE; ") + "SELECT " +
                    durable_commit("true") + "; ";
  return (sets ? undo : "") + insert_marker_sql(session, tag) + "; COMMIT";
}

AttemptResult ended_at(Session& session, SqlFailure failure, std::string const& where,
                       std::stop_token const& stop, planner::Duration statement_limit) {
  roll_back(session);
  auto result = ended_by(std::move(failure), stop, statement_limit);
  if (result.end == planner::AttemptEnd::lost) {
    result.failure->message += " " + where;
  }
  return result;
}

// From BEGIN to COMMIT. Busy: rolled back, and worth another try.
AttemptResult one_try(Session& session, AttemptTag const& tag, planner::SqlAction const& action,
                      LockWait& wait, std::stop_token const& stop) {
  Limits const limits{.lock = action.lock.stall_budget, .statement = action.statement_timeout};
  auto const begun = session.run(begin_sql(limits) + "SET LOCAL " + name_sql(session, tag) + "; " +
                                 fence_guard_sql(session, tag) + "; " +
                                 marker_guard_sql(session, tag) + "; " + std::string(limits_shown));
  if (auto held = limits_hold(begun, limits, idle_limit); !held) {
    return ended_at(session, held.error(), "before the first statement", stop, limits.statement);
  }
  crash_point(CrashPoint::step_begun);
  std::int64_t rows = -1;
  for (std::size_t i = 0; i < action.statements.size(); ++i) {
    auto const& statement = action.statements[i];
    if (stop.stop_requested()) {
      roll_back(session);
      return interrupted("stopped between two statements; the transaction was rolled back");
    }
    if (i == wait.first_statement()) {
      if (auto locked = wait.take(limits.statement, stop); !locked) {
        return ended_at(session, locked.error(), "before a statement", stop, limits.statement);
      }
    }
    auto const done = session.run(statement.sql.text);
    if (!done) {
      return ended_at(session, done.error(), "during a statement, before COMMIT was sent", stop,
                      limits.statement);
    }
    rows = counted(rows, statement, *done);
    crash_point(CrashPoint::step_statement_done);
  }
  auto const last = marker_and_commit(session, tag, action);
  crash_point(CrashPoint::step_before_commit);
  crash_once_sent(CrashPoint::step_commit_sent, session, last);
  auto const committed = session.run(last);
  if (!committed && !mutant(Mutant::failed_commit_is_done)) {
    return ended_at(session, committed.error(), "after COMMIT was sent", stop, limits.statement);
  }
  crash_point(CrashPoint::step_committed);
  return {.rows = rows};
}

}  // namespace

AttemptResult run_transactional(Session& session, AttemptTag const& tag,
                                planner::SqlAction const& action, std::stop_token stop,
                                Waiting const& waiting) {
  if (stop.stop_requested()) {
    return interrupted("stopped before anything was sent");
  }
  if (mutant(Mutant::marker_first)) {
    (void)session.run(insert_marker_sql(session, tag));
  }
  LockWait wait(session, action.lock, action, waiting);
  return wait.run(stop, [&] { return one_try(session, tag, action, wait, stop); });
}

}  // namespace runbookd::daemon
