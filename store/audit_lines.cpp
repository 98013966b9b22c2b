#include "store/audit_lines.h"

#include <algorithm>
#include <utility>

namespace runbookd::store {

AuditLines::AuditLines(Audit const& audit, std::string origin)
    : audit_(audit), origin_(std::move(origin)), last_(audit.head().entries) {}

bool AuditLines::next(int entries, std::function<void(std::string const& line)> const& take) {
  if (!std::exchange(began_, true)) {
    take(to_line({.origin = origin_, .keys = audit_.keys(), .after = 0, .previous = ""}));
  }
  auto const limit = static_cast<int>(std::min<std::int64_t>(entries, last_ - given_));
  if (limit <= 0) {
    return false;
  }
  auto const rows = audit_.after(given_, limit);
  if (rows.empty()) {
    return false;
  }
  auto checkpoints = audit_.checkpoints_after(given_, limit);
  auto checkpoint = checkpoints.begin();
  for (auto const& row : rows) {
    take(entry_line(row.text, row.hash));
    given_ = row.seq;
    for (; checkpoint != checkpoints.end() && checkpoint->entries <= given_; ++checkpoint) {
      take(checkpoint_line(checkpoint->note));
    }
  }
  return given_ < last_;
}

bool AuditWalk::next(int entries) {
  auto const more = lines_.next(entries, [this](std::string const& line) { look(line); });
  return more && problem_.empty();
}

void AuditWalk::look(std::string const& line) {
  if (!problem_.empty()) {
    return;
  }
  problem_ = file_.take(line);
  if (!problem_.empty()) {
    return;
  }
  for (auto const& [run, revision, hash] : events_in(line)) {
    if (audit_.event_hash(run, revision) != hash) {
      problem_ = "event " + std::to_string(revision) + " of run " + run +
                 " is not the one that entry " + std::to_string(file_.entries()) +
                 " was written over: the run's record was changed";
    }
  }
}

}  // namespace runbookd::store
