#include "daemon/target/locks.h"

#include <map>
#include <string_view>
#include <utility>

namespace runbookd::daemon {
namespace {

using planner::Duration;
using planner::LockEdge;
using planner::LockGraph;
using planner::LockSession;
using planner::LocksSeen;
using planner::OurSession;

// A role that may not see what others wait for does not know that nobody waits.
constexpr auto our_sessions = R"sql(
  SELECT a.pid, a.application_name, coalesce(a.state, ''), left(a.query, 500),
         (extract(epoch FROM pg_catalog.clock_timestamp() - a.xact_start) * 1000)::bigint,
         EXISTS (SELECT 1 FROM pg_catalog.pg_stat_activity w
                 WHERE w.wait_event_type = 'Lock' OR w.query = '<insufficient privilege>')
  FROM pg_catalog.pg_stat_activity a
  WHERE (starts_with(a.application_name, $1::text || '/') OR a.application_name = $1::text)
    AND a.pid <> pg_catalog.pg_backend_pid()
  ORDER BY a.pid
)sql";

// Rows of two kinds: who waits for whom, and who they all are. pg_blocking_pids stops the lock
// manager for a moment, so it is asked of so many sessions at most, those around ours first. It
// names holders and earlier waiters; 0 stands for a prepared transaction, which has no session: it
// is numbered below zero here. A lock is known by its tag; which of the tag's columns are null
// depends on its type alone. waitstart is younger than 13.
constexpr auto lock_graph = R"sql(
  WITH locks AS MATERIALIZED (
    SELECT l.pid, l.virtualtransaction, l.mode, l.granted, l.locktype, l.relation, l.transactionid,
           concat_ws(':', l.locktype, l.database, l.relation, l.page, l.tuple, l.virtualxid, l.transactionid,
                     l.classid, l.objid, l.objsubid) AS tag,
           (to_jsonb(l) ->> 'waitstart')::timestamptz AS since
    FROM pg_catalog.pg_locks l
  ), waiting AS (
    SELECT DISTINCT pid FROM locks WHERE NOT granted AND pid IS NOT NULL
  ), near AS (
    SELECT DISTINCT l.pid FROM locks l JOIN locks o USING (tag) WHERE o.pid = ANY ($1::int[])
  ), asked AS MATERIALIZED (
    SELECT w.pid FROM waiting w LEFT JOIN near n USING (pid)
    ORDER BY w.pid = ANY ($1::int[]) DESC, n.pid IS NOT NULL DESC, w.pid LIMIT 64
  ), answer AS MATERIALIZED (
    SELECT pid, pg_catalog.pg_blocking_pids(pid) AS blockers FROM asked
  ), wanted AS (
    SELECT DISTINCT ON (l.pid) l.pid, l.tag, l.mode, l.since,
           coalesce(l.relation, (SELECT t.relation FROM locks t
                                 WHERE t.pid = l.pid AND t.locktype = 'tuple' AND t.granted LIMIT 1))::regclass::text
             AS relation
    FROM locks l JOIN asked USING (pid) WHERE NOT l.granted ORDER BY l.pid
  ), prepared AS (
    SELECT -row_number() OVER (ORDER BY x.gid) AS pid, x.gid, x.owner, x.prepared, l.virtualtransaction
    FROM pg_catalog.pg_prepared_xacts x
    JOIN locks l ON l.locktype = 'transactionid' AND l.transactionid = x.transaction AND l.pid IS NULL
    WHERE EXISTS (SELECT 1 FROM answer WHERE 0 = ANY (blockers))
  ), edge AS MATERIALIZED (
    SELECT DISTINCT a.pid AS waiter, b.pid::bigint AS blocker FROM answer a, unnest(a.blockers) AS b(pid) WHERE b.pid <> 0
    UNION
    SELECT a.pid, p.pid FROM answer a JOIN wanted w USING (pid) JOIN locks l USING (tag)
      JOIN prepared p ON p.virtualtransaction = l.virtualtransaction
    WHERE 0 = ANY (a.blockers) AND l.pid IS NULL
  )
  SELECT e.waiter::bigint, e.blocker, w.mode, w.relation,
         (SELECT l.mode || CASE WHEN l.granted THEN '' ELSE ' (waiting)' END
          FROM locks l LEFT JOIN prepared p ON p.virtualtransaction = l.virtualtransaction AND l.pid IS NULL
          WHERE l.tag = w.tag AND coalesce(p.pid, l.pid) = e.blocker ORDER BY l.granted DESC, l.mode LIMIT 1),
         (extract(epoch FROM pg_catalog.clock_timestamp() - w.since) * 1000)::bigint, NULL, NULL
  FROM edge e LEFT JOIN wanted w ON w.pid = e.waiter
  UNION ALL
  SELECT NULL, a.pid, a.usename::text, a.application_name, a.backend_type,
         (extract(epoch FROM pg_catalog.clock_timestamp() - a.xact_start) * 1000)::bigint, a.state, left(a.query, 500)
  FROM pg_catalog.pg_stat_activity a WHERE a.pid IN (SELECT waiter FROM edge UNION SELECT blocker FROM edge)
  UNION ALL
  SELECT NULL, p.pid, p.owner::text, 'prepared transaction', '',
         (extract(epoch FROM pg_catalog.clock_timestamp() - p.prepared) * 1000)::bigint, 'prepared',
         'PREPARE TRANSACTION ' || quote_literal(p.gid)
  FROM prepared p WHERE p.pid IN (SELECT blocker FROM edge)
)sql";

