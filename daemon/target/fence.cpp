#include "daemon/target/fence.h"

#include <algorithm>
#include <utility>

#include <unistd.h>

#include "planner/mutant.h"
#include "store/crash_point.h"

namespace runbookd::daemon {
namespace {

constexpr std::string_view guard_mark = "runbookd_guard ";
constexpr std::size_t code_length = 5;

// A step transaction of whoever worked here before holds the row until it ends: a claim waits for
// it, but not for ever.
constexpr auto claim_limits =
    "SET LOCAL lock_timeout = '3s'; SET LOCAL statement_timeout = '10s'; ";

// One row: the claim, the address of ours, and a session that works for this store.
std::string who_claimed_sql(Session const& session, std::string const& store) {
  auto const ours = session.quote_literal(session_name(store, ""));
  return "SELECT f.number, f.holder, f.host, f.pid, to_char(f.claimed_at AT TIME ZONE 'UTC', "
         "'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), f.machine, f.boot, f.pid_space, f.pid_start, "
         "f.store_file, f.address, coalesce(host(inet_client_addr()), ''), coalesce((SELECT "
         "min(a.pid) FROM pg_catalog.pg_stat_activity a WHERE a.datname = current_database() AND "
         "a.pid <> pg_backend_pid() AND starts_with(a.application_name, " +
         ours +
         ") AND a.application_name NOT LIKE '%/eyes'), 0) FROM runbookd.fence f WHERE f.store = " +
         session.quote_literal(store);
}

// Of the claim that was seen, or of none: whoever else was quicker has it.
std::string claim_sql(Session const& session, std::string const& store, Whereabouts const& here,
                      std::string const& seen) {
  auto const text = [&](std::string const& value) {
    return value.empty() ? "NULL" : session.quote_literal(value);
  };
  return claim_limits +
         ("INSERT INTO runbookd.fence AS f (store, number, holder, host, pid, machine, boot, "
          "pid_space, pid_start, store_file, address) VALUES (" +
          session.quote_literal(store)) +
         ", 1, gen_random_uuid()::text, " + session.quote_literal(here.host) + ", " +
         std::to_string(here.pid) + ", " + text(here.machine) + ", " + text(here.boot) + ", " +
         text(here.pid_space) + ", " + text(here.pid_start) + ", " + text(here.store_file) +
         ", coalesce(host(inet_client_addr()), '')) ON CONFLICT (store) DO UPDATE SET number = "
         "f.number + 1, holder = excluded.holder, host = excluded.host, pid = excluded.pid, "
         "machine "
         "= excluded.machine, boot = excluded.boot, pid_space = excluded.pid_space, pid_start = "
         "excluded.pid_start, store_file = excluded.store_file, address = excluded.address, "
         "claimed_at = clock_timestamp() WHERE f.holder = " +
         session.quote_literal(seen) + " RETURNING number, holder";
}

struct Claimed {  // as the row tells
  planner::ClaimHolder holder;
  Whereabouts where;
  std::string our_address;
};

SqlResult<std::optional<Claimed>> who_claimed(Session& session, std::string const& store) {
  auto const found = session.run(who_claimed_sql(session, store));
  if (!found) {
    return tl::unexpected(found.error());
  }
  if (found->rows.empty()) {
    return std::nullopt;
  }
  auto const text = [&row = found->rows.front()](int i) { return row[i].value_or(""); };
  auto const pid = std::stoi(text(3));
  return Claimed{.holder = {.id = text(1),
                            .host = text(2),
                            .pid = pid,
                            .since = text(4),
                            .session = std::stoi(text(12))},
                 .where = {.host = text(2),
                           .machine = text(5),
                           .boot = text(6),
                           .pid_space = text(7),
                           .pid = pid,
                           .pid_start = text(8),
                           .store_file = text(9),
                           .address = text(10)},
                 .our_address = text(11)};
}

bool may_live(Claimed const& claimed, Whereabouts here) {
  here.address = claimed.our_address;
  return !surely_gone(claimed.where, here, process_lives);
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
  return failure.sqlstate == fenced_code || failure.sqlstate == store_behind_code ||
         failure.sqlstate == foreign_run_code || failure.sqlstate == other_target_code ||
         failure.sqlstate == failed_over_code;
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
                                    planner::TargetIdentity const& found,
                                    std::string const& taken_from) {
  std::lock_guard const lock(mutex_);
  // a promoted standby may lack a claim that the old primary had
  auto const server = found.system.empty() ? target : found.system;
  auto const database = server + "/" + found.timeline + "/" + found.database;
  databases_[target] = database;
  if (auto const known = known_.find(database); known != known_.end()) {
    return known->second;
  }
  auto const seen = who_claimed(session, store_);
  if (!seen) {
    return tl::unexpected(seen.error());
  }
  bool const asked = !planner::mutant(planner::Mutant::fence_taken_unasked);
  if (*seen && asked && (*seen)->holder.id != taken_from && may_live(**seen, here_)) {
    return tl::unexpected(SqlFailure{
        .sqlstate = std::string(fenced_code),
        .message =
            "fenced: another daemon has claimed this target: " + holder_words((*seen)->holder) +
            ". Nothing was written. Go on there, or stop that daemon and take "
            "the target over"});
  }
  auto const claimed =
      session.run(claim_sql(session, store_, here_, *seen ? (*seen)->holder.id : ""));
  if (!claimed) {
    return tl::unexpected(not_claimed(claimed.error()));
  }
  if (claimed->rows.empty()) {
    return tl::unexpected(SqlFailure{
        .sqlstate = "55P03", .message = "another daemon claims the target at this very moment"});
  }
  store::crash_point(store::CrashPoint::fence_claimed);
  auto const& row = claimed->rows.front();
  known_[database] = {.number = std::stoll(row[0].value_or("0")), .holder = row[1].value_or("")};
  return known_[database];
}

SqlResult<std::optional<planner::ClaimHolder>> Fences::holder(Session& session,
                                                              std::string const& target) {
  auto const seen = who_claimed(session, store_);
  if (!seen) {
    return tl::unexpected(seen.error());
  }
  bool const another = *seen && (*seen)->holder.id != known(target).holder;
  return another && may_live(**seen, here_) ? std::optional((*seen)->holder) : std::nullopt;
}

void Fences::forget(std::string const& target) {
  std::lock_guard const lock(mutex_);
  known_.erase(databases_[target]);
}

FenceClaim Fences::known(std::string const& target) {
  std::lock_guard const lock(mutex_);
  auto const known = known_.find(databases_[target]);
  return known == known_.end() ? FenceClaim{} : known->second;
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
