#include "daemon/target/lock_set.h"

#include <algorithm>
#include <map>
#include <utility>

#include "daemon/target/locks.h"

namespace runbookd::daemon {
namespace {

using planner::Duration;
using planner::LockMode;

constexpr LockMode weakest_strong = LockMode::share_update_exclusive;
constexpr Duration least_lock_timeout{10};
// Beyond it the server looks whether an autovacuum is what we wait for.
constexpr Duration after_deadlock_check{500};

constexpr auto find_query = R"sql(
  SELECT c.oid, w.mode, pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname),
         c.relkind IN ('r', 'p') AND pg_catalog.has_table_privilege(c.oid, 'UPDATE, DELETE, TRUNCATE'),
         w.statement
  FROM wish w
  JOIN pg_catalog.pg_class c ON c.oid = pg_catalog.to_regclass(w.name)
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relpersistence <> 't' AND c.oid >= 16384
  ORDER BY c.oid)sql";

// A session that only queues is in the way too: whoever comes after it waits for it. What the role
// may not see of others (state, age) is NULL; which transaction it is can be seen by everybody.
// Prepared transactions are numbered as daemon/target/locks.cpp numbers them.
constexpr auto look_query = R"sql(
  , held AS (
    SELECT l.pid, l.virtualtransaction AS id, l.relation, l.mode, l.granted
    FROM pg_catalog.pg_locks l JOIN want w ON l.relation = w.relation AND l.mode = w.mode
    WHERE l.locktype = 'relation' AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
      AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
  )
  SELECT coalesce(h.pid, p.pid), coalesce(a.usename, p.owner),
         CASE WHEN h.pid IS NULL THEN 'prepared transaction' ELSE a.application_name END, a.backend_type,
         (extract(epoch FROM pg_catalog.clock_timestamp() - coalesce(a.xact_start, p.prepared)) * 1000)::bigint,
         coalesce(a.state, CASE WHEN h.pid IS NULL THEN 'prepared' END),
         coalesce(left(a.query, 500), 'PREPARE TRANSACTION ' || quote_literal(p.gid)),
         h.mode || CASE WHEN h.granted THEN '' ELSE ' (waiting)' END,
         h.relation::regclass::text, h.id, h.relation::oid,
         h.pid IS NULL OR a.query LIKE 'autovacuum: %(to prevent wraparound)',
         h.pid IS NOT NULL AND a.usesysid IS NULL, a.wait_event_type = 'Lock'
  FROM held h
  LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = h.pid
  LEFT JOIN LATERAL (
    SELECT x.gid, x.owner, x.prepared, x.pid FROM pg_catalog.pg_locks own
    JOIN (SELECT *, -row_number() OVER (ORDER BY gid) AS pid FROM pg_catalog.pg_prepared_xacts) x
      ON x.transaction = own.transactionid
    WHERE h.pid IS NULL AND own.pid IS NULL AND own.locktype = 'transactionid'
      AND own.virtualtransaction = h.id LIMIT 1) p ON true
  ORDER BY 5 DESC NULLS LAST)sql";

std::string millis(Duration duration) { return std::to_string(duration.count()); }

std::string set_lock_timeout(std::string const& milliseconds) {
  return "PERFORM pg_catalog.set_config('lock_timeout', " + milliseconds + ", true); ";
}

// Two that are no subset of each other (SHARE beside SHARE UPDATE EXCLUSIVE) are both covered by
// the next stronger one.
LockMode covering(LockMode one, LockMode other) {
  bool const both_middle = one != other && std::max(one, other) == LockMode::share;
  return both_middle ? LockMode::share_row_exclusive : std::max(one, other);
}

}  // namespace

SqlResult<LockSet> LockSet::find(Session& session, std::vector<LockWish> const& wishes) {
  struct Strongest {
    LockMode mode{};
    std::size_t statement = 0;
  };
  std::map<std::string, Strongest> strongest;
  for (auto const& wish : wishes) {
    if (wish.mode >= weakest_strong) {
      auto& one =
          strongest.try_emplace(wish.relation, Strongest{wish.mode, wish.statement}).first->second;
      one.mode = covering(one.mode, wish.mode);
      one.statement = std::min(one.statement, wish.statement);
    }
  }
  LockSet set;
  if (strongest.empty()) {
    return set;
  }
  std::string values;
  for (auto const& [name, one] : strongest) {
    values += (values.empty() ? "(" : ", (") + session.quote_literal(name) + ", " +
              std::to_string(static_cast<int>(one.mode)) + ", " + std::to_string(one.statement) +
              ")";
  }
  auto const found =
      session.run("WITH wish(name, mode, statement) AS (VALUES " + values + ")" + find_query);
  if (!found) {
    return tl::unexpected(found.error());
  }
  for (auto const& row : found->rows) {
    auto const statement = static_cast<std::size_t>(number_in(row[4]));
    set.first_statement_ = set.empty() ? statement : std::min(set.first_statement_, statement);
    set.relations_.push_back({.oid = static_cast<std::uint32_t>(number_in(row[0])),
                              .name = row[2].value_or(""),
                              .mode = static_cast<LockMode>(number_in(row[1])),
                              .lockable = row[3] == "t"});
  }
  return set;
}

