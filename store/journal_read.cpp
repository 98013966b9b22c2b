#include <algorithm>

#include "planner/event_json.h"
#include "store/journal.h"

namespace runbookd::store {
namespace {

using planner::Error;
using planner::ErrorCode;
using planner::Event;
using planner::Moment;

Moment moment(std::int64_t milliseconds) { return Moment(planner::Duration(milliseconds)); }

RunSummary read_summary(Statement const& row) {
  return {.id = {row.text(0)},
          .plan = {row.text(1)},
          .plan_name = row.text(2),
          .target = row.text(3),
          .state = row.text(4),
          .direction = row.text(5),
          .phase = row.text(6),
          .step = row.text(7),
          .message = row.text(8),
          .created_by = row.text(9),
          .revision = row.integer(12),
          .created = moment(row.integer(10)),
          .changed = moment(row.integer(11)),
          .final = row.integer(13) != 0};
}

struct HashedRow {
  EventRow event;
  std::string hash;
};
HashedRow read_event(Statement const& row) {
  return {.event = {.run = {},
                    .seq = row.integer(0),
                    .at = row.integer(1),
                    .kind = row.text(2),
                    .actor = row.text(3),
                    .reason = row.text(4),
                    .body = row.text(5)},
          .hash = row.text(6)};
}

Error unreadable(std::string const& path, planner::RunId const& run, EventRow const& row,
                 Error const& why) {
  return {.code = ErrorCode::store_unavailable,
          .detail = "the store " + path + " holds an event of run " + run.text + ", number " +
                    std::to_string(row.seq) + ", that cannot be read: " + why.detail,
          .next = "runbookd --version; runbookd store check '" + path + "'"};
}

Error does_not_fit(std::string const& path, planner::RunId const& run, planner::EventSeq seq) {
  return {.code = ErrorCode::store_unavailable,
          .detail = "the store " + path + " is damaged: the record of run " + run.text +
                    " does not fit together from event " + std::to_string(seq) +
                    " on, so nothing is done by it",
          .next = "runbookd store check '" + path + "', then: runbookd store restore BACKUP"};
}

Result<StoredEvent> decoded(std::string const& path, planner::RunId const& run, HashedRow found) {
  auto& [row, hash] = found;
  auto body = planner::body_from_json(row.kind, row.body);
  if (!body)
    return tl::unexpected(unreadable(path, run, row, body.error()));
  Event event{moment(row.at), std::move(row.actor), std::move(row.reason), std::move(*body)};
  return StoredEvent{row.seq, std::move(event), std::move(hash)};
}

}  // namespace

Result<std::vector<StoredEvent>> Journal::events_after(planner::RunId const& run,
                                                       planner::EventSeq after, int limit) const {
  return guarded([&]() -> Result<std::vector<StoredEvent>> {
    std::vector<StoredEvent> events;
    for (auto& found : select_events_.all(read_event, run.text, after, limit)) {
      auto event = decoded(connection_.path(), run, std::move(found));
      if (!event)
        return tl::unexpected(event.error());
      events.push_back(std::move(*event));
    }
    return events;
  });
}

Result<std::vector<StoredEvent>> Journal::history(planner::RunId const& run) const {
  return guarded([&]() -> Result<std::vector<StoredEvent>> {
    if (auto const wrong = verify(run); wrong != 0)
      return tl::unexpected(does_not_fit(connection_.path(), run, wrong));
    return events_after(run, 0, -1);
  });
}

std::optional<RunSummary> Journal::find(planner::RunId const& run) const {
  return select_run_.first(read_summary, run.text);
}

std::vector<RunSummary> Journal::list(RunFilter const& filter) const {
  auto const& [state, target, plan, actor, since, before, limit] = filter;
  auto const changed = since.time_since_epoch().count();
  if (!before)
    return list_runs_.all(read_summary, state, target, plan, limit, actor, changed);
  return list_older_runs_.all(read_summary, state, target, plan, limit, actor, changed, *before);
}

std::vector<RunSummary> Journal::unfinished() const { return select_unfinished_.all(read_summary); }

std::map<std::string, std::int64_t> Journal::count_by_state() const {
  std::map<std::string, std::int64_t> counts;
  count_by_state_.each([&](Statement const& row) { counts[row.text(0)] = row.integer(1); });
  return counts;
}

std::optional<RunSummary> Journal::active_on(std::string const& target) const {
  return select_active_.first(read_summary, target);
}

std::vector<std::string> Journal::targets_of(planner::PlanDigest const& plan) const {
  return select_targets_.all([](Statement const& row) { return row.text(0); }, plan.text);
}

std::optional<std::string> Journal::fingerprint_body(std::string const& digest) const {
  return select_fingerprint_.first([](Statement const& row) { return row.text(0); }, digest);
}

planner::EventSeq Journal::verify(planner::RunId const& run) const {
  planner::EventSeq last = 0;
  planner::EventSeq wrong = 0;
  std::string previous;
  auto const look = [&](Statement const& found) {
    auto row = read_event(found);
    row.event.run = run.text;
    ++last;
    if (wrong != 0)
      return;
    if (row.event.seq != last || hash_after(previous, row.event) != row.hash)
      wrong = last;
    previous = std::move(row.hash);
  };
  select_chain_.each(look, run.text);
  if (wrong != 0)
    return wrong;
  // rows cut off at the end leave a chain that fits; the summary of the same commit remembers how
  // long it was
  auto const summary = find(run);
  auto const revision = summary ? summary->revision : 0;
  return revision == last ? 0 : std::min(revision, last) + 1;
}

}  // namespace runbookd::store
