#include <utility>

#include "daemon/target/marker.h"
#include "daemon/target/sent_crash.h"
#include "daemon/target/transaction.h"
#include "planner/mutant.h"

namespace runbookd::daemon {
namespace {

using planner::ConcurrentIndex;
using planner::Mutant;
using planner::mutant;
using store::crash_point;
using store::CrashPoint;

// An index of that name where the statement would put (or look for) it, and who is building it.
struct FoundIndex {
  bool exists = false;
  bool is_index = false;
  bool on_table = false;
  bool valid = false;
  std::string name;     // qualified and quoted
  std::string builder;  // pid; empty = nobody
};

// A new index goes to its table's schema.
constexpr auto index_beside_table = R"sql(
  SELECT format('%I.%I', n.nspname, c.relname), i.indexrelid IS NOT NULL, i.indrelid = t.oid, i.indisvalid,
         (SELECT p.pid FROM pg_catalog.pg_stat_progress_create_index p WHERE p.index_relid = c.oid LIMIT 1)
  FROM pg_catalog.pg_class t
  JOIN pg_catalog.pg_class c ON c.relnamespace = t.relnamespace AND c.relname = $2
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
  WHERE t.oid = pg_catalog.to_regclass($1)
)sql";

constexpr auto index_by_name = R"sql(
  SELECT format('%I.%I', n.nspname, c.relname), i.indexrelid IS NOT NULL, true, i.indisvalid, NULL
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
  WHERE c.oid = pg_catalog.to_regclass($1)
)sql";

constexpr auto unfinished_intent = R"sql(
  SELECT 1 FROM runbookd.intent
  WHERE store = $1 AND run = $2 AND phase = $3::int AND step = $4::int AND direction = $5::"char"
    AND object = $6 AND done_at IS NULL LIMIT 1
)sql";

std::string qualified(Session const& session, std::string const& schema, std::string const& name) {
  return schema.empty() ? session.quote_name(name)
                        : session.quote_name(schema) + "." + session.quote_name(name);
}

SqlResult<FoundIndex> find_index(Session& session, ConcurrentIndex const& wanted) {
  auto const found =
      wanted.kind == ConcurrentIndex::Kind::create
          ? session.run(index_beside_table,
                        {qualified(session, wanted.table_schema, wanted.table), wanted.index})
          : session.run(index_by_name, {qualified(session, wanted.schema, wanted.index)});
  if (!found) {
    return tl::unexpected(found.error());
  }
  if (found->rows.empty()) {
    return FoundIndex{};
  }
  auto const& row = found->rows.front();
  return FoundIndex{.exists = true,
                    .is_index = row[1] == "t",
                    .on_table = row[2] == "t",
                    .valid = row[3] == "t",
                    .name = row[0].value_or(""),
                    .builder = row[4].value_or("")};
}

// Did an earlier attempt of this step set out to do the same and never report back?
SqlResult<bool> set_out_before(Session& session, AttemptTag const& tag, std::string const& object) {
  auto const found =
      session.run(unfinished_intent,
                  {tag.store, tag.run, std::to_string(tag.ref.phase), std::to_string(tag.ref.step),
                   std::string(1, direction_letter(tag.direction)), object});
  if (!found) {
    return tl::unexpected(found.error());
  }
  return !found->rows.empty();
}

// What has to be settled before the statement is sent: nothing, a note to keep, or an end.
struct Ground {
  std::optional<AttemptResult> end;
  std::string note;
};

Ground over(AttemptResult result) { return {.end = std::move(result)}; }

Ground drop_leftover(Session& session, FoundIndex const& found, std::stop_token const& stop) {
  if (!found.builder.empty()) {
    return over(failed("55006", "index " + found.name + " is being built by another session, pid " +
                                    found.builder +
                                    "; wait for it or cancel it, then retry the step"));
  }
  auto const drop = "DROP INDEX CONCURRENTLY " + found.name;
  crash_point(CrashPoint::leftover_found);
  crash_once_sent(CrashPoint::leftover_drop_sent, session, drop);
  auto const dropped = session.run(drop);
  if (!dropped) {
    return over(ended_by(dropped.error(), stop, {}));
  }
  crash_point(CrashPoint::leftover_dropped);
  return {.note = "dropped the invalid index " + found.name + " left by an earlier try"};
}

Ground before_create(Session& session, AttemptTag const& tag, ConcurrentIndex const& wanted,
                     FoundIndex const& found, std::stop_token const& stop) {
  if (!found.exists) {
    return {};
  }
  if (mutant(Mutant::index_exists_is_done)) {
    return over({.note = "a mutant"});
  }
  if (!found.is_index || !found.on_table) {
    return over(failed(
        "42P07", "the name " + found.name + " is taken by " +
                     (found.is_index ? "an index of another table" : "something that is no index") +
                     "; choose another index name in the plan"));
  }
  auto const ours = set_out_before(session, tag, wanted.index);
  if (!found.valid && ours && !*ours && found.builder.empty() &&
      !mutant(Mutant::foreign_index_dropped)) {
    return over(
        failed("42P07", "an invalid index " + found.name +
                            " exists already, and this step did not make it; when nobody "
                            "needs it, drop it and retry the step: DROP INDEX CONCURRENTLY " +
                            found.name));
  }
  if (!found.valid) {
    return drop_leftover(session, found, stop);
  }
  if (ours && *ours) {
    return over({.note = "index " + found.name +
                         " is complete and valid: an earlier try of this step built it"});
  }
  return {};  // the server has its own words for it
}

