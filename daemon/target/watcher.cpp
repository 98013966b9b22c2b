#include <utility>

#include "daemon/target/blocker_row.h"
#include "daemon/target/procedures.h"

namespace runbookd::daemon {
namespace {

// pg_blocking_pids briefly stops the lock manager, so it is asked only while the backend really
// waits. It names holders and those who queue before us; 0 stands for a prepared transaction, which
// has no session.
constexpr auto who_blocks = R"sql(
  WITH me AS (
    SELECT pid FROM pg_catalog.pg_stat_activity WHERE pid = $1::int AND wait_event_type = 'Lock'
  ), waited AS (
    SELECT l.* FROM pg_catalog.pg_locks l JOIN me USING (pid) WHERE NOT l.granted LIMIT 1
  ), place AS (
    SELECT coalesce(w.relation, (SELECT t.relation FROM pg_catalog.pg_locks t JOIN me USING (pid)
                                 WHERE t.locktype = 'tuple' AND t.granted LIMIT 1))::regclass::text AS relation
    FROM waited w
  ), blocker AS (
    SELECT DISTINCT unnest(pg_catalog.pg_blocking_pids(pid)) AS pid FROM me
  ), held AS (
    SELECT DISTINCT ON (coalesce(l.pid, 0), l.virtualtransaction) coalesce(l.pid, 0) AS pid, l.virtualtransaction,
           l.mode || CASE WHEN l.granted THEN '' ELSE ' (waiting)' END AS mode
    FROM pg_catalog.pg_locks l JOIN waited w
      ON (l.locktype, l.database, l.relation, l.page, l.tuple, l.virtualxid, l.transactionid, l.classid, l.objid,
          l.objsubid) IS NOT DISTINCT FROM
         (w.locktype, w.database, w.relation, w.page, w.tuple, w.virtualxid, w.transactionid, w.classid, w.objid,
          w.objsubid)
    WHERE l.pid IS DISTINCT FROM w.pid
    ORDER BY coalesce(l.pid, 0), l.virtualtransaction, l.granted DESC, l.mode
  )
  SELECT b.pid, a.usename, coalesce(nullif(a.application_name, ''), a.backend_type), a.state, a.query,
         (extract(epoch FROM pg_catalog.clock_timestamp() - a.xact_start) * 1000)::bigint,
         h.mode, (SELECT relation FROM place)
  FROM blocker b
  LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = b.pid
  LEFT JOIN held h ON h.pid = b.pid
  WHERE b.pid <> 0
  UNION ALL
  SELECT 0, x.owner, 'prepared transaction', 'prepared', 'PREPARE TRANSACTION ' || quote_literal(x.gid),
         (extract(epoch FROM pg_catalog.clock_timestamp() - x.prepared) * 1000)::bigint,
         h.mode, (SELECT relation FROM place)
  FROM pg_catalog.pg_prepared_xacts x
  JOIN pg_catalog.pg_locks own ON own.locktype = 'transactionid' AND own.transactionid = x.transaction AND own.pid IS NULL
  JOIN held h ON h.pid = 0 AND h.virtualtransaction = own.virtualtransaction
  WHERE EXISTS (SELECT 1 FROM blocker WHERE pid = 0)
  UNION ALL
  SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM me
  UNION ALL
  SELECT NULL, NULL, NULL, 'gone', NULL, NULL, NULL, NULL
  WHERE NOT EXISTS (SELECT 1 FROM pg_catalog.pg_stat_activity WHERE pid = $1::int)
  ORDER BY 6 DESC NULLS LAST
)sql";

SqlResult<bool> signal(Session& eyes, std::string const& sql, int pid) {
  auto const sent = eyes.run(sql, {std::to_string(pid)});
  if (!sent) {
    return tl::unexpected(sent.error());
  }
  return sent->rows.front().front() == "t";
}

}  // namespace

SqlResult<LockSight> look_at_locks(Session& eyes, int pid) {
  auto const seen = eyes.run(who_blocks, {std::to_string(pid)});
  if (!seen) {
    return tl::unexpected(seen.error());
  }
  LockSight sight;
  for (auto const& row : seen->rows) {
    if (!row[0] && row[3]) {
      sight.gone = true;
      continue;
    }
    sight.waiting = true;  // one row without a pid stands for the wait itself
    if (row[0]) {
      sight.blockers.push_back(blocker_of(row));
    }
  }
  return sight;
}

SqlResult<bool> cancel_backend(Session& eyes, int pid) {
  return signal(eyes, "SELECT pg_catalog.pg_cancel_backend($1::int)", pid);
}

SqlResult<bool> terminate_backend(Session& eyes, int pid) {
  return signal(eyes, "SELECT pg_catalog.pg_terminate_backend($1::int)", pid);
}

}  // namespace runbookd::daemon
