#include "planner/error.h"

namespace runbookd::planner {

std::string_view to_slug(ErrorCode code) {
  switch (code) {
    case ErrorCode::malformed:
      return "malformed";
    case ErrorCode::not_found:
      return "not-found";
    case ErrorCode::method_not_allowed:
      return "method-not-allowed";
    case ErrorCode::not_acceptable:
      return "not-acceptable";
    case ErrorCode::illegal_transition:
      return "illegal-transition";
    case ErrorCode::target_busy:
      return "target-busy";
    case ErrorCode::gate_closed:
      return "gate-closed";
    case ErrorCode::held:
      return "held";
    case ErrorCode::outside_window:
      return "outside-window";
    case ErrorCode::approval_stale:
      return "approval-stale";
    case ErrorCode::irreversible:
      return "irreversible";
    case ErrorCode::stale_revision:
      return "stale-revision";
    case ErrorCode::unacknowledged_findings:
      return "unacknowledged-findings";
    case ErrorCode::plan_invalid:
      return "plan-invalid";
    case ErrorCode::reason_required:
      return "reason-required";
    case ErrorCode::self_approval:
      return "self-approval";
    case ErrorCode::confirm_mismatch:
      return "confirm-mismatch";
    case ErrorCode::too_large:
      return "too-large";
    case ErrorCode::unsupported_type:
      return "unsupported-type";
    case ErrorCode::store_broken:
      return "store-broken";
    case ErrorCode::store_unavailable:
      return "store-unavailable";
    case ErrorCode::target_unreachable:
      return "target-unreachable";
    case ErrorCode::target_refused:
      return "target-refused";
    case ErrorCode::draining:
      return "draining";
    case ErrorCode::host_not_allowed:
      return "host-not-allowed";
    case ErrorCode::unauthenticated:
      return "unauthenticated";
    case ErrorCode::capability_missing:
      return "capability-missing";
    case ErrorCode::forged_request:
      return "csrf";
    case ErrorCode::rate_limited:
      return "rate-limited";
    case ErrorCode::audit_unavailable:
      return "audit-unavailable";
    case ErrorCode::idempotency_key_reused:
      return "idempotency-key-reused";
    case ErrorCode::request_in_progress:
      return "request-in-progress";
    case ErrorCode::internal:
      return "internal";
  }
  __builtin_unreachable();
}

}  // namespace runbookd::planner