Ground before_drop(Session& session, AttemptTag const& tag, ConcurrentIndex const& wanted,
                   FoundIndex const& found) {
  if (found.exists) {
    return {};
  }
  auto const ours = set_out_before(session, tag, wanted.index);
  if (ours && *ours) {
    return over({.note = "index " + wanted.index +
                         " is gone already: an earlier try of this step dropped it"});
  }
  return {};
}

Ground survey(Session& session, AttemptTag const& tag, std::optional<ConcurrentIndex> const& index,
              std::stop_token const& stop) {
  if (!index || index->index.empty()) {
    return {};
  }
  auto const found = find_index(session, *index);
  if (!found) {
    return over(ended_by(found.error(), stop, {}));
  }
  return index->kind == ConcurrentIndex::Kind::create
             ? before_create(session, tag, *index, *found, stop)
             : before_drop(session, tag, *index, *found);
}

Intended intended(planner::Statement const& statement,
                  std::optional<ConcurrentIndex> const& index) {
  Intended row{.kind = statement.kind, .statement = statement.sql.text};
  if (index) {
    row.object = index->index;
    row.relation =
        index->table_schema.empty() ? index->table : index->table_schema + "." + index->table;
  }
  return row;
}

// Looked up, where the session still answers: an invalid index slows every write until somebody
// drops it.
std::string what_remains(Session& session, std::optional<ConcurrentIndex> const& index) {
  if (!index || index->index.empty()) {
    return "";
  }
  auto const found = find_index(session, *index);
  if (!found) {
    return "an invalid index " + index->index + " may remain; a retry deals with it first";
  }
  if (!found->exists || found->valid) {
    return "";
  }
  return "the invalid index " + found->name +
         " remains; a retry drops it first, or drop it by hand: DROP INDEX CONCURRENTLY " +
         found->name;
}

// One message, one transaction: the marker is there exactly if the intent is finished.
AttemptResult report_done(Session& session, AttemptTag const& tag, std::int64_t rows,
                          std::string note) {
  auto const marked =
      session.run(finish_intent_sql(session, tag) + "; " + insert_marker_sql(session, tag));
  if (!marked) {
    auto failure = marked.error();
    failure.message =
        "the statement was carried out, but its marker could not be written: " + failure.message;
    failure.fate = SqlFailure::Fate::unknown;
    return {
        .end = planner::AttemptEnd::lost, .failure = std::move(failure), .note = std::move(note)};
  }
  crash_point(CrashPoint::outside_marked);
  return {.rows = rows, .note = std::move(note)};
}

}  // namespace

// No time limits here: one that fires inside the server's own waits leaves wreckage behind.
AttemptResult run_concurrent(Session& session, AttemptTag const& tag,
                             planner::SqlAction const& action, std::stop_token stop) {
  if (stop.stop_requested()) {
    return interrupted("stopped before anything was sent");
  }
  auto const& statement = action.statements.front();
  auto const index = planner::concurrent_index(statement);
  auto const set = session.run(session_limits_sql({}) + std::string(limits_shown));
  if (auto held = limits_hold(set, {}, {}); !held) {
    return ended_by(held.error(), stop, {});
  }
  crash_point(CrashPoint::outside_ready);
  auto const ground = survey(session, tag, index, stop);
  if (ground.end) {
    bool const already = ground.end->end == planner::AttemptEnd::done;
    return already ? report_done(session, tag, -1, ground.end->note) : *ground.end;
  }
  if (stop.stop_requested()) {
    return interrupted(ground.note);
  }
  crash_point(CrashPoint::outside_before_intent);
  if (auto const written = session.run(insert_intent_sql(session, tag, intended(statement, index)));
      !written) {
    return ended_by(written.error(), stop, {});
  }
  crash_point(CrashPoint::outside_intent_written);
  crash_once_sent(CrashPoint::outside_sent, session, statement.sql.text);
  auto const done = session.run(statement.sql.text);
  if (!done) {
    crash_point(CrashPoint::outside_failed);
    auto result = ended_by(done.error(), stop, {});
    auto const remains = what_remains(session, index);
    result.note = ground.note.empty() || remains.empty() ? ground.note + remains
                                                         : ground.note + "; " + remains;
    if (result.failure && !remains.empty()) {
      result.failure->message += " — " + remains;
    }
    return result;
  }
  crash_point(CrashPoint::outside_done);
  return report_done(session, tag, statement.changes_schema ? -1 : done->affected, ground.note);
}

}  // namespace runbookd::daemon
