#include "daemon/target/marker.h"

#include <utility>

#include "daemon/target/fence.h"
#include "daemon/target/outside.h"

namespace runbookd::daemon {
namespace {

// Asking first keeps an ordinary start free of locks, and lets a role without CREATE use what is
// there.
// Looked up by name: to_regclass would fail where the schema may not be used.
std::string what_is_there() {
  std::string names;
  for (auto const table : our_tables) {
    names += (names.empty() ? "'" : ", '") + std::string(table) + "'";
  }
  return R"sql(
  SELECT n.oid IS NOT NULL, t.complete, quote_ident(current_database()), quote_ident(current_user),
         has_schema_privilege(n.oid, 'USAGE') AND t.usable
  FROM (VALUES ('runbookd')) AS w(name)
  LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = w.name
  CROSS JOIN LATERAL (
    SELECT count(*) = )sql" +
         std::to_string(our_tables.size()) + R"sql( AND bool_or(EXISTS (
             SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid
               AND c.relname = 'fence' AND a.attname = 'store_file')) AS complete,
           bool_and(has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT')
                    AND has_table_privilege(c.oid, 'UPDATE')) AS usable
    FROM pg_catalog.pg_class c
    WHERE c.relnamespace = n.oid AND c.relkind = 'r' AND c.relname IN ()sql" +
         names + R"sql()) t
)sql";
}

// The lock makes a second daemon wait: CREATE … IF NOT EXISTS alone can collide in the catalogs.
constexpr auto create_tables = R"sql(
  BEGIN ISOLATION LEVEL READ COMMITTED;
  SET LOCAL lock_timeout = '10s';
  SET LOCAL client_min_messages = warning;
  SELECT pg_advisory_xact_lock(7232025, 1);
  -- an administrator may have made it for us; IF NOT EXISTS would ask for CREATE on the database
  DO $$ BEGIN
    IF to_regnamespace('runbookd') IS NULL THEN
      CREATE SCHEMA runbookd;
      COMMENT ON SCHEMA runbookd IS 'runbookd: what has been done here, step by step; layout 3';
    END IF;
  END $$;
  CREATE TABLE IF NOT EXISTS runbookd.marker (
    store text NOT NULL, run text NOT NULL, phase int NOT NULL, step int NOT NULL,
    direction "char" NOT NULL, attempt int NOT NULL,
    label text NOT NULL,
    backend_pid int NOT NULL DEFAULT pg_backend_pid(),
    xid text NOT NULL DEFAULT pg_current_xact_id()::text,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (store, run, phase, step, direction, attempt));
  CREATE TABLE IF NOT EXISTS runbookd.intent (
    store text NOT NULL, run text NOT NULL, phase int NOT NULL, step int NOT NULL,
    direction "char" NOT NULL, attempt int NOT NULL,
    label text NOT NULL, kind text NOT NULL, object text NOT NULL, relation text NOT NULL,
    statement text NOT NULL,
    objects oid[] NOT NULL, relations oid[] NOT NULL, beside oid[] NOT NULL,
    backend_pid int NOT NULL DEFAULT pg_backend_pid(),
    backend_start timestamptz,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    done_at timestamptz, failed_at timestamptz,
    PRIMARY KEY (store, run, phase, step, direction, attempt));
  CREATE TABLE IF NOT EXISTS runbookd.backfill (
    store text NOT NULL, run text NOT NULL, phase int NOT NULL, step int NOT NULL,
    direction "char" NOT NULL, since_attempt int NOT NULL,
    label text NOT NULL, relation text NOT NULL, key_columns text[] NOT NULL,
    cursor text[], upper text[],
    rows_expected bigint NOT NULL,
    rows_scanned bigint NOT NULL DEFAULT 0, rows_changed bigint NOT NULL DEFAULT 0,
    batches bigint NOT NULL DEFAULT 0, done boolean NOT NULL DEFAULT false,
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (store, run, phase, step, direction, since_attempt));
  CREATE TABLE IF NOT EXISTS runbookd.backfill_shard (
    store text NOT NULL, run text NOT NULL, phase int NOT NULL, step int NOT NULL,
    direction "char" NOT NULL, since_attempt int NOT NULL, pass int NOT NULL, shard int NOT NULL,
    relation text NOT NULL, key_columns text[] NOT NULL,
    cursor text[], upper text[] NOT NULL, storage oid,
    rows_scanned bigint NOT NULL DEFAULT 0, rows_changed bigint NOT NULL DEFAULT 0,
    rows_asked bigint NOT NULL DEFAULT 0, rows_again bigint NOT NULL DEFAULT 0,
    batches bigint NOT NULL DEFAULT 0, worked_ms bigint NOT NULL DEFAULT 0,
    done boolean NOT NULL DEFAULT false,
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (store, run, phase, step, direction, since_attempt, pass, shard));
  CREATE TABLE IF NOT EXISTS runbookd.fence (
    store text PRIMARY KEY, number bigint NOT NULL, holder text NOT NULL,
    host text NOT NULL, pid int NOT NULL,
    claimed_at timestamptz NOT NULL DEFAULT clock_timestamp());
  -- where that daemon ran: younger than the table; asked first, as only an owner may alter
  DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_attribute
                   WHERE attrelid = 'runbookd.fence'::regclass AND attname = 'store_file') THEN
      ALTER TABLE runbookd.fence ADD COLUMN machine text, ADD COLUMN boot text,
        ADD COLUMN pid_space text, ADD COLUMN pid_start text, ADD COLUMN address text,
        ADD COLUMN store_file text;
    END IF;
  END $$;
  CREATE TABLE IF NOT EXISTS runbookd.run (
    store text NOT NULL, run text NOT NULL, plan text NOT NULL,
    begun_at timestamptz NOT NULL DEFAULT clock_timestamp(), ended_at timestamptz,
    PRIMARY KEY (store, run));
  COMMIT
)sql";

