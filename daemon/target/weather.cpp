#include "daemon/target/weather.h"

#include <filesystem>
#include <map>
#include <string_view>
#include <utility>

namespace runbookd::daemon {
namespace {

using planner::Duration;
using planner::PhaseNeeds;
using planner::PhaseTable;
using planner::Weather;

// One row for each thing seen; the first column says what it is. Sizes are those of the catalog: a
// function that measures would open the relation and might wait for its lock.
constexpr auto weather_of_server = R"sql(
  WITH RECURSIVE family AS (
    SELECT u.ord, to_regclass(u.name)::oid AS oid
    FROM unnest($1::text[]) WITH ORDINALITY AS u(name, ord) WHERE to_regclass(u.name) IS NOT NULL
    UNION
    SELECT f.ord, i.inhrelid FROM family f JOIN pg_catalog.pg_inherits i ON i.inhparent = f.oid
  ), held AS MATERIALIZED (
    SELECT DISTINCT l.pid, l.virtualtransaction, l.relation::regclass::text AS name
    FROM pg_catalog.pg_locks l
    WHERE l.granted AND l.relation IN (SELECT oid FROM family)
      AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
  ), mine AS (
    SELECT r.rolname, r.rolconnlimit, d.datconnlimit
    FROM pg_catalog.pg_roles r, pg_catalog.pg_database d
    WHERE r.rolname = current_user AND d.datname = current_database()
  ), client AS MATERIALIZED (
    SELECT usename, datname FROM pg_catalog.pg_stat_activity
    WHERE datid IS NOT NULL AND coalesce(backend_type, 'client backend') = 'client backend'
  ), seen AS (
    SELECT a.*, (SELECT string_agg(DISTINCT h.name, ',') FROM held h WHERE h.pid = a.pid) AS tables
    FROM pg_catalog.pg_stat_activity a
    WHERE a.xact_start IS NOT NULL AND a.datname = current_database() AND a.pid <> pg_catalog.pg_backend_pid()
      AND a.application_name <> $2::text AND NOT starts_with(a.application_name, $2::text || '/')
  )
  SELECT 'role' AS what, quote_ident(current_user) AS a, pg_has_role('pg_read_all_stats', 'USAGE')::text AS b,
         NULL AS c, NULL AS d, NULL AS e, NULL AS f, NULL AS g, NULL AS h, NULL AS i
  UNION ALL
  SELECT 'temp', setting, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM pg_catalog.pg_settings WHERE name = 'temp_file_limit'
  UNION ALL
  SELECT 'disk', (SELECT setting FROM pg_catalog.pg_settings WHERE name = 'data_directory'),
         coalesce(host(inet_server_addr()), ''), NULL, NULL, NULL, NULL, NULL, NULL, NULL
  UNION ALL
  SELECT 'limit', (SELECT count(*) FROM client)::text,
         (SELECT max(setting::int) FILTER (WHERE name = 'max_connections')
                 - coalesce(sum(setting::int) FILTER (WHERE name <> 'max_connections'), 0)
          FROM pg_catalog.pg_settings
          WHERE name IN ('max_connections', 'superuser_reserved_connections', 'reserved_connections'))::text,
         NULL, NULL, NULL, NULL, NULL, NULL, NULL
  UNION ALL
  SELECT 'limit', (SELECT count(*) FROM client WHERE usename = rolname)::text, rolconnlimit::text,
         NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM mine WHERE rolconnlimit >= 0
  UNION ALL
  SELECT 'limit', (SELECT count(*) FROM client WHERE datname = current_database())::text, datconnlimit::text,
         NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM mine WHERE datconnlimit >= 0
  UNION ALL
  (SELECT 'transaction', pid::text, usename::text, application_name, backend_type, state, left(query, 500),
          (extract(epoch FROM pg_catalog.clock_timestamp() - xact_start) * 1000)::bigint::text,
          (backend_xmin IS NOT NULL OR backend_xid IS NOT NULL)::text, tables
   FROM seen ORDER BY tables IS NULL, xact_start LIMIT 20)
  UNION ALL
  (SELECT 'transaction', '-1', x.owner::text, 'prepared transaction', '', 'prepared',
          'PREPARE TRANSACTION ' || quote_literal(x.gid),
          (extract(epoch FROM pg_catalog.clock_timestamp() - x.prepared) * 1000)::bigint::text, 'true',
          (SELECT string_agg(DISTINCT h.name, ',') FROM held h
           JOIN pg_catalog.pg_locks l ON l.locktype = 'transactionid' AND l.transactionid = x.transaction AND l.pid IS NULL
           WHERE h.pid IS NULL AND h.virtualtransaction = l.virtualtransaction)
   FROM pg_catalog.pg_prepared_xacts x WHERE x.database = current_database() ORDER BY x.prepared LIMIT 20)
  UNION ALL
  SELECT 'standby', coalesce(nullif(application_name, ''), host(client_addr), pid::text), coalesce(state, '?'),
         (extract(epoch FROM replay_lag) * 1000)::bigint::text,
         pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)::bigint::text, NULL, NULL, NULL, NULL, NULL
  FROM pg_catalog.pg_stat_replication WHERE state IS DISTINCT FROM 'backup'
  UNION ALL
  SELECT 'slot', slot_name::text, coalesce(wal_status, ''), active::text,
         coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn), 0)::bigint::text, NULL, NULL, NULL, NULL, NULL
  FROM pg_catalog.pg_replication_slots WHERE NOT temporary
  UNION ALL
  SELECT 'table', f.ord::text, min(f.oid::regclass::text) FILTER (WHERE NOT c.relispartition),
         max(c.reltuples)::bigint::text,
         (sum(CASE WHEN c.reltuples > 0 AND c.relkind = 'r' THEN c.reltuples ELSE 0 END))::bigint::text,
         (sum(c.relpages::bigint + coalesce(t.relpages, 0)
              + coalesce((SELECT sum(p.relpages) FROM pg_catalog.pg_index x
                          JOIN pg_catalog.pg_class p ON p.oid = x.indexrelid WHERE x.indrelid = c.oid), 0))
          * current_setting('block_size')::bigint)::bigint::text, NULL, NULL, NULL, NULL
  FROM family f JOIN pg_catalog.pg_class c ON c.oid = f.oid
  LEFT JOIN pg_catalog.pg_class t ON t.oid = c.reltoastrelid
  GROUP BY f.ord
  UNION ALL
  SELECT 'width', f.ord::text, a.attname::text,
         coalesce(max(s.avg_width), max(nullif(a.attlen, -1)))::text, NULL, NULL, NULL, NULL, NULL, NULL
  FROM family f
  JOIN pg_catalog.pg_attribute a ON a.attrelid = f.oid AND a.attnum > 0 AND NOT a.attisdropped
  JOIN pg_catalog.pg_class c ON c.oid = f.oid
  LEFT JOIN pg_catalog.pg_stats s ON s.schemaname = c.relnamespace::regnamespace::text
                                 AND s.tablename = c.relname AND s.attname = a.attname
  GROUP BY f.ord, a.attname
)sql";

