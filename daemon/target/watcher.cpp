#include "daemon/target/locks.h"
#include "daemon/target/procedures.h"

namespace runbookd::daemon {
namespace {

// A concurrent statement waits so for the transactions that began before it.
constexpr auto does_it_wait = R"sql(
  SELECT wait_event_type IS NOT DISTINCT FROM 'Lock', wait_event IS NOT DISTINCT FROM 'virtualxid'
  FROM pg_catalog.pg_stat_activity WHERE pid = $1::int
)sql";

// A role that may not see what others wait for does not know that nobody waits.
constexpr auto does_anybody_wait = R"sql(
  SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_stat_activity
                 WHERE wait_event_type = 'Lock' OR query = '<insufficient privilege>')
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
  auto const seen = eyes.run(does_it_wait, {std::to_string(pid)});
  if (!seen) {
    return tl::unexpected(seen.error());
  }
  if (seen->rows.empty()) {
    return LockSight{.gone = true};
  }
  if (seen->rows.front()[0] != "t") {
    return LockSight{};
  }
  auto const graph = read_locks(eyes, {pid});
  if (!graph) {
    return tl::unexpected(graph.error());
  }
  return LockSight{.waiting = true,
                   .midway = seen->rows.front()[1] == "t",
                   .blockers = blockers_of(*graph, {pid}),
                   .behind = behind(waiters_for(*graph, {pid}))};
}

SqlResult<std::optional<planner::Behind>> look_behind(Session& eyes, int pid) {
  auto const asked = eyes.run(does_anybody_wait);
  if (!asked) {
    return tl::unexpected(asked.error());
  }
  if (asked->rows.front()[0] != "t") {
    return std::nullopt;
  }
  auto const graph = read_locks(eyes, {pid});
  if (!graph) {
    return tl::unexpected(graph.error());
  }
  return behind(waiters_for(*graph, {pid}));
}

SqlResult<bool> cancel_backend(Session& eyes, int pid) {
  return signal(eyes, "SELECT pg_catalog.pg_cancel_backend($1::int)", pid);
}

SqlResult<bool> terminate_backend(Session& eyes, int pid) {
  return signal(eyes, "SELECT pg_catalog.pg_terminate_backend($1::int)", pid);
}

}  // namespace runbookd::daemon
