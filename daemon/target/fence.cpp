#include "daemon/target/fence.h"

#include <algorithm>
#include <array>
#include <utility>

#include <unistd.h>

#include "planner/mutant.h"
#include "store/crash_point.h"

namespace runbookd::daemon {
namespace {

constexpr std::string_view guard_mark = "runbookd_guard ";
constexpr std::size_t code_length = 5;

std::string host_name() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
}

// A step transaction of whoever worked here before holds the row until it ends: a claim waits for
// it, but not for ever.
constexpr auto claim_limits =
    "SET LOCAL lock_timeout = '3s'; SET LOCAL statement_timeout = '10s'; ";

std::string claim_sql(Session const& session, std::string const& store) {
  return claim_limits +
         ("INSERT INTO runbookd.fence AS f (store, number, holder, host, pid) VALUES (" +
          session.quote_literal(store)) +
         ", 1, gen_random_uuid()::text, " + session.quote_literal(host_name()) + ", " +
         std::to_string(getpid()) +
         ") ON CONFLICT (store) DO UPDATE SET number = f.number + 1, holder = excluded.holder, "
         "host = excluded.host, pid = excluded.pid, claimed_at = clock_timestamp() "
         "RETURNING number, holder";
}

SqlFailure not_claimed(SqlFailure failure) {
  if (failure.sqlstate == "55P03") {
    failure.message =
        "the fence of this target cannot be claimed yet: a transaction of the daemon that worked "
        "here before is still under way (" +
        failure.message + ")";
  }
  return failure;
}

}  // namespace

bool keeps_out(SqlFailure const& failure) {
  return failure.sqlstate == fenced_code || failure.sqlstate == foreign_run_code ||
         failure.sqlstate == other_target_code || failure.sqlstate == failed_over_code;
}

std::string guard_text(std::string_view code) {
  return std::string(guard_mark) + std::string(code) + " ";
}

bool translate_guard(SqlFailure& failure) {
  auto const at = failure.message.find(guard_mark);
  auto const end = failure.message.rfind('"');
  auto const words = at + guard_mark.size() + code_length + 1;
  if (failure.sqlstate != "22P02" || at == std::string::npos || end == std::string::npos ||
      end < words) {
    return false;
  }
  failure.sqlstate = failure.message.substr(at + guard_mark.size(), code_length);
  failure.message = failure.message.substr(words, end - words);
  failure.statement.clear();
  return true;
}

std::string fence_guard_sql(Session const& session, AttemptTag const& tag) {
  if (planner::mutant(planner::Mutant::fence_not_looked_at)) {
    return "SELECT 1";
  }
  auto const store = session.quote_literal(tag.store);
  auto const number = std::to_string(tag.fence.number);
  return "WITH f AS MATERIALIZED (SELECT number, holder, host, pid, claimed_at FROM runbookd.fence "
         "WHERE store = " +
         store + " FOR SHARE) SELECT CASE WHEN (SELECT number = " + number +
         " AND holder = " + session.quote_literal(tag.fence.holder) + " FROM f) THEN 1 ELSE ('" +
         guard_text(fenced_code) + "fenced: this daemon (pid " + std::to_string(getpid()) +
         ") claimed number " + number +
         " here; ' || coalesce((SELECT 'number ' || number || ' is held by the daemon on ' || host "
         "|| ', pid ' || pid || ', since ' || to_char(claimed_at AT TIME ZONE 'UTC', "
         "'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') FROM f), 'its row in runbookd.fence is gone') || '. "
         "Nothing was written. Two daemons with copies of one store must not go on: stop one of "
         "them')::int END";
}

std::string marker_guard_sql(Session const& session, AttemptTag const& tag) {
  auto const attempt = std::to_string(tag.attempt);
  bool const forward = tag.direction == planner::Direction::forward;
  return "SELECT CASE WHEN m.latest IS NULL THEN 1 WHEN m.latest = " + attempt +
         " AND m.same THEN ('" + guard_text(already_done_code) +
         "the marker of this very attempt is in the target already, number ' || m.latest)::int "
         "ELSE ('" +
         guard_text(store_behind_code) + "runbookd.marker knows attempt ' || m.latest || ' of " +
         "this step, and this store does not: the store is older than what was done in the "
         "target. Compare it with runbookd.marker; a store brought back from a backup cannot go "
         "on with this run')::int END FROM (SELECT max(attempt) AS latest, bool_and(direction = '" +
         std::string(forward ? "f" : "b") +
         "') AS same FROM runbookd.marker WHERE store = " + session.quote_literal(tag.store) +
         " AND run = " + session.quote_literal(tag.run) +
         " AND phase = " + std::to_string(tag.ref.phase) +
         " AND step = " + std::to_string(tag.ref.step) + " AND attempt >= " + attempt + ") m";
}

