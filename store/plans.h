// Plan bodies by digest; content-addressed and never changed. Same thread and same failures as the
// journal.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "planner/error.h"
#include "planner/ids.h"
#include "planner/time.h"
#include "store/file.h"
#include "store/sqlite.h"

namespace runbookd::store {

struct StoredPlan {
  planner::PlanDigest digest;
  std::string name, title;
  std::string canonical;  // JSON
  planner::Moment stored{};
  std::string actor;
};

class Plans {
 public:
  explicit Plans(Connection& connection);

  // True if it was new.
  planner::Result<bool> put(StoredPlan const& plan);
  std::optional<StoredPlan> find(planner::PlanDigest const& digest) const;
  // Whole digest, or a unique prefix of at least 12 digits ("sha256:" may be left out); not_found
  // or malformed otherwise.
  planner::Result<StoredPlan> resolve(std::string const& prefix) const;
  // Newest first, without bodies.
  std::vector<StoredPlan> list(int limit, std::string const& after_digest) const;

 private:
  Connection& connection_;
  OpenFile file_;
  Statement insert_;
  mutable Statement select_, select_prefix_, list_, list_older_;
};

}  // namespace runbookd::store
