#include <utility>
#include <variant>

#include "daemon/target/marker.h"
#include "daemon/target/outside.h"
#include "planner/mutant.h"
#include "store/crash_point.h"

namespace runbookd::daemon {
namespace {

using planner::Doubt;
using planner::Mutant;
using planner::mutant;

constexpr auto is_standby = "SELECT pg_catalog.pg_is_in_recovery()";

// By the name that it gave itself, and, where it got so far, by its row in runbookd.intent: a plan
// may have changed the name.
constexpr auto old_backend = R"sql(
  SELECT a.pid, coalesce(p.command || ', ' || p.phase
                         || CASE WHEN p.lockers_total > 0 THEN
                              format(' (%s of %s)', p.lockers_done, p.lockers_total) ELSE '' END
                         || coalesce(', waiting for pid ' || nullif(p.current_locker_pid, 0), ''),
                       a.state || ', ' || left(regexp_replace(a.query, '[[:space:]]+', ' ', 'g'), 100),
                       'what it does is not shown to this role')
  FROM pg_catalog.pg_stat_activity a
  LEFT JOIN pg_catalog.pg_stat_progress_create_index p ON p.pid = a.pid
  WHERE a.pid <> pg_catalog.pg_backend_pid() AND (a.application_name = $1 OR EXISTS (
    SELECT 1 FROM runbookd.intent i
    WHERE i.store = $2 AND i.run = $3 AND i.phase = $4::int AND i.step = $5::int AND i.direction = $6::"char"
      AND i.attempt = $7::int AND i.backend_pid = a.pid AND i.backend_start = a.backend_start))
    AND ($8::boolean OR a.state <> 'idle')
  LIMIT 1
)sql";

constexpr auto our_intent = R"sql(
  SELECT at FROM runbookd.intent
  WHERE store = $1 AND run = $2 AND phase = $3::int AND step = $4::int AND direction = $5::"char"
    AND attempt = $6::int
)sql";

std::vector<Cell> key_of(AttemptTag const& tag) {
  return {tag.store,
          tag.run,
          std::to_string(tag.ref.phase),
          std::to_string(tag.ref.step),
          std::string(1, direction_letter(tag.direction)),
          std::to_string(tag.attempt)};
}

SqlResult<DoubtAnswer> say(Doubt answer, std::string evidence) {
  return DoubtAnswer{.answer = answer, .evidence = std::move(evidence)};
}

std::string what_comes_next(Sight const& sight) {
  if (!sight.builder.empty()) {
    return "; another session builds there now, pid " + sight.builder;
  }
  if (!sight.leftovers.empty()) {
    return "; the next try drops the invalid index first";
  }
  if (!sight.finish.empty()) {
    return "; the next try ends it: " + sight.finish;
  }
  return "";
}

SqlResult<DoubtAnswer> by_sight(Sight const& sight, std::string const& sent_at,
                                planner::Statement const& statement) {
  using State = Sight::State;
  bool const nothing_left = sight.leftovers.empty() || mutant(Mutant::invalid_index_applied);
  if ((sight.state == State::done || mutant(Mutant::invalid_index_applied)) && nothing_left) {
    return say(Doubt::applied, "no marker, but our intent row, and " + sight.seen);
  }
  if (sight.state == State::unknowable) {
    return say(Doubt::unknowable,
               "runbookd.intent says that the statement was sent at " + sent_at +
                   ", runbookd.marker does not say that it ended, and nothing else can tell: " +
                   sight.seen + ". Asked was: " + sight.query + ". Look whether \"" +
                   statement.sql.text + "\" took effect and resolve the step by hand");
  }
  return say(Doubt::not_applied, "no marker; " + sight.seen + what_comes_next(sight));
}

// A statement outside a transaction leaves an intent row before it and a marker after it; between
// the two only the catalog knows.
SqlResult<DoubtAnswer> by_intent(Session& session, AttemptTag const& tag,
                                 planner::Statement const& statement) {
  auto const intent = session.run(our_intent, key_of(tag));
  if (!intent) {
    return tl::unexpected(intent.error());
  }
  if (intent->rows.empty()) {
    return say(Doubt::not_applied,
               "no intent row of this attempt in runbookd.intent: its statement was never sent");
  }
  auto const sight =
      look_at_catalog(session, tag, planner::outside_of(statement).value_or(planner::Outside{}));
  if (!sight) {
    return tl::unexpected(sight.error());
  }
  return by_sight(*sight, intent->rows.front().front().value_or("?"), statement);
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
  bool const in_batches = std::holds_alternative<planner::BackfillAction>(action);
  return say(Doubt::not_applied,
             "the old session is gone and runbookd.marker has no row of attempt " +
                 std::to_string(tag.attempt) + " of " + tag.label +
                 (in_batches ? ", which its last batch writes"
                             : ", which it writes in the same transaction"));
}

SqlResult<DoubtAnswer> tables_gone() {
  return say(Doubt::unknowable,
             "the tables runbookd.marker and runbookd.intent are not in the target: either this is "
             "another database or somebody dropped them; find out whether the step took effect "
             "and resolve it by hand");
}

}  // namespace

SqlResult<DoubtAnswer> settle_doubt(Session& session, AttemptTag const& tag,
                                    planner::Action const& action) {
  if (mutant(Mutant::doubt_not_looked_at)) {
    return say(Doubt::not_applied, "a mutant");
  }
  if (mutant(Mutant::doubt_always_applied)) {
    return say(Doubt::applied, "a mutant");
  }
  if (auto const primary = on_primary(session); !primary) {
    return tl::unexpected(primary.error());
  }
  // between two batches a backfill's session holds nothing, and the fence keeps it from the next
  // one
  bool const idle_counts = !std::holds_alternative<planner::BackfillAction>(action);
  auto key = key_of(tag);
  key.insert(key.begin(), application_name(tag));
  key.emplace_back(idle_counts ? "t" : "f");
  auto const alive = session.run(old_backend, key);
  if (!alive && alive.error().sqlstate == "42P01") {
    return tables_gone();
  }
  if (!alive) {
    return tl::unexpected(alive.error());
  }
  if (!alive->rows.empty() && !mutant(Mutant::old_backend_ignored)) {
    auto const pid = alive->rows.front()[0].value_or("0");
    return DoubtAnswer{.still_running = true,
                       .pid = std::stoi(pid),
                       .evidence = "our old session still works in the server, pid " + pid + ": " +
                                   alive->rows.front()[1].value_or("")};
  }
  store::crash_point(store::CrashPoint::doubt_backends_seen);
  auto const marked = has_marker(session, tag);
  if (!marked && marked.error().sqlstate == "42P01") {
    return tables_gone();
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