constexpr auto marker_present = R"sql(
  SELECT 1 FROM runbookd.marker
  WHERE store = $1 AND run = $2 AND phase = $3::int AND step = $4::int AND direction = $5::"char"
    AND attempt = $6::int
)sql";

SqlFailure not_permitted(SqlFailure failure, std::string const& grant) {
  failure.sqlstate = "42501";
  failure.message =
      "schema runbookd, which proves what has been done, cannot be used in the target: " +
      failure.message + ". Let an owner of the database run: " + grant;
  return failure;
}

std::string grant_to_create(std::vector<Cell> const& facts) {
  auto const role = facts[3].value_or("");
  return facts[0] == "t"
             ? "GRANT USAGE, CREATE ON SCHEMA runbookd TO " + role + ";"
             : "GRANT CREATE ON DATABASE " + facts[2].value_or("") + " TO " + role + ";";
}

SqlFailure tables_of_another_role(std::vector<Cell> const& facts) {
  auto const role = facts[3].value_or("");
  return not_permitted({.message = "its tables belong to another role"},
                       "GRANT USAGE ON SCHEMA runbookd TO " + role +
                           "; GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA runbookd TO " +
                           role + ";");
}

}  // namespace

char direction_letter(planner::Direction direction) {
  return direction == planner::Direction::forward ? 'f' : 'b';
}

std::string session_name(std::string const& store, std::string const& run) {
  constexpr std::size_t enough_to_tell_stores_apart = 8;
  return "runbookd/" + store.substr(0, enough_to_tell_stores_apart) + "/" + run;
}

std::string application_name(AttemptTag const& tag) {
  auto const attempt = "/" + std::to_string(tag.ref.phase) + "." + std::to_string(tag.ref.step) +
                       direction_letter(tag.direction) + std::to_string(tag.attempt);
  constexpr std::size_t server_keeps = 63;
  return session_name(tag.store, tag.run).substr(0, server_keeps - attempt.size()) + attempt;
}

std::string name_sql(Session const& session, AttemptTag const& tag) {
  return "application_name = " + session.quote_literal(application_name(tag));
}

