// The durable facts of all runs. One writing connection, used on the I/O thread only.
// Events of several runs that are ready together are appended together: one synced commit for all
// of them. Readers without a Result throw StoreFailure (store/sqlite.h) when the store itself is
// broken.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "planner/error.h"
#include "planner/event.h"
#include "planner/ids.h"
#include "store/chain.h"
#include "store/file.h"
#include "store/mark.h"
#include "store/sqlite.h"

namespace runbookd::store {

using planner::Result;

struct StoredEvent {
  planner::EventSeq seq = 0;
  planner::Event event;
  std::string hash;  // store/chain.h
};

// The read model of one run: derived from events, written in the same commit, may be rebuilt.
struct RunSummary {
  planner::RunId id;
  planner::PlanDigest plan;
  std::string plan_name, target, state, direction, phase, step, message, created_by;
  planner::EventSeq revision = 0;
  planner::Moment created{}, changed{};
  bool final = false;
};

struct RunFilter {
  // empty = any; a state or "unfinished"; a plan's digest or name
  std::string state, target, plan;
  std::string actor;                  // who created it
  planner::Moment since{};            // changed then or later
  std::optional<std::string> before;  // run id that the page starts after (newest first)
  int limit = 50;
};

// One run's new events plus what else must become durable with them.
struct Append {
  planner::RunId run;
  planner::EventSeq expected = 0;  // the run's revision before; 0 = a new run
  planner::Events events;
  RunSummary summary;  // its id and revision are set by the journal; its plan must be stored
  std::vector<std::pair<std::string, std::string>> fingerprints;  // digest, readable body
};

class Journal {
 public:
  explicit Journal(Connection& connection, Mark* mark = nullptr);

  // All of them in one transaction, synced when this returns. A wrong `expected` is stale_revision;
  // a full or read-only store is store_unavailable: nothing of it was written and the next append
  // may succeed. After store_broken (a failed sync, a damaged, deleted or replaced file) nobody
  // knows what will be read at the next start, so the process must end and read.
  Result<void> append(std::vector<Append> const& appends);
  // What nobody asked for: it takes no companion along (store/sqlite.h).
  Result<void> append_facts(std::vector<Append> const& appends);

  // A negative limit means all.
  Result<std::vector<StoredEvent>> events_after(planner::RunId const& run, planner::EventSeq after,
                                                int limit) const;
  // All events of a run, from the first on, with the chain that ties them recomputed: a run goes on
  // only from a record that is whole.
  Result<std::vector<StoredEvent>> history(planner::RunId const& run) const;
  std::optional<RunSummary> find(planner::RunId const& run) const;
  std::vector<RunSummary> list(RunFilter const& filter) const;
  std::vector<RunSummary> unfinished() const;
  std::map<std::string, std::int64_t> count_by_state() const;  // states that no run has are missing
  std::optional<RunSummary> active_on(std::string const& target) const;  // not final, not pending
  std::vector<std::string> targets_of(planner::PlanDigest const& plan) const;  // that it ran on
  std::optional<std::string> fingerprint_body(std::string const& digest) const;

  // Recomputes a run's chain; the first wrong seq, or 0 when all is well. Events missing at the end
  // count too.
  planner::EventSeq verify(planner::RunId const& run) const;

 private:
  struct Head {
    planner::EventSeq revision = 0;
    std::string hash;
  };
  Result<void> write(Append const& append);
  Head head_of(planner::RunId const& run);
  std::string insert(EventRow const& row, std::string_view previous);
  void update_summary(RunSummary const& summary);

  Connection& connection_;
  Mark* mark_;
  OpenFile file_;
  Statement select_head_, insert_event_, upsert_run_, update_final_, insert_fingerprint_;
  // running a statement changes it, and nothing that a caller can see
  mutable Statement select_events_, select_chain_, select_run_, list_runs_, list_older_runs_,
      select_unfinished_, select_active_, select_fingerprint_, count_by_state_, select_targets_;
};

}  // namespace runbookd::store
