// How the target bears what we do to it, in one question.

#include "daemon/target/procedures.h"

namespace runbookd::daemon {
namespace {

// Who may not read all statistics gets NULL where the answer would be a guess; locks and slots
// everybody may see. pg_blocking_pids briefly stops the lock manager, so it is asked only of those
// that wait. Since when they wait no server before 14 tells. An application of short transactions
// is idle in most looks, so who was at work just before counts as well.
constexpr auto head = R"sql(
  WITH ours AS MATERIALIZED (
    SELECT pid FROM pg_catalog.pg_stat_activity WHERE pg_catalog.starts_with(application_name, $1::text)
  ), may AS MATERIALIZED (
    SELECT pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE') AS see_all
  ), waiting AS MATERIALIZED (
    SELECT DISTINCT pid FROM pg_catalog.pg_locks
    WHERE NOT granted AND pid IS NOT NULL AND pid NOT IN (SELECT pid FROM ours))sql";
constexpr auto waited_long = R"sql(
      AND waitstart < pg_catalog.clock_timestamp() - interval '200 ms')sql";
constexpr auto rest = R"sql(
    LIMIT 100
  ), blocked AS MATERIALIZED (
    SELECT pid FROM waiting WHERE pg_catalog.pg_blocking_pids(pid) && ARRAY(SELECT pid FROM ours)
  ), filled AS MATERIALIZED (
    SELECT pg_catalog.to_regclass($2::text)::oid AS relid
    UNION SELECT relid::oid FROM pg_catalog.pg_partition_tree(pg_catalog.to_regclass($2::text))
  ), vacuum AS MATERIALIZED (
    SELECT a.query FROM pg_catalog.pg_stat_progress_vacuum p
    JOIN pg_catalog.pg_stat_activity a USING (pid)
    WHERE a.backend_type = 'autovacuum worker' AND p.datname = current_database()
      AND p.relid IN (SELECT relid FROM filled)
  ), here AS MATERIALIZED (
    SELECT pg_catalog.pg_current_wal_lsn() AS lsn
  )
  SELECT 'wal', NULL, pg_catalog.pg_wal_lsn_diff(lsn, '0/0')::bigint, NULL::bigint FROM here
  UNION ALL
  SELECT 'waiters', (SELECT 'pid ' || a.pid || coalesce(' (' || nullif(a.application_name, '') || ')', '')
                     FROM pg_catalog.pg_stat_activity a JOIN blocked USING (pid) ORDER BY a.pid LIMIT 1),
         (SELECT count(*) FROM blocked), NULL
  UNION ALL
  SELECT 'sessions', NULL,
         CASE WHEN see_all THEN (
           SELECT count(*) FROM pg_catalog.pg_stat_activity
           WHERE backend_type = 'client backend' AND state IN ('active', 'fastpath function call')
             AND pid <> pg_catalog.pg_backend_pid() AND pid NOT IN (SELECT pid FROM ours)) END,
         pg_catalog.current_setting('max_connections')::bigint
  FROM may
  UNION ALL
  SELECT 'lately', NULL,
         CASE WHEN see_all THEN (
           SELECT count(*) FROM pg_catalog.pg_stat_activity
           WHERE backend_type = 'client backend' AND pid <> pg_catalog.pg_backend_pid()
             AND pid NOT IN (SELECT pid FROM ours)
             AND (state NOT LIKE 'idle%' OR state_change > pg_catalog.clock_timestamp() - interval '2 s')) END, NULL
  FROM may
  UNION ALL
  SELECT 'vacuum', NULL, CASE WHEN see_all THEN (SELECT count(*) FROM vacuum) END,
         CASE WHEN see_all THEN (SELECT count(*) FROM vacuum WHERE query LIKE '%(to prevent wraparound)%') END
  FROM may
  UNION ALL
  SELECT 'standby', coalesce(nullif(application_name, ''), client_addr::text, 'pid ' || pid),
         (extract(epoch FROM replay_lag) * 1000)::bigint,
         CASE WHEN state IS NOT NULL THEN greatest(0, pg_catalog.pg_wal_lsn_diff(lsn, replay_lsn)::bigint) END
  FROM pg_catalog.pg_stat_replication, here
  WHERE state IS NULL OR (state IN ('streaming', 'catchup') AND replay_lsn IS NOT NULL)
  UNION ALL
  SELECT 'slot', slot_name, pg_catalog.pg_wal_lsn_diff(lsn, restart_lsn)::bigint, NULL
  FROM pg_catalog.pg_replication_slots, here WHERE restart_lsn IS NOT NULL
)sql";

void add(planner::Sample& sample, std::vector<Cell> const& row) {
  auto const kind = row[0].value_or("");
  auto const name = row[1].value_or("");
  auto const first = known_number_in(row[2]);
  auto const second = known_number_in(row[3]);
  if (kind == "wal") {
    sample.wal_position = first;
  } else if (kind == "waiters") {
    sample.lock_waiters = first;
    sample.first_waiter = name;
  } else if (kind == "sessions") {
    sample.active_sessions = first;
    sample.max_connections = second.value_or(0);
  } else if (kind == "lately") {
    sample.lately_active = first;
  } else if (kind == "vacuum" && first && second) {
    sample.vacuum = *first > 0;
    sample.wraparound_vacuum = *second > 0;
  } else if (kind == "standby") {
    auto const lag = first ? std::optional{planner::Duration{*first}} : std::nullopt;
    sample.standbys.push_back({.name = name, .lag = lag, .bytes_behind = second});
  } else if (kind == "slot") {
    sample.slots.push_back({.name = name, .bytes_kept = first.value_or(0)});
  }
}

}  // namespace

SqlResult<planner::Sample> look_at_signals(Session& eyes, std::string const& our_names,
                                           std::string const& table) {
  constexpr int tells_since_when = 140000;
  auto const text =
      std::string{head} + (eyes.server_version() >= tells_since_when ? waited_long : "") + rest;
  auto const seen = eyes.run(text, {our_names, table});
  if (!seen) {
    return tl::unexpected(seen.error());
  }
  planner::Sample sample;
  for (auto const& row : seen->rows) {
    add(sample, row);
  }
  return sample;
}

}  // namespace runbookd::daemon
