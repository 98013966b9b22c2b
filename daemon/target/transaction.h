// What every transaction of ours on a target has in common. Private to daemon/target.
#pragma once

#include <stop_token>
#include <string>
#include <string_view>

#include "daemon/target/procedures.h"

namespace runbookd::daemon {

struct Limits {
  planner::Duration lock{};       // 0 = none
  planner::Duration statement{};  // 0 = none
  // False: a crash of the server may take the commit back, and what proves it with it.
  bool durable = true;
  bool operator==(Limits const&) const = default;
};
// A transaction of ours that hangs between two statements (a stopped daemon) must not hold its
// locks for long.
inline constexpr planner::Duration idle_limit{10'000};

// "BEGIN …; SET LOCAL …": the head of a transaction, to be followed by `limits_shown` or by our own
// statements.
std::string begin_sql(Limits const& limits);
// "SET …": for a session that works outside transactions.
std::string session_limits_sql(Limits const& limits);
// An expression that sets synchronous_commit to on, for the transaction or the session, unless it
// is stronger already.
std::string durable_commit(std::string_view only_this_transaction);
// A SELECT that shows the three limits as milliseconds and whether a commit is durable, and its
// comparison with what was asked for.
extern std::string_view const limits_shown;
SqlResult<void> limits_hold(SqlResult<Rows> const& shown, Limits const& limits,
                            planner::Duration idle);

// How an attempt ends that a failure has stopped: busy for lock timeouts and deadlocks, interrupted
// where a stop was asked for, lost where nobody knows.
AttemptResult ended_by(SqlFailure failure, std::stop_token const& stop,
                       planner::Duration statement_limit);
AttemptResult interrupted(std::string note);
AttemptResult failed(std::string sqlstate, std::string message, std::string statement = {});

void roll_back(Session& session);

}  // namespace runbookd::daemon