// By the name of any attempt of the step, and by the intent rows whose end nobody has heard: a
// statement such as DISCARD ALL takes the name away.
std::string alone_guard_sql(Session const& session, AttemptTag const& tag) {
  if (planner::mutant(planner::Mutant::old_session_raced)) {
    return "SELECT 1";
  }
  auto const named = [&](char direction) {
    return "starts_with(a.application_name, " +
           session.quote_literal(session_name(tag.store, tag.run) + "/" +
                                 std::to_string(tag.ref.phase) + "." +
                                 std::to_string(tag.ref.step) + direction) +
           ")";
  };
  return "SELECT ('" + guard_text(other_session_code) +
         "an earlier session of this step is still there, pid ' || a.pid || ' (' || "
         "a.application_name || '). Nothing was sent. It is waited for; to end it: SELECT "
         "pg_terminate_backend(' || a.pid || ')')::int FROM pg_catalog.pg_stat_activity a WHERE "
         "a.datname = current_database() AND a.pid <> pg_backend_pid() AND (" +
         named('f') + " OR " + named('b') +
         " OR EXISTS (SELECT FROM runbookd.intent i WHERE i.store = " +
         session.quote_literal(tag.store) + " AND i.run = " + session.quote_literal(tag.run) +
         " AND i.phase = " + std::to_string(tag.ref.phase) +
         " AND i.step = " + std::to_string(tag.ref.step) +
         " AND i.done_at IS NULL AND i.failed_at IS NULL AND i.backend_pid = a.pid AND "
         "i.backend_start = a.backend_start)) LIMIT 1";
}

SqlResult<FenceClaim> Fences::claim(Session& session, std::string const& target,
                                    planner::TargetIdentity const& found) {
  std::lock_guard const lock(mutex_);
  auto const server = found.system.empty() ? target : found.system;
  auto& known = known_[databases_[target] = server + "/" + found.database];
  if (known.claim.number > 0) {
    return known.claim;
  }
  auto const claimed = session.run(claim_sql(session, store_));
  if (!claimed) {
    return tl::unexpected(not_claimed(claimed.error()));
  }
  store::crash_point(store::CrashPoint::fence_claimed);
  auto const& row = claimed->rows.front();
  known.claim = {.number = std::stoll(row[0].value_or("0")), .holder = row[1].value_or("")};
  return known.claim;
}

void Fences::overtaken(std::string const& target) {
  std::lock_guard const lock(mutex_);
  known_[databases_[target]].overtaken = true;
}

FenceClaim Fences::known(std::string const& target) {
  std::lock_guard const lock(mutex_);
  return known_[databases_[target]].claim;
}

void Fences::take_back(std::string const& target) {
  std::lock_guard const lock(mutex_);
  auto const database = databases_[target];
  if (known_[database].overtaken) {
    known_.erase(database);
  }
}

// One message, so one transaction; the lock lets two stores that come at once see each other.
SqlResult<void> open_run(Session& session, AttemptTag const& tag, std::string const& plan) {
  auto const store = session.quote_literal(tag.store);
  auto const run = session.quote_literal(tag.run);
  auto const opened = session.run(
      claim_limits +
      ("SELECT pg_advisory_xact_lock(7232025, 1); " + fence_guard_sql(session, tag)) +
      "; SELECT ('" + guard_text(foreign_run_code) +
      "another store works here: run ' || r.run || ' (plan ' || r.plan || ') of store ' || r.store "
      "|| ' has been open since ' || to_char(r.begun_at AT TIME ZONE 'UTC', "
      "'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') || coalesce(', by the daemon on ' || f.host || ', pid ' "
      "|| "
      "f.pid, '') || '. Nothing was written. Finish or cancel it there; once that daemon is "
      "stopped and its store is gone for good: UPDATE runbookd.run SET ended_at = now() WHERE "
      "ended_at IS NULL AND store = ''' || r.store || ''';')::int FROM runbookd.run r LEFT JOIN "
      "runbookd.fence f USING (store) WHERE r.store <> " +
      store +
      " AND r.ended_at IS NULL ORDER BY r.begun_at LIMIT 1; INSERT INTO runbookd.run (store, run, "
      "plan) VALUES (" +
      store + ", " + run + ", " + session.quote_literal(plan) +
      ") ON CONFLICT (store, run) DO UPDATE SET ended_at = NULL");
  if (!opened) {
    return tl::unexpected(opened.error());
  }
  store::crash_point(store::CrashPoint::run_listed);
  return {};
}

SqlResult<void> close_run(Session& session, std::string const& store, std::string const& run,
                          FenceClaim const& claim) {
  auto const named = session.quote_literal(store);
  auto const still_ours = claim.number == 0
                              ? std::string()
                              : " AND EXISTS (SELECT FROM runbookd.fence WHERE store = " + named +
                                    " AND holder = " + session.quote_literal(claim.holder) + ")";
  auto const closed = session.run(
      claim_limits +
      ("UPDATE runbookd.run SET ended_at = clock_timestamp() WHERE ended_at IS NULL AND store = " +
       named) +
      " AND run = " + session.quote_literal(run) + still_ours);
  if (!closed) {
    return tl::unexpected(closed.error());
  }
  store::crash_point(store::CrashPoint::run_unlisted);
  return {};
}

}  // namespace runbookd::daemon
