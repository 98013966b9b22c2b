#include "daemon/target/marker.h"

#include <utility>

namespace runbookd::daemon {
namespace {

// Asking first keeps an ordinary start free of locks, and lets a role without CREATE use what is
// there.
constexpr auto what_is_there = R"sql(
  SELECT to_regnamespace('runbookd') IS NOT NULL,
         to_regclass('runbookd.marker') IS NOT NULL AND to_regclass('runbookd.intent') IS NOT NULL
           AND to_regclass('runbookd.backfill') IS NOT NULL,
         quote_ident(current_database()), quote_ident(current_user)
)sql";

// The lock makes a second daemon wait: CREATE … IF NOT EXISTS alone can collide in the catalogs.
constexpr auto create_tables = R"sql(
  BEGIN ISOLATION LEVEL READ COMMITTED;
  SET LOCAL lock_timeout = '10s';
  SET LOCAL client_min_messages = warning;
  SELECT pg_advisory_xact_lock(7232025, 1);
  CREATE SCHEMA IF NOT EXISTS runbookd;
  COMMENT ON SCHEMA runbookd IS 'runbookd: what has been done here, step by step; layout 1';
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
    backend_pid int NOT NULL DEFAULT pg_backend_pid(),
    backend_start timestamptz,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    done_at timestamptz,
    PRIMARY KEY (store, run, phase, step, direction, attempt));
  CREATE TABLE IF NOT EXISTS runbookd.backfill (
    store text NOT NULL, run text NOT NULL, phase int NOT NULL, step int NOT NULL,
    direction "char" NOT NULL, since_attempt int NOT NULL,
    label text NOT NULL, relation text NOT NULL, key_columns text[] NOT NULL,
    cursor text[], upper text[],
    rows_scanned bigint NOT NULL DEFAULT 0, rows_changed bigint NOT NULL DEFAULT 0,
    batches bigint NOT NULL DEFAULT 0, done boolean NOT NULL DEFAULT false,
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (store, run, phase, step, direction, since_attempt));
  COMMIT
)sql";

constexpr auto marker_present = R"sql(
  SELECT 1 FROM runbookd.marker
  WHERE store = $1 AND run = $2 AND phase = $3::int AND step = $4::int AND direction = $5::"char"
    AND attempt = $6::int
)sql";

SqlFailure not_permitted(SqlFailure failure, bool schema_exists, Cell const& database,
                         Cell const& role) {
  std::string const right =
      schema_exists
          ? "GRANT USAGE, CREATE ON SCHEMA runbookd TO " + role.value_or("")
          : "GRANT CREATE ON DATABASE " + database.value_or("") + " TO " + role.value_or("");
  failure.message =
      "schema runbookd, which proves what has been done, cannot be made ready in the target: " +
      failure.message + ". Let an owner of the database run: " + right + ";";
  return failure;
}

}  // namespace

char direction_letter(planner::Direction direction) {
  return direction == planner::Direction::forward ? 'f' : 'b';
}

std::string application_name(AttemptTag const& tag) {
  auto const name = "runbookd/" + tag.run + "/" + std::to_string(tag.ref.phase) + "." +
                    std::to_string(tag.ref.step) + direction_letter(tag.direction) +
                    std::to_string(tag.attempt);
  constexpr std::size_t server_keeps = 63;
  return name.substr(0, server_keeps);
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

std::string insert_intent_sql(Session const& session, AttemptTag const& tag,
                              Intended const& intended) {
  return "INSERT INTO runbookd.intent (store, run, phase, step, direction, attempt, label, kind, "
         "object, "
         "relation, statement, backend_start) SELECT " +
         step_key(session, tag) + ", " + std::to_string(tag.attempt) + ", " +
         session.quote_literal(tag.label) + ", " + session.quote_literal(intended.kind) + ", " +
         session.quote_literal(intended.object) + ", " + session.quote_literal(intended.relation) +
         ", " + session.quote_literal(intended.statement) +
         ", (SELECT backend_start FROM pg_catalog.pg_stat_activity WHERE pid = "
         "pg_catalog.pg_backend_pid())";
}

std::string finish_intent_sql(Session const& session, AttemptTag const& tag) {
  return "UPDATE runbookd.intent SET done_at = pg_catalog.clock_timestamp() WHERE " +
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
  auto const there = session.run(what_is_there);
  if (!there) {
    return tl::unexpected(there.error());
  }
  auto const& facts = there->rows.front();
  if (facts[1] == "t") {
    return {};
  }
  auto created = session.run(create_tables);
  if (created) {
    return {};
  }
  (void)session.run("ROLLBACK");
  if (created.error().sqlstate == "42501") {
    return tl::unexpected(
        not_permitted(std::move(created.error()), facts[0] == "t", facts[2], facts[3]));
  }
  return tl::unexpected(std::move(created.error()));
}

}  // namespace runbookd::daemon
