#include "store/journal.h"

#include "planner/event_json.h"
#include "planner/mutant.h"
#include "store/crash_point.h"
#include "store/journal_sql.h"

namespace runbookd::store {
namespace {

using planner::Error;
using planner::ErrorCode;

std::int64_t milliseconds(planner::Moment moment) { return moment.time_since_epoch().count(); }

tl::unexpected<Error> stale(planner::RunId const& run, planner::EventSeq found,
                            planner::EventSeq expected) {
  return tl::unexpected(
      Error{.code = ErrorCode::stale_revision,
            .detail = "run " + run.text + " is at revision " + std::to_string(found) + ", not " +
                      std::to_string(expected) + ": something else was recorded in between",
            .next = "runbookctl status " + run.text});
}

}  // namespace

Journal::Journal(Connection& connection, Mark* mark)
    : connection_(connection),
      mark_(mark),
      file_(connection.path()),
      select_head_(connection, sql::select_head),
      insert_event_(connection, sql::insert_event),
      upsert_run_(connection, sql::upsert_run),
      update_final_(connection, sql::update_final),
      insert_fingerprint_(connection, sql::insert_fingerprint),
      select_events_(connection, sql::select_events),
      select_chain_(connection, sql::select_chain),
      select_run_(connection, sql::select_run),
      list_runs_(connection, sql::list_runs),
      list_older_runs_(connection, sql::list_older_runs),
      select_unfinished_(connection, sql::select_unfinished),
      select_active_(connection, sql::select_active),
      select_fingerprint_(connection, sql::select_fingerprint),
      count_by_state_(connection, sql::count_by_state),
      select_targets_(connection, sql::select_targets) {}

Result<void> Journal::append(std::vector<Append> const& appends) {
  if (auto same = file_.expect_same(); !same)
    return same;
  return guarded([&]() -> Result<void> {
    Transaction transaction(connection_);
    std::int64_t events = 0;
    crash_point(CrashPoint::append_begun);
    for (auto const& append : appends) {
      if (auto written = write(append); !written)
        return written;
      events += std::ssize(append.events);
    }
    crash_point(CrashPoint::append_written);
    transaction.commit();
    crash_point(CrashPoint::append_committed);
    if (mark_ != nullptr)
      mark_->grown_by(events);
    return {};
  });
}

Result<void> Journal::append_facts(std::vector<Append> const& appends) {
  Companion::Absence const alone(connection_);
  return append(appends);
}

Result<void> Journal::write(Append const& append) {
  auto [revision, hash] = head_of(append.run);
  if (revision != append.expected && !planner::mutant(planner::Mutant::any_revision_appends))
    return stale(append.run, revision, append.expected);
  for (auto const& event : append.events) {
    EventRow const row{.run = append.run.text,
                       .seq = ++revision,
                       .at = milliseconds(event.at),
                       .kind = std::string(kind_of(event.body)),
                       .actor = event.actor,
                       .reason = event.reason,
                       .body = body_to_json(event.body)};
    hash = insert(row, hash);
    crash_point(CrashPoint::event_inserted);
  }
  auto summary = append.summary;
  summary.id = append.run;
  summary.revision = revision;
  update_summary(summary);
  crash_point(CrashPoint::summary_written);
  for (auto const& [digest, body] : append.fingerprints)
    insert_fingerprint_.run(digest, body);
  return {};
}

// From the events themselves: nothing that is decided rests on the summary.
Journal::Head Journal::head_of(planner::RunId const& run) {
  auto const read = [](Statement const& row) { return Head{row.integer(0), row.text(1)}; };
  return select_head_.first(read, run.text).value_or(Head{});
}

std::string Journal::insert(EventRow const& row, std::string_view previous) {
  auto hash = hash_after(previous, row);
  insert_event_.run(row.run, row.seq, row.at, row.kind, row.actor, row.reason, row.body, hash);
  return hash;
}

void Journal::update_summary(RunSummary const& run) {
  upsert_run_.run(run.id.text, run.plan.text, run.plan_name, run.target, run.state, run.direction,
                  run.phase, run.step, run.message, run.created_by, milliseconds(run.created),
                  milliseconds(run.changed), run.revision, run.final);
  update_final_.run(run.id.text, run.final);
}

}  // namespace runbookd::store