std::string step_key(Session const& session, AttemptTag const& tag) {
  return session.quote_literal(tag.store) + ", " + session.quote_literal(tag.run) + ", " +
         std::to_string(tag.ref.phase) + ", " + std::to_string(tag.ref.step) + ", '" +
         direction_letter(tag.direction) + "'";
}

std::string step_condition(Session const& session, AttemptTag const& tag) {
  return "store = " + session.quote_literal(tag.store) +
         " AND run = " + session.quote_literal(tag.run) +
         " AND phase = " + std::to_string(tag.ref.phase) +
         " AND step = " + std::to_string(tag.ref.step) + " AND direction = '" +
         direction_letter(tag.direction) + "'";
}

std::string insert_marker_sql(Session const& session, AttemptTag const& tag) {
  return "INSERT INTO runbookd.marker (store, run, phase, step, direction, attempt, label) VALUES "
         "(" +
         step_key(session, tag) + ", " + std::to_string(tag.attempt) + ", " +
         session.quote_literal(tag.label) + ")";
}

// One statement: what the catalog had is noted with the row itself.
std::string insert_intent_sql(Session const& session, AttemptTag const& tag,
                              planner::Statement const& statement,
                              planner::Outside const& outside) {
  auto const relation =
      outside.on_schema.empty() ? outside.on : outside.on_schema + "." + outside.on;
  return fence_guard_sql(session, tag) + "; " + marker_guard_sql(session, tag) +
         "; INSERT INTO runbookd.intent (store, run, phase, step, direction, attempt, label, kind, "
         "object, relation, statement, backend_start, objects, relations, beside) SELECT " +
         step_key(session, tag) + ", " + std::to_string(tag.attempt) + ", " +
         session.quote_literal(tag.label) + ", " + session.quote_literal(statement.kind) + ", " +
         session.quote_literal(outside.name) + ", " + session.quote_literal(relation) + ", " +
         session.quote_literal(statement.sql.text) +
         ", (SELECT backend_start FROM pg_catalog.pg_stat_activity WHERE pid = "
         "pg_catalog.pg_backend_pid()), noted.* FROM (" +
         noted_sql(session, outside) + ") noted";
}

std::string finish_intent_sql(Session const& session, AttemptTag const& tag) {
  return fence_guard_sql(session, tag) +
         "; UPDATE runbookd.intent SET done_at = pg_catalog.clock_timestamp() WHERE " +
         step_condition(session, tag) + " AND attempt = " + std::to_string(tag.attempt);
}

std::string fail_intent_sql(Session const& session, AttemptTag const& tag) {
  return "UPDATE runbookd.intent SET failed_at = pg_catalog.clock_timestamp() WHERE " +
         step_condition(session, tag) + " AND attempt = " + std::to_string(tag.attempt);
}

SqlResult<bool> has_marker(Session& session, AttemptTag const& tag) {
  auto const found =
      session.run(marker_present,
                  {tag.store, tag.run, std::to_string(tag.ref.phase), std::to_string(tag.ref.step),
                   std::string(1, direction_letter(tag.direction)), std::to_string(tag.attempt)});
  if (!found) {
    return tl::unexpected(found.error());
  }
  return !found->rows.empty();
}

SqlResult<void> prepare_target(Session& session) {
  auto const there = session.run(what_is_there());
  if (!there) {
    return tl::unexpected(there.error());
  }
  auto const& facts = there->rows.front();
  if (facts[1] == "t" && facts[4] == "t") {
    return {};
  }
  if (facts[1] == "t") {
    return tl::unexpected(tables_of_another_role(facts));
  }
  auto const created = session.run(create_tables);
  if (created) {
    return {};
  }
  (void)session.run("ROLLBACK");
  if (created.error().sqlstate == "42501") {
    return tl::unexpected(not_permitted(created.error(), grant_to_create(facts)));
  }
  return tl::unexpected(created.error());
}

}  // namespace runbookd::daemon