SqlResult<LockHolders> LockSet::look(Session& session) const {
  std::string values;
  for (auto const& relation : relations_) {
    for (int mode = 0; mode <= static_cast<int>(LockMode::access_exclusive); ++mode) {
      if (conflict(relation.mode, static_cast<LockMode>(mode))) {
        values += (values.empty() ? "(" : ", (") + std::to_string(relation.oid) + "::oid, '" +
                  std::string(to_text(static_cast<LockMode>(mode))) + "')";
      }
    }
  }
  auto const seen =
      session.run("WITH want(relation, mode) AS (VALUES " + values + ")" + look_query);
  if (!seen) {
    return tl::unexpected(seen.error());
  }
  LockHolders all;
  for (auto const& row : seen->rows) {
    auto const id = row[9].value_or("");
    all.relations.push_back(static_cast<std::uint32_t>(number_in(row[10])));
    if (std::ranges::find(all.holders, id, &planner::Holder::id) != all.holders.end()) {
      continue;  // one transaction with several locks
    }
    bool const stays = row[11] == "t";
    auto holder = lock_session(row, 0);
    all.holders.push_back({.id = id,
                           .age = holder.transaction_age,
                           .stays = stays,
                           .yields = !stays && row[12] == "t"});
    all.graph.edges.push_back({.waiter = LockHolders::asker,
                               .blocker = holder.pid,
                               .wanted = {},
                               .held = row[7].value_or(""),
                               .relation = row[8].value_or(""),
                               .waited = {}});
    if (row[13] == "t") {
      all.waiting.push_back(holder.pid);
    }
    all.graph.sessions.push_back(std::move(holder));
  }
  return all;
}

std::string LockSet::take_sql(Session const& session, LockHolders const& seen, Duration wait,
                              Duration budget) const {
  auto const held_by_others = [&](Relation const& relation) {
    return std::ranges::find(seen.relations, relation.oid) != seen.relations.end();
  };
  std::vector<Relation> ours;
  std::ranges::copy_if(relations_, std::back_inserter(ours), &Relation::lockable);
  // the one to wait for comes first, so that nothing is held meanwhile
  std::ranges::stable_partition(ours, held_by_others);
  std::string locks;
  for (auto const& relation : ours) {
    bool const queues = locks.empty() && wait > Duration{};
    locks += "LOCK TABLE ONLY " + relation.name + " IN " + std::string(lock_words(relation.mode)) +
             " MODE" + (queues ? "; " : " NOWAIT; ");
  }
  auto const block =
      "DECLARE began timestamptz := pg_catalog.clock_timestamp(); BEGIN " +
      set_lock_timeout("'" + millis(wait) + "'") + locks +
      set_lock_timeout("greatest(" + millis(least_lock_timeout) + ", " + millis(budget) +
                       " - (extract(epoch FROM pg_catalog.clock_timestamp() - began) * "
                       "1000)::bigint)::text") +
      "PERFORM pg_catalog.set_config('runbookd.locks', 'held', true); "
      "EXCEPTION WHEN lock_not_available OR deadlock_detected THEN "
      "PERFORM pg_catalog.set_config('runbookd.locks', 'not held', true); END";
  return "DO" + session.quote_literal(block);
}

std::string_view const LockSet::asked = "SELECT pg_catalog.current_setting('runbookd.locks', true)";

bool LockSet::held(SqlResult<Rows> const& answer) {
  return answer && !answer->rows.empty() && answer->rows.front().front() == "held";
}

std::string LockSet::evict_sql(Session const& session, LockHolders const& seen) const {
  std::string locks;
  for (auto const& relation : relations_) {
    bool const there = std::ranges::find(seen.relations, relation.oid) != seen.relations.end();
    if (there && relation.lockable) {
      locks += "LOCK TABLE ONLY " + relation.name + " IN SHARE UPDATE EXCLUSIVE MODE; ";
    }
  }
  auto const block = "BEGIN " +
                     set_lock_timeout(
                         "((extract(epoch FROM pg_catalog.current_setting("
                         "'deadlock_timeout')::interval) * 1000)::bigint + " +
                         millis(after_deadlock_check) + ")::text") +
                     locks +
                     "EXCEPTION WHEN lock_not_available OR deadlock_detected THEN NULL; END";
  return "DO" + session.quote_literal(block);
}

}  // namespace runbookd::daemon