using Row = std::vector<Cell>;

std::string word(Cell const& cell) { return cell.value_or(""); }
bool yes(Cell const& cell) { return cell == "true"; }

std::vector<std::string> names(Cell const& list) {
  std::vector<std::string> all;
  std::string_view left = list ? std::string_view(*list) : std::string_view();
  while (!left.empty()) {
    auto const comma = left.find(',');
    all.emplace_back(left.substr(0, comma));
    left = comma == std::string_view::npos ? std::string_view() : left.substr(comma + 1);
  }
  return all;
}

// A directory of that name on this host is the server's only where the server is on this host.
void read_disk(Weather& weather, Row const& row) {
  auto const folder = word(row[1]);
  auto const address = word(row[2]);
  if (!(address.empty() || address == "127.0.0.1" || address == "::1")) {
    weather.disk_told = "the server is on another host (" + address + ")";
    return;
  }
  if (folder.empty()) {
    weather.disk_told = "role " + weather.role + " may not ask for data_directory (pg_monitor)";
    return;
  }
  std::error_code failed;
  auto const space = std::filesystem::space(folder, failed);
  if (failed) {
    weather.disk_told = folder + " on this host: " + failed.message();
    return;
  }
  weather.free_disk = static_cast<std::int64_t>(space.available);
  weather.disk_told = "of " + folder + "; other tablespaces were not looked at";
}

