#include "planner/state.h"

namespace runbookd::planner {

std::string_view to_text(RunMode mode) {
  switch (mode) {
    case RunMode::pending:
      return "pending";
    case RunMode::running:
      return "running";
    case RunMode::waiting:
      return "waiting";
    case RunMode::pausing:
      return "pausing";
    case RunMode::paused:
      return "paused";
    case RunMode::failed:
      return "failed";
    case RunMode::attention:
      return "attention";
    case RunMode::cancelling:
      return "cancelling";
    case RunMode::succeeded:
      return "succeeded";
    case RunMode::rolled_back:
      return "rolled_back";
    case RunMode::cancelled:
      return "cancelled";
  }
  __builtin_unreachable();
}

bool is_final(RunMode mode) {
  return mode == RunMode::succeeded || mode == RunMode::rolled_back || mode == RunMode::cancelled;
}

std::string_view to_text(Stage stage) {
  switch (stage) {
    case Stage::baselines:
      return "baselines";
    case Stage::gate:
      return "gate";
    case Stage::requirements:
      return "requirements";
    case Stage::steps:
      return "steps";
    case Stage::validation:
      return "validation";
    case Stage::soak:
      return "soak";
    case Stage::final_checks:
      return "final_checks";
    case Stage::done:
      return "done";
  }
  __builtin_unreachable();
}

std::string_view to_text(StepStatus status) {
  switch (status) {
    case StepStatus::pending:
      return "pending";
    case StepStatus::running:
      return "running";
    case StepStatus::succeeded:
      return "succeeded";
    case StepStatus::failed:
      return "failed";
    case StepStatus::interrupted:
      return "interrupted";
    case StepStatus::skipped:
      return "skipped";
    case StepStatus::unknown:
      return "unknown";
    case StepStatus::reverting:
      return "reverting";
    case StepStatus::reverted:
      return "reverted";
    case StepStatus::revert_failed:
      return "revert_failed";
  }
  __builtin_unreachable();
}

}  // namespace runbookd::planner
