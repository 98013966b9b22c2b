// How far a long statement of ours is, as the server tells it.
#include <map>
#include <string>

#include "daemon/target/procedures.h"

namespace runbookd::daemon {
namespace {

using planner::ServerWork;

// Columns come and go with versions, so each view is read as pairs of name and value.
std::string progress_of(std::string const& view) {
  return "SELECT '" + view + "', c.key, c.value FROM pg_catalog.pg_stat_progress_" + view +
         " v, jsonb_each_text(to_jsonb(v) || jsonb_build_object('relation', "
         "v.relid::regclass::text)) c "
         "WHERE v.pid = $1::int";
}

std::string all_progress(int version) {
  auto query = progress_of("create_index");
  for (auto const* view : {"vacuum", "analyze", "cluster"}) {
    query += " UNION ALL " + progress_of(view);
  }
  return version >= 140000 ? query + " UNION ALL " + progress_of("copy") : query;
}

// Sizes as of the last VACUUM or ANALYZE: asking for the real one would queue behind our own lock.
constexpr auto long_statement = R"sql(
  SELECT left(a.query, 120), (extract(epoch FROM pg_catalog.clock_timestamp() - a.query_start) * 1000)::bigint,
         c.oid::regclass::text, c.relpages::bigint * current_setting('block_size')::bigint
  FROM pg_catalog.pg_stat_activity a
  LEFT JOIN LATERAL (
    SELECT c.oid, c.relpages FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_class c ON c.oid = l.relation
    WHERE l.pid = a.pid AND l.granted AND l.mode <> 'AccessShareLock' AND c.relkind IN ('r', 'm')
      AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
      AND c.relnamespace <> coalesce(to_regnamespace('runbookd'), 0::oid)
    ORDER BY c.relpages DESC LIMIT 1) c ON true
  WHERE a.pid = $1::int AND a.state = 'active'
    AND a.query_start < pg_catalog.clock_timestamp() - interval '1 second'
)sql";

SqlResult<std::optional<ServerWork>> untold_work(Session& eyes, int pid) {
  auto const asked = eyes.run(long_statement, {std::to_string(pid)});
  if (!asked) {
    return tl::unexpected(asked.error());
  }
  if (asked->rows.empty()) {
    return std::nullopt;
  }
  auto const& row = asked->rows.front();
  return ServerWork{.command = row[0].value_or(""),
                    .relation = row[2].value_or(""),
                    .relation_size = number_in(row[3]),
                    .running = planner::Duration(number_in(row[1]))};
}

}  // namespace

SqlResult<std::optional<ServerWork>> look_at_work(Session& eyes, int pid) {
  auto const asked = eyes.run(all_progress(eyes.server_version()), {std::to_string(pid)});
  if (!asked) {
    return tl::unexpected(asked.error());
  }
  if (asked->rows.empty()) {
    return untold_work(eyes, pid);
  }
  auto const view = asked->rows.front()[0].value_or("");
  std::map<std::string, std::string> row;
  for (auto const& pair : asked->rows) {
    if (pair[0] == view) {  // a CLUSTER also shows the indexes that it builds
      row[pair[1].value_or("")] = pair[2].value_or("");
    }
  }
  return planner::work_of(view, row);
}

}  // namespace runbookd::daemon
