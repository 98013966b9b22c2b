// What must be durable before an intent is acted on: the journal then knows what may have happened.
#include "planner/machine.h"

namespace runbookd::planner {

Events announce(RunState const& state, Intent const& wanted, Moment now) {
  if (auto const* step = std::get_if<RunStep>(&wanted)) {
    if (state.trying) {
      return {};
    }
    return {{.at = now,
             .body = StepStarted{
                 .ref = step->ref, .direction = step->direction, .attempt = step->attempt}}};
  }
  auto const* checks = std::get_if<RunChecks>(&wanted);
  // watches come round every few seconds; their results alone are worth keeping
  if (checks != nullptr && checks->stage != CheckStage::watch) {
    return {{.at = now,
             .body = ChecksStarted{
                 .stage = checks->stage, .phase = checks->phase, .which = checks->which}}};
  }
  return {};
}

}  // namespace runbookd::planner
