// The audit as it is kept: entries with a hash chain, checkpoints that were signed. Written in the
// transaction of the change that an entry is about, so that neither is there without the other.
// Same thread and same failures as the journal.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "planner/error.h"
#include "store/audit_entry.h"
#include "store/file.h"
#include "store/sqlite.h"

namespace runbookd::store {

struct AuditRow {
  std::int64_t seq = 0;
  std::string text, hash;
};
struct AuditHead {
  std::int64_t entries = 0;
  std::string hash;  // of the last one; empty: there is none
};
// Empty fields: any.
struct AuditFilter {
  std::string actor, action, run, outcome;
  std::optional<planner::Moment> since, until;
  std::int64_t before = 0;  // entries older than this one; 0: from the newest on
  int limit = 50;
};
struct StoredCheckpoint {
  std::int64_t entries = 0;
  planner::Moment at{};
  std::string key, note;
};

class Audit {
 public:
  explicit Audit(Connection& connection);

  Connection& connection() { return connection_; }

  // Within a transaction of the caller's; throws StoreFailure. The sequence number is given.
  std::int64_t write(AuditEntry const& entry);
  void write(StoredCheckpoint const& checkpoint);
  // In a transaction of their own, with what `beside` writes: all of it or nothing.
  planner::Result<void> append(std::vector<AuditEntry> const& entries,
                               std::function<void()> const& beside = {});

  // The newest first.
  std::vector<AuditRow> find(AuditFilter const& filter) const;
  // In their order.
  std::vector<AuditRow> after(std::int64_t seq, int limit) const;
  AuditHead head() const;
  std::string hash_of(std::int64_t seq) const;  // empty: there is none
  std::vector<StoredCheckpoint> checkpoints_after(std::int64_t entries, int limit) const;
  std::optional<StoredCheckpoint> last_checkpoint() const;
  // That covers this entry, the first one that does.
  std::optional<StoredCheckpoint> checkpoint_over(std::int64_t seq) const;
  std::vector<std::string> keys() const;  // of all checkpoints

  // What an entry says of a run: its plan, target, standing and the head of its events.
  void describe_before(AuditEntry& entry) const;
  void describe_after(AuditEntry& entry) const;
  // Of the runs that have grown since; the runs' own last change counts.
  std::vector<EventsHead> heads_since(planner::Moment moment) const;
  std::string event_hash(std::string const& run, planner::EventSeq revision) const;

 private:
  struct KnownRun {
    std::string plan, target;
    RunStanding standing;
    std::string hash;
  };
  std::optional<KnownRun> run(std::string const& id) const;

  Connection& connection_;
  OpenFile file_;
  Statement insert_, insert_checkpoint_;
  mutable Statement head_, find_, after_, hash_of_, checkpoints_, last_checkpoint_, covering_,
      keys_, run_, heads_since_, event_hash_;
};

}  // namespace runbookd::store