void read_transaction(Weather& weather, Row const& row) {
  weather.transactions.push_back(
      {.session = {.pid = static_cast<int>(known_number_in(row[1]).value_or(0)),
                   .user = word(row[2]),
                   .application = word(row[3]),
                   .backend_type = word(row[4]),
                   .state = word(row[5]),
                   .query = word(row[6]),
                   .transaction_age = Duration(known_number_in(row[7]).value_or(0))},
       .holds_snapshot = yes(row[8]),
       .tables = names(row[9])});
}

// The tightest counts.
void read_limit(Weather& weather, Row const& row) {
  auto const used = static_cast<int>(known_number_in(row[1]).value_or(0));
  auto const allowed = static_cast<int>(known_number_in(row[2]).value_or(0));
  bool const first = weather.connections_allowed == 0;
  if (first || allowed - used < weather.connections_allowed - weather.connections_used) {
    weather.connections_used = used;
    weather.connections_allowed = allowed;
  }
}

class Reading {
 public:
  explicit Reading(std::vector<PhaseTable> const& asked) : asked_(asked) {}
  void read(Row const& row) {
    auto const what = word(row[0]);
    if (what == "role") {
      weather_.role = word(row[1]);
      weather_.sees_sessions = yes(row[2]);
    } else if (what == "temp") {
      auto const kilobytes = known_number_in(row[1]).value_or(-1);
      weather_.temp_limit = kilobytes < 0 ? -1 : kilobytes * 1024;
    } else if (what == "disk") {
      read_disk(weather_, row);
    } else if (what == "limit") {
      read_limit(weather_, row);
    } else if (what == "transaction") {
      read_transaction(weather_, row);
    } else {
      read_what_follows(what, row);
    }
  }
  Weather result() && {
    for (auto& [place, table] : tables_) {
      weather_.tables.push_back(std::move(table));
    }
    return std::move(weather_);
  }

 private:
  void read_what_follows(std::string const& what, Row const& row) {
    if (what == "standby") {
      auto const lag = known_number_in(row[3]);
      weather_.standbys.push_back({.name = word(row[1]),
                                   .state = word(row[2]),
                                   .lag = lag ? std::optional(Duration(*lag)) : std::nullopt,
                                   .bytes = known_number_in(row[4])});
    } else if (what == "slot") {
      weather_.slots.push_back({.name = word(row[1]),
                                .wal_status = word(row[2]),
                                .active = yes(row[3]),
                                .retained = known_number_in(row[4]).value_or(0)});
    } else {
      read_table(what, row);
    }
  }
  void read_table(std::string const& what, Row const& row) {
    auto const place = static_cast<std::size_t>(known_number_in(row[1]).value_or(1) - 1);
    auto& table = tables_[place];
    table.table = asked_[place];
    if (what == "table") {
      table.name = word(row[2]);
      table.rows =
          known_number_in(row[3]).value_or(-1) < 0 ? -1 : known_number_in(row[4]).value_or(-1);
      table.bytes = known_number_in(row[5]).value_or(0);
    } else if (auto const width = known_number_in(row[3])) {
      table.widths[word(row[2])] = static_cast<int>(*width);
    }
  }

  std::vector<PhaseTable> const& asked_;
  Weather weather_;
  std::map<std::size_t, planner::SeenTable> tables_;
};

std::string list_of(Session const& session, std::vector<PhaseTable> const& tables) {
  auto const as_element = [](std::string const& text) {
    std::string element = "\"";
    for (char const c : text) {
      element += c == '"' || c == '\\' ? std::string{'\\', c} : std::string(1, c);
    }
    return element + "\"";
  };
  std::string list;
  for (auto const& table : tables) {
    auto const schema = table.schema.empty() ? "" : session.quote_name(table.schema) + ".";
    list += (list.empty() ? "" : ",") + as_element(schema + session.quote_name(table.name));
  }
  return "{" + list + "}";
}

}  // namespace

SqlResult<Weather> read_weather(Session& session, PhaseNeeds const& needs,
                                std::string const& name) {
  auto const asked = session.run(weather_of_server, {list_of(session, needs.tables), name});
  if (!asked) {
    return tl::unexpected(asked.error());
  }
  Reading reading(needs.tables);
  for (auto const& row : asked->rows) {
    reading.read(row);
  }
  return std::move(reading).result();
}

}  // namespace runbookd::daemon
