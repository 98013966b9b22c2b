#include <utility>
#include <variant>

#include "daemon/target/marker.h"

namespace runbookd::daemon {
namespace {

using planner::ConcurrentIndex;
using planner::Doubt;

constexpr auto is_standby = "SELECT pg_catalog.pg_is_in_recovery()";

constexpr auto old_backend = R"sql(
  SELECT pid, state FROM pg_catalog.pg_stat_activity WHERE application_name = $1 AND pid <> pg_catalog.pg_backend_pid()
    AND ($2::boolean OR state <> 'idle')
)sql";

constexpr auto our_intent = R"sql(
  SELECT object, relation, statement, at FROM runbookd.intent
  WHERE store = $1 AND run = $2 AND phase = $3::int AND step = $4::int AND direction = $5::"char"
    AND attempt = $6::int
)sql";

constexpr auto index_state = R"sql(
  SELECT i.indisvalid
  FROM pg_catalog.pg_class t
  JOIN pg_catalog.pg_class c ON c.relnamespace = t.relnamespace AND c.relname = $2
  JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid AND i.indrelid = t.oid
  WHERE t.oid = pg_catalog.to_regclass($1)
)sql";

constexpr auto index_there = "SELECT 1 WHERE pg_catalog.to_regclass($1) IS NOT NULL";

std::string qualified(Session const& session, std::string const& schema, std::string const& name) {
  return schema.empty() ? session.quote_name(name)
                        : session.quote_name(schema) + "." + session.quote_name(name);
}

SqlResult<DoubtAnswer> say(Doubt answer, std::string evidence) {
  return DoubtAnswer{.answer = answer, .evidence = std::move(evidence)};
}

SqlResult<DoubtAnswer> by_created_index(Session& session, ConcurrentIndex const& index) {
  auto const table = qualified(session, index.table_schema, index.table);
  auto const seen = session.run(index_state, {table, index.index});
  if (!seen) {
    return tl::unexpected(seen.error());
  }
  if (seen->rows.empty()) {
    return say(Doubt::not_applied,
               "no marker; the catalog has no index " + index.index + " on " + table);
  }
  if (seen->rows.front().front() == "t") {
    return say(Doubt::applied, "no marker, but our intent row, and index " + index.index + " on " +
                                   table + " is complete and valid");
  }
  return say(Doubt::not_applied,
             "no marker; index " + index.index + " on " + table +
                 " is invalid: the build stopped half way, the next try drops it first");
}

SqlResult<DoubtAnswer> by_dropped_index(Session& session, ConcurrentIndex const& index) {
  auto const name = qualified(session, index.schema, index.index);
  auto const seen = session.run(index_there, {name});
  if (!seen) {
    return tl::unexpected(seen.error());
  }
  return seen->rows.empty()
             ? say(Doubt::applied, "no marker, but our intent row, and index " + name + " is gone")
             : say(Doubt::not_applied, "no marker; index " + name + " is still in the catalog");
}

// A statement outside a transaction leaves an intent row before it and a marker after it; between
// the two only the catalog knows.
SqlResult<DoubtAnswer> by_intent(Session& session, AttemptTag const& tag,
                                 planner::Statement const& statement) {
  auto const intent = session.run(
      our_intent, {tag.store, tag.run, std::to_string(tag.ref.phase), std::to_string(tag.ref.step),
                   std::string(1, direction_letter(tag.direction)), std::to_string(tag.attempt)});
  if (!intent) {
    return tl::unexpected(intent.error());
  }
  if (intent->rows.empty()) {
    return say(Doubt::not_applied,
               "no intent row of this attempt in runbookd.intent: its statement was never sent");
  }
  auto const index = planner::concurrent_index(statement);
  if (index && !index->index.empty()) {
    return index->kind == ConcurrentIndex::Kind::create ? by_created_index(session, *index)
                                                        : by_dropped_index(session, *index);
  }
  return say(
      Doubt::unknowable,
      "runbookd.intent says that the statement was sent at " +
          intent->rows.front()[3].value_or("?") +
          ", runbookd.marker does not say that it ended, and no catalog query of ours settles \"" +
          statement.kind +
          "\"; look at the target and resolve the step by hand: " + statement.sql.text);
}

// A standby may lag behind: a marker that is missing there proves nothing.
SqlResult<void> on_primary(Session& session) {
  auto const asked = session.run(is_standby);
  if (!asked) {
    return tl::unexpected(asked.error());
  }
  if (asked->rows.front().front() == "t") {
    return tl::unexpected(
        SqlFailure{.sqlstate = "25006",
                   .message = "the target is a standby in recovery; only the primary knows how "
                              "the attempt ended"});
  }
  return {};
}

SqlResult<DoubtAnswer> without_marker(Session& session, AttemptTag const& tag,
                                      planner::Action const& action) {
  auto const* sql = std::get_if<planner::SqlAction>(&action);
  if (sql != nullptr && !sql->transactional()) {
    return by_intent(session, tag, sql->statements.front());
  }
  return say(Doubt::not_applied,
             "the old session is gone and runbookd.marker has no row of attempt " +
                 std::to_string(tag.attempt) + " of " + tag.label +
                 ", which it writes in the same transaction");
}

}  // namespace

SqlResult<DoubtAnswer> settle_doubt(Session& session, AttemptTag const& tag,
                                    planner::Action const& action) {
  if (auto const primary = on_primary(session); !primary) {
    return tl::unexpected(primary.error());
  }
  // between two batches a backfill's session holds nothing, and the fence keeps it from the next
  // one
  bool const idle_counts = !std::holds_alternative<planner::BackfillAction>(action);
  auto const alive =
      session.run(old_backend, {application_name(tag), std::string(idle_counts ? "t" : "f")});
  if (!alive) {
    return tl::unexpected(alive.error());
  }
  if (!alive->rows.empty()) {
    return DoubtAnswer{.still_running = true,
                       .pid = std::stoi(alive->rows.front()[0].value_or("0")),
                       .evidence = "our old session still lives in the server, pid " +
                                   alive->rows.front()[0].value_or("?") + ", " +
                                   alive->rows.front()[1].value_or("state not known")};
  }
  auto const marked = has_marker(session, tag);
  if (!marked && marked.error().sqlstate == "42P01") {
    return say(Doubt::unknowable,
               "table runbookd.marker is not in the target: either this is another database or "
               "somebody dropped it; find out whether the step took effect and resolve it by hand");
  }
  if (!marked) {
    return tl::unexpected(marked.error());
  }
  if (*marked) {
    return say(Doubt::applied, "runbookd.marker has the row of attempt " +
                                   std::to_string(tag.attempt) + " of " + tag.label);
  }
  return without_marker(session, tag, action);
}

}  // namespace runbookd::daemon
