// Which steps a way back leads over, and what keeps a gate shut.
#include <algorithm>

#include "planner/machine.h"
#include "planner/run_rules.h"

namespace runbookd::planner {
namespace {

Error refusal(RunState const& state, ErrorCode code, std::string detail, std::string next = "") {
  return {.code = code,
          .detail = std::move(detail),
          .next = std::move(next),
          .state = std::string{to_text(state.mode)}};
}

std::optional<StepRef> last_executed(Plan const& plan, RunState const& state) {
  auto all = state;
  all.rollback_to = {};
  return next_backward(plan, all);
}

std::string phase_names(Plan const& plan) {
  std::string names;
  for (auto const& phase : plan.phases) {
    names += (names.empty() ? "" : ", ") + phase.name;
  }
  return names;
}

// The steps of that name, whatever their phase.
std::vector<std::string> labels_of(Plan const& plan, std::string_view name) {
  std::vector<std::string> labels;
  for (auto const& phase : plan.phases) {
    for (auto const& step : phase.steps) {
      if (step.name == name) {
        labels.push_back(phase.name + "/" + step.name);
      }
    }
  }
  return labels;
}

// A step is often named without its phase, or in the wrong one.
Error no_such_place(Plan const& plan, RunState const& state, std::string const& to) {
  auto const slash = to.find('/');
  auto const kind = slash == std::string::npos ? "phase" : "step";
  auto const meant = labels_of(plan, slash == std::string::npos ? to : to.substr(slash + 1));
  auto const detail =
      std::string("the plan has no ") + kind + " \"" + to + "\"; a step is named phase/step";
  if (meant.empty()) {
    return refusal(state, ErrorCode::not_found, detail + ", phases are: " + phase_names(plan));
  }
  std::string names;
  for (auto const& label : meant) {
    names += (names.empty() ? ": " : " or ") + label;
  }
  return refusal(state, ErrorCode::not_found, detail + names, "rollback --to " + meant.front());
}

}  // namespace

Result<std::vector<StepRef>> rollback_steps(Plan const& plan, RunState const& state, StepRef to) {
  std::vector<StepRef> steps;
  for (int p = static_cast<int>(std::ssize(plan.phases)) - 1; p >= to.phase; --p) {
    int const first = p == to.phase ? to.step : 0;
    for (int i = static_cast<int>(std::ssize(plan.phases[p].steps)) - 1; i >= first; --i) {
      StepRef const ref{.phase = p, .step = i};
      bool const undone = state.mismatch && state.current == ref;  // only not to the same schema
      if (undone || !executed(state.at(ref))) {
        continue;
      }
      if (auto const& step = plan.step(ref); !step.reversible()) {
        return tl::unexpected(
            refusal(state, ErrorCode::irreversible,
                    "step " + plan.label(ref) + " cannot be taken back: " + step.irreversible,
                    "roll back to a step after " + plan.label(ref)));
      }
      steps.push_back(ref);
    }
  }
  return steps;
}

Result<StepRef> rollback_target(Plan const& plan, RunState const& state, RollBack const& ask) {
  switch (ask.extent) {
    case RollBack::Extent::all:
      return StepRef{};
    case RollBack::Extent::last_step:
      if (auto const last = last_executed(plan, state)) {
        return *last;
      }
      return tl::unexpected(refusal(state, ErrorCode::illegal_transition,
                                    "no step was executed: nothing to take back"));
    case RollBack::Extent::to_phase:
      if (int const phase = plan.phase_index(ask.to); phase >= 0) {
        return StepRef{.phase = phase, .step = 0};
      }
      return tl::unexpected(no_such_place(plan, state, ask.to));
    case RollBack::Extent::to_step:
      if (auto const ref = plan.find_step(ask.to)) {
        return *ref;
      }
      return tl::unexpected(no_such_place(plan, state, ask.to));
  }
  __builtin_unreachable();
}

std::vector<std::string> valid_approvers(RunState const& state, Moment now) {
  std::vector<std::string> names;
  for (auto const& [name, until] : state.approvers) {
    if (!until || now < *until) {
      names.push_back(name);
    }
  }
  return names;
}

bool gate_is_overridden(RunState const& state, Moment now) {
  return state.gate_overridden && now < *state.gate_overridden;
}

std::vector<GateNeed> gate_needs(Plan const& plan, RunState const& state, Moment now) {
  auto const& phase = plan.phases[state.phase];
  std::vector<GateNeed> needs;
  if (gate_is_overridden(state, now)) {
    return needs;
  }
  auto const signed_by = std::ssize(valid_approvers(state, now));
  if (phase.approval && signed_by < phase.approval->count) {
    auto const missing = phase.approval->count - static_cast<int>(signed_by);
    needs.push_back({.kind = "approval",
                     .message = "phase " + phase.name + " needs " + std::to_string(missing) +
                                (missing == 1 ? " approval" : " approvals") + " of " +
                                phase.approval->from + std::string(names_are_taken_as_given),
                     .until = std::nullopt});
  }
  if (phase.not_before) {
    int const after = plan.phase_index(phase.not_before->after);
    auto const done = after >= 0 ? state.completed_at[after] : Moment{};
    auto const open = done + phase.not_before->wait;
    if (done == Moment{}) {
      needs.push_back({.kind = "timer",
                       .message = "phase " + phase.name + " opens " +
                                  to_text(phase.not_before->wait) + " after phase " +
                                  phase.not_before->after + ", which is not done",
                       .until = std::nullopt});
    } else if (open > now) {
      needs.push_back({.kind = "timer",
                       .message = "phase " + phase.name + " opens at " + to_rfc3339(open) + ", " +
                                  to_text(phase.not_before->wait) + " after phase " +
                                  phase.not_before->after,
                       .until = open});
    }
  }
  return needs;
}

}  // namespace runbookd::planner