int pid_in(Cell const& cell) { return static_cast<int>(number_in(cell)); }

LockEdge edge_of(std::vector<Cell> const& row) {
  return {.waiter = pid_in(row[0]),
          .blocker = pid_in(row[1]),
          .wanted = row[2].value_or(""),
          .held = row[4].value_or(""),
          .relation = row[3].value_or(""),
          .waited = row[5] ? std::optional(Duration(number_in(row[5]))) : std::nullopt};
}

OurSession our_session(std::vector<Cell> const& row) {
  return {.pid = pid_in(row[0]),
          .application = row[1].value_or(""),
          .state = row[2].value_or(""),
          .query = row[3].value_or(""),
          .transaction_age = Duration(number_in(row[4]))};
}

void add_waits(std::vector<OurSession>& sessions, LockGraph const& graph) {
  for (auto& one : sessions) {
    for (auto const& edge : graph.edges) {
      if (edge.waiter == one.pid) {
        one.wanted = edge.wanted;
        one.relation = edge.relation;
        one.waited = edge.waited;
      }
    }
  }
}

}  // namespace

LockSession lock_session(std::vector<Cell> const& row, std::size_t first) {
  return {.pid = pid_in(row[first]),
          .user = row[first + 1].value_or(""),
          .application = row[first + 2].value_or(""),
          .backend_type = row[first + 3].value_or(""),
          .state = row[first + 5].value_or(""),
          .query = row[first + 6].value_or(""),
          .transaction_age = Duration(number_in(row[first + 4]))};
}

SqlResult<LockGraph> read_locks(Session& session, std::vector<int> const& ours) {
  std::string pids;
  for (int const pid : ours) {
    pids += (pids.empty() ? "" : ",") + std::to_string(pid);
  }
  auto const seen = session.run(lock_graph, {"{" + pids + "}"});
  if (!seen) {
    return tl::unexpected(seen.error());
  }
  LockGraph graph;
  for (auto const& row : seen->rows) {
    if (row[0]) {
      graph.edges.push_back(edge_of(row));
    } else {
      graph.sessions.push_back(lock_session(row, 1));
    }
  }
  return graph;
}

SqlResult<LocksSeen> read_run_locks(Session& session, std::string const& name) {
  auto const found = session.run(our_sessions, {name});
  if (!found) {
    return tl::unexpected(found.error());
  }
  LocksSeen seen;
  std::vector<int> ours;
  bool somebody_waits = false;
  for (auto const& row : found->rows) {
    seen.sessions.push_back(our_session(row));
    ours.push_back(seen.sessions.back().pid);
    somebody_waits = row[5] == "t";
  }
  if (!somebody_waits) {
    return seen;
  }
  auto const graph = read_locks(session, ours);
  if (!graph) {
    return tl::unexpected(graph.error());
  }
  add_waits(seen.sessions, *graph);
  seen.blockers = blockers_of(*graph, ours);
  seen.waiters = waiters_for(*graph, ours);
  return seen;
}

}  // namespace runbookd::daemon
