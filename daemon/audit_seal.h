// Signs the audit now and then: how long it is and what its last hash is. What the runs recorded
// since is bound in with it.
#pragma once

#include <functional>
#include <memory>

#include "daemon/clock.h"
#include "store/audit.h"
#include "store/proof/note.h"

namespace runbookd::daemon {

class Sealer {
 public:
  // `trouble` is told when it could not be done; it is tried again then.
  Sealer(store::Audit& audit, Clock& clock, store::SigningKey key,
         std::function<void(planner::Error const&)> trouble);

  // There is something new: sealed in a minute, or at once if it is much.
  void grown();
  // Now, if anything is new.
  planner::Result<void> seal();

  store::VerifierKey const& key() const { return key_.verifier(); }

 private:
  void seal_later();
  std::vector<store::AuditEntry> entries() const;
  store::StoredCheckpoint checkpoint() const;

  store::Audit& audit_;
  Clock& clock_;
  store::SigningKey key_;
  std::function<void(planner::Error const&)> trouble_;
  std::unique_ptr<Alarm> alarm_;
  bool new_ = false;
  std::int64_t sealed_ = 0;
  planner::Moment sealed_at_{};
};

}  // namespace runbookd::daemon
