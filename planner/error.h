// The refusals that a caller can meet, as values. Broken invariants are exceptions, not these.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "planner/diagnostic.h"

namespace runbookd::planner {

// Closed on purpose: web/problem answers every one in a switch without a default.
enum class ErrorCode {
  malformed,
  not_found,
  method_not_allowed,
  not_acceptable,
  illegal_transition,
  target_busy,
  gate_closed,
  held,            // a hold stands: nothing goes forward
  outside_window,  // of the target: nothing new begins there now
  approval_stale,  // the gate that was seen is not the one that stands open
  irreversible,
  stale_revision,
  unacknowledged_findings,
  plan_invalid,
  reason_required,
  confirm_mismatch,
  self_approval,
  too_large,
  unsupported_type,
  store_unavailable,  // full, busy, read-only: nothing was written, later it may be
  audit_unavailable,  // the audit took no entry, so nothing was done
  store_broken,       // what is on the disk is not known any more: the process has to end
  target_unreachable,
  target_refused,
  draining,
  host_not_allowed,
  unauthenticated,     // nobody is known, or what was shown is not valid
  capability_missing,  // the caller is known and may not
  forged_request,      // a browser's cookie without the signs that our own page sent it
  rate_limited,        // too many wrong tokens
  idempotency_key_reused,
  request_in_progress,
  internal,
};
// "illegal-transition": the stable name that programs compare.
std::string_view to_slug(ErrorCode code);

struct Error {
  ErrorCode code = ErrorCode::internal;
  std::string detail;                // what, where and why, for a person
  std::string next;                  // the command to try next; may be empty
  std::string state;                 // the run's state where a run refused; may be empty
  std::vector<std::string> allowed;  // the verbs that fit that state
  Findings findings;                 // for plan_invalid and unacknowledged_findings
  std::string sqlstate;              // for target_*: what the server said
  int retry_after = 0;               // seconds; 0 = the usual
};

template <typename T>
using Result = tl::expected<T, Error>;

}  // namespace runbookd::planner
