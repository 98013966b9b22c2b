// Who is at the other end of a session: looked at before anything else is sent over it.
#include <map>
#include <utility>

#include "daemon/target/fence.h"
#include "daemon/target/marker.h"
#include "planner/mutant.h"
#include "planner/words.h"

namespace runbookd::daemon {
namespace {

using planner::TargetIdentity;

// The name of the WAL file tells the timeline at once; the control file only after a checkpoint.
constexpr auto who_is_there = R"sql(
  SELECT pg_is_in_recovery(), current_database(), pg_backend_pid(),
         coalesce(current_setting('runbookd.session', true), ''),
         CASE WHEN NOT pg_is_in_recovery() THEN left(pg_walfile_name(pg_current_wal_lsn()), 8) END)sql";
constexpr auto with_system = ", (SELECT system_identifier FROM pg_control_system())";
constexpr auto without_system = ", NULL";

SqlResult<Rows> ask(Session& session) {
  auto const seen = session.run(std::string(who_is_there) + with_system);
  return seen || seen.error().sqlstate != "42501"
             ? seen
             : session.run(std::string(who_is_there) + without_system);
}

SqlFailure refusal(std::string sqlstate, std::string message) {
  return {.sqlstate = std::move(sqlstate), .message = std::move(message)};
}

SqlFailure pooler() {
  return refusal("08P01",
                 "a connection pooler stands between us and the server: two transactions of one "
                 "session did not meet the same server process with the same settings. Behind it "
                 "time limits and locks would be other people's; name the server itself (host and "
                 "port of PostgreSQL) in the target's connection string. Nothing was sent");
}

// The session's pid as the handshake told it is the pooler's own invention behind a pooler.
bool direct(std::vector<Cell> const& row, Session const& session) {
  auto const pid = std::to_string(session.pid());
  return row[2] == pid && row[3] == pid;
}

std::string described(TargetIdentity const& target) {
  return "database " + target.database + " of server " +
         (target.system.empty() ? "?" : target.system);
}

struct LastMarker {
  std::string direction;
  int attempt = 0;
  std::string label, at;
};
using Markers = std::map<planner::StepRef, LastMarker>;

SqlResult<Markers> last_markers(Session& session, std::string const& store,
                                std::string const& run) {
  auto const last = session.run(
      "SELECT DISTINCT ON (phase, step) phase, step, direction, attempt, label, to_char(at AT TIME "
      "ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') FROM runbookd.marker WHERE store = $1 AND run "
      "= "
      "$2 ORDER BY phase, step, attempt DESC",
      {store, run});
  if (!last) {
    return tl::unexpected(last.error());
  }
  Markers markers;
  for (auto const& row : last->rows) {
    auto const number = [&row](int i) { return std::stoi(row[i].value_or("0")); };
    markers[{.phase = number(0), .step = number(1)}] = {.direction = row[2].value_or(""),
                                                        .attempt = number(3),
                                                        .label = row[4].value_or(""),
                                                        .at = row[5].value_or("")};
  }
  return markers;
}

}  // namespace

SqlResult<TargetIdentity> introduce(Session& session) {
  auto const seen = ask(session);
  if (!seen) {
    return tl::unexpected(seen.error());
  }
  auto const& row = seen->rows.front();
  if (!direct(row, session)) {
    return tl::unexpected(pooler());
  }
  if (row[0] == "t") {
    return tl::unexpected(
        refusal("25006",
                "the target is a standby in recovery, which refuses every change; name the primary "
                "in the configuration. Nothing was sent"));
  }
  return TargetIdentity{.database = row[1].value_or(""),
                        .system = row[5].value_or(""),
                        .timeline = row[4].value_or("")};
}

SqlResult<void> same_target(TargetIdentity const& expected, TargetIdentity const& found) {
  if (expected == TargetIdentity{}) {
    return {};
  }
  if (expected.database != found.database || expected.system != found.system) {
    return tl::unexpected(
        refusal(std::string(other_target_code),
                "the target's connection string leads to " + described(found) +
                    " now; the run began in " + described(expected) +
                    ". Nothing was sent. Put the connection string right, then resume"));
  }
  if (expected.timeline != found.timeline && !planner::mutant(planner::Mutant::failover_unseen)) {
    return tl::unexpected(refusal(
        std::string(failed_over_code),
        "the target has failed over from timeline " + expected.timeline + " to " + found.timeline));
  }
  return {};
}

SqlResult<std::vector<planner::StepRef>> unproven(Session& session, std::string const& store,
                                                  std::string const& run,
                                                  std::vector<FinishedStep> const& finished) {
  auto last = last_markers(session, store, run);
  bool const no_table = !last && (last.error().sqlstate == "42P01" ||  // lost with everything else
                                  last.error().sqlstate == "3F000");
  if (!last && !no_table) {
    return tl::unexpected(last.error());
  }
  auto marked = last.value_or(Markers{});
  std::vector<planner::StepRef> missing;
  for (auto const& step : finished) {
    if (marked[step.ref].direction != std::string(1, direction_letter(step.direction))) {
      missing.push_back(step.ref);
    }
  }
  return missing;
}

SqlResult<void> expect_known(Session& session, std::string const& store, std::string const& run,
                             std::vector<KnownStep> const& known) {
  auto const last = last_markers(session, store, run);
  if (!last) {
    return tl::unexpected(last.error());
  }
  // all of them: nobody else tells what this store will never know
  std::vector<std::string> beyond;
  for (auto const& step : known) {
    auto const marker = last->find(step.ref);
    if (marker != last->end() && marker->second.attempt > step.attempts) {
      auto const& [direction, attempt, label, at] = marker->second;
      beyond.push_back("step " + label + " was " + (direction == "b" ? "taken back" : "done") +
                       " at " + at + " (attempt " + std::to_string(attempt) + ")");
    }
  }
  if (beyond.empty()) {
    return {};
  }
  return tl::unexpected(refusal(
      std::string(store_behind_code),
      "the target knows more of this run than this store: " + planner::joined(beyond, "; ") +
          ". Another copy of this store went on with it, or this one "
          "came from a backup. What was done there stays"));
}

}  // namespace runbookd::daemon
