// Wishes become events, or a refusal that says what fits instead.
#include <algorithm>
#include <utility>

#include "planner/lint.h"
#include "planner/machine_decision.h"
#include "planner/machine_standing.h"
#include "planner/run_rules.h"

namespace runbookd::planner {
namespace {

struct Decision : Wish {
  // Whoever holds the target may be at work there: only a person can say that it is not to go on.
  std::optional<Verdicts> held_elsewhere() const {
    auto const verb = std::string{verb_of(command.ask)};
    if (!state.held_by || !claims(command.ask)) {
      return std::nullopt;
    }
    auto const how = verb + " --take-over --reason TEXT";
    if (!command.take_over) {
      return refuse("another daemon has claimed the target: " + holder_words(*state.held_by) +
                        ". Go on there, or stop that daemon and take the target over",
                    how, ErrorCode::target_busy);
    }
    if (command.reason.empty()) {
      return refuse("taking a target over from another daemon needs a reason", how,
                    ErrorCode::reason_required);
    }
    return std::nullopt;
  }

  // Each refused attempt takes a number, and would reach that of the marker it was refused for.
  std::optional<Verdicts> store_behind() const {
    if (!state.store_behind || !claims(command.ask)) {
      return std::nullopt;
    }
    return refuse(
        "the target knows more of this run than this store: it goes on only from the store that "
        "knows it",
        "cancel --confirm " + plan.name);
  }

  // Pausing and cancelling need no claim.
  bool takes_over() const { return state.held_by && command.take_over && claims(command.ask); }

  Verdicts operator()(Start const& ask) const {
    if (state.mode != RunMode::pending) {
      return wrong_state("pending");
    }
    auto const findings = lint(plan);
    if (auto unknown = acknowledges_nothing(ask, findings)) {
      return *unknown;
    }
    Findings open;
    for (auto const& finding : findings) {
      if (finding.severity == Severity::error && !acknowledged(finding, ask.acknowledged)) {
        open.push_back(finding);
      }
    }
    if (!open.empty()) {
      auto error = refuse("the plan has " + std::to_string(open.size()) +
                              " finding(s) that make it unsafe for live traffic",
                          "change the plan, or acknowledge each with its rule and a reason: "
                          "--acknowledge " +
                              open.front().rule + "=REASON",
                          ErrorCode::unacknowledged_findings);
      error.value().findings = std::move(open);
      return error;
    }
    return one(RunStarted{ask.acknowledged});
  }
  Verdicts operator()(Advance const& ask) const {
    if (state.mode != RunMode::waiting) {
      return wrong_state("waiting at a gate");
    }
    if (!at_gate(state)) {
      return refuse("the run waits for a person to do step " + plan.label(*state.current) +
                    ", not at a gate");
    }
    auto const& phase = plan.phases[state.phase];
    if (ask.to_phase != phase.name) {
      return refuse("the next phase is " + phase.name + ", not \"" + ask.to_phase + "\"");
    }
    if (!ask.confirm.empty() && ask.confirm != phase.name) {
      return refuse(
          "the confirmation \"" + ask.confirm + "\" is not the phase's name, " + phase.name,
          "advance --to " + phase.name + " --confirm " + phase.name, ErrorCode::confirm_mismatch);
    }
    if (auto const needs = gate_needs(plan, state, now); !needs.empty()) {
      return refuse(needs.front().message, "", ErrorCode::gate_closed);
    }
    return one(PhaseEntered{.phase = state.phase, .fresh = true});
  }
  Verdicts operator()(Approve const& ask) const { return sign(*this, ask); }
  Verdicts operator()(Reject const& ask) const { return sign(*this, ask); }
  Verdicts operator()(Withdraw const& ask) const { return sign(*this, ask); }
  Verdicts operator()(Override const& ask) const { return sign(*this, ask); }
  Verdicts operator()(Countersign const& ask) const { return sign(*this, ask); }
  Verdicts operator()(Evaluate const&) const {
    if (state.mode == RunMode::failed && state.checks_failed) {
      auto const stage = check_stage_of(state.stage).value_or(CheckStage::requirements);
      return one(EvaluationRequested{.stage = stage, .phase = state.phase});
    }
    if (state.mode == RunMode::waiting && at_gate(state) && state.phase > 0) {
      return one(EvaluationRequested{.stage = CheckStage::validation, .phase = state.phase - 1});
    }
    if (state.mode == RunMode::failed) {
      return refuse("a step failed, not a check");
    }
    return wrong_state("failed by a check, or waiting at a gate after a phase");
  }
  Verdicts operator()(Confirm const& ask) const {
    if (state.mode != RunMode::waiting || !state.current) {
      return wrong_state("waiting for a manual step");
    }
    auto const ref = *state.current;
    if (auto other = not_the_step(ask.step, ref)) {
      return *other;
    }
    return one(StepSucceeded{.ref = ref,
                             .direction = state.direction,
                             .attempt = state.at(ref).attempts,
                             .note = command.reason});
  }
  Verdicts operator()(Pause const& ask) const {
    switch (state.mode) {
      case RunMode::running:
      case RunMode::waiting: {
        auto const escalate =
            ask.escalate_after ? std::optional<Moment>{now + *ask.escalate_after} : std::nullopt;
        return one(PauseRequested{.mode = ask.mode, .escalate_at = escalate});
      }
      case RunMode::pausing:
        if (ask.mode == StopMode::now && !state.interrupt) {
          return one(PauseEscalated{});
        }
        return nothing_to_do();
      case RunMode::paused:
      case RunMode::pending:
      case RunMode::failed:
      case RunMode::attention:
      case RunMode::cancelling:
        return nothing_to_do();
      case RunMode::succeeded:
      case RunMode::rolled_back:
      case RunMode::cancelled:
        return wrong_state("not finished");
    }
    __builtin_unreachable();
  }
  Verdicts operator()(Throttle const& ask) const {
    if (!is({RunMode::running, RunMode::pausing, RunMode::paused, RunMode::failed})) {
      return wrong_state("at a backfill: running, paused or failed");
    }
    auto const ref = next_step(plan, state);
    if (!ref || !std::holds_alternative<BackfillAction>(action_of(plan, *ref, state.direction))) {
      auto const where = ref ? "step " + plan.label(*ref) + " is no backfill"
                             : std::string{"the run is at no step now"};
      return refuse(where + "; only a backfill can be throttled");
    }
    bool const loosens = ask.to == Throttle::To::exempt;
    if (auto missing = reason_missing(); loosens && missing) {
      return *missing;
    }
    auto const wanted = throttled(ask);
    auto const now_set = state.throttle.at(now);
    if (!wanted) {
      return now_set ? one(ThrottleLifted{}) : nothing_to_do();
    }
    bool const same = now_set && now_set->percent == wanted->percent &&
                      now_set->exempt == wanted->exempt && !now_set->until && !wanted->until;
    return same ? nothing_to_do() : one(*wanted);
  }
  Verdicts operator()(Resume const&) const {
    if (state.mode != RunMode::paused) {
      return wrong_state("paused");
    }
    return one(RunResumed{});
  }
  Verdicts operator()(Retry const& ask) const {
    if (!is({RunMode::failed, RunMode::paused})) {
      return wrong_state("failed or paused at a step");
    }
    if (state.checks_failed) {
      return refuse("a check failed, not a step");
    }
    auto const ref = state.current;
    if (!ref || state.in_doubt || !retriable(*ref)) {
      return refuse("no step of this run failed or was interrupted");
    }
    if (auto other = not_the_step(ask.step, *ref)) {
      return *other;
    }
    return one(RetryRequested{.ref = *ref, .direction = state.direction});
  }
  Verdicts operator()(Skip const& ask) const {
    bool const rests = is({RunMode::failed, RunMode::paused, RunMode::waiting});
    if (!rests || state.in_doubt) {
      return wrong_state(rests ? "at a step whose end is known"
                               : "failed, paused or waiting at a step");
    }
    auto const ref = state.mismatch ? state.current : next_step(plan, state);
    if (!ref) {
      return refuse("the run is " + standing(plan, state) +
                    ", not at a step that could be skipped");
    }
    if (auto other = not_the_step(ask.step, *ref)) {
      return *other;
    }
    if (auto missing = reason_missing()) {
      return *missing;
    }
    if (state.direction == Direction::forward && !plan.step(*ref).skippable) {
      return refuse("the plan does not mark step " + plan.label(*ref) + " as skippable");
    }
    return one(StepSkipped{.ref = *ref, .direction = state.direction, .reversed = state.mismatch});
  }
  Verdicts operator()(Resolve const& ask) const {
    if (state.mode == RunMode::attention && !state.lost.empty()) {
      return resolve_lost(ask);
    }
    if (state.mode != RunMode::attention || !state.current) {
      return wrong_state("in need of attention: a step whose outcome nobody knows");
    }
    if (auto other = not_the_step(ask.step, *state.current)) {
      return *other;
    }
    if (auto missing = evidence_missing(ask)) {
      return *missing;
    }
    return one(StepResolved{.ref = *state.current,
                            .direction = state.direction,
                            .succeeded = ask.succeeded,
                            .evidence = ask.evidence});
  }
  Verdicts operator()(RollBack const& ask) const {
    if (state.mode == RunMode::running) {
      return refuse("the run is running; pause it first");
    }
    if (!is({RunMode::paused, RunMode::failed, RunMode::waiting, RunMode::succeeded})) {
      return wrong_state("paused, failed, waiting or succeeded");
    }
    if (state.in_doubt) {
      return refuse("the outcome of step " + plan.label(*state.current) +
                    " is not known yet; it has to be settled first");
    }
    if (state.mismatch) {
      return refuse("the reversal of step " + plan.label(*state.current) +
                    " left another schema than there was before: mend it and retry, or skip "
                    "with a reason to take it as it is");
    }
    auto const target = rollback_target(plan, state, ask);
    if (!target) {
      return refuse_as(target.error());
    }
    auto const steps = rollback_steps(plan, state, *target);
    if (!steps) {
      return refuse_as(steps.error());
    }
    if (steps->empty()) {
      return refuse("no executed step lies there: nothing to take back");
    }
    return one(RollbackStarted{*target});
  }
  Verdicts operator()(Cancel const& ask) const {
    if (is_final(state.mode)) {
      return wrong_state("not finished");
    }
    if (state.mode == RunMode::cancelling) {
      return nothing_to_do();
    }
    if (!ask.confirm.empty() && ask.confirm != plan.name) {
      return refuse("the confirmation \"" + ask.confirm + "\" is not the plan's name, " + plan.name,
                    "cancel --confirm " + plan.name, ErrorCode::confirm_mismatch);
    }
    if (executed_anything(state) && ask.confirm.empty()) {
      return refuse("steps were executed and will stay as they are; confirm with the plan's name",
                    "cancel --confirm " + plan.name, ErrorCode::confirm_mismatch);
    }
    return one(CancelRequested{});
  }

 private:
  static bool claims(Ask const& ask) {
    return std::holds_alternative<Start>(ask) || std::holds_alternative<Resume>(ask) ||
           std::holds_alternative<Retry>(ask) || std::holds_alternative<RollBack>(ask);
  }
  // Nothing: the person's word is taken back.
  std::optional<RunThrottled> throttled(Throttle const& ask) const {
    auto const until = ask.lasts ? std::optional{now + *ask.lasts} : std::nullopt;
    switch (ask.to) {
      case Throttle::To::off:
        return std::nullopt;
      case Throttle::To::stop:
        return RunThrottled{.percent = 0, .until = until};
      case Throttle::To::exempt:
        return RunThrottled{.percent = 100, .exempt = true, .until = until};
      case Throttle::To::ratio:
        return RunThrottled{.percent = ask.percent, .until = until};
    }
    __builtin_unreachable();
  }
  // After a failover: does what the journal says of this step still hold?
  Verdicts resolve_lost(Resolve const& ask) const {
    auto const ref = ask.step.empty() ? state.lost.front() : plan.find_step(ask.step);
    if (!ref) {
      return refuse("the plan has no step \"" + ask.step + "\"", same_verb(state.lost.front()),
                    ErrorCode::not_found);
    }
    if (std::ranges::find(state.lost, *ref) == state.lost.end()) {
      return refuse("the failover has not put step " + plan.label(*ref) + " in doubt",
                    same_verb(state.lost.front()));
    }
    if (auto missing = evidence_missing(ask)) {
      return *missing;
    }
    bool const undone = state.at(*ref).status == StepStatus::reverted;
    return one(StepResolved{.ref = *ref,
                            .direction = undone ? Direction::backward : Direction::forward,
                            .succeeded = ask.succeeded,
                            .evidence = ask.evidence});
  }
  std::optional<Verdicts> evidence_missing(Resolve const& ask) const {
    if (!ask.evidence.empty()) {
      return std::nullopt;
    }
    return refuse("say what you looked at and saw", "", ErrorCode::reason_required);
  }
  static bool names(Acknowledgement const& item, Finding const& finding) {
    return item.rule == finding.rule || item.rule == finding.rule + "@" + finding.step;
  }
  bool found_in_target(std::string const& rule) const {
    return std::ranges::any_of(state.found, [&](std::string const& found) {
      return found == rule || found.starts_with(rule + "@");
    });
  }
  static bool acknowledged(Finding const& finding, std::vector<Acknowledgement> const& list) {
    return !finding.acknowledged.empty() ||
           std::ranges::any_of(list, [&](auto const& word) { return acknowledges(word, finding); });
  }
  // A reason for what is not there would stand in the record, and that which was meant stay open.
  std::optional<Verdicts> acknowledges_nothing(Start const& ask, Findings const& findings) const {
    auto const stray = std::ranges::find_if(ask.acknowledged, [&](auto const& item) {
      return !found_in_target(item.rule) &&
             std::ranges::none_of(findings,
                                  [&](auto const& finding) { return names(item, finding); });
    });
    if (stray == ask.acknowledged.end()) {
      return std::nullopt;
    }
    std::string all;
    for (auto const& finding : findings) {
      all += (all.empty() ? "" : ", ") + finding.rule + "@" + finding.step;
    }
    for (auto const& found : state.found) {
      all += (all.empty() ? "" : ", ") + found;
    }
    return refuse("the plan has no finding \"" + stray->rule + "\" to acknowledge; it has " +
                      (all.empty() ? "none" : all),
                  "", ErrorCode::not_found);
  }
  bool retriable(StepRef ref) const {
    auto const status = state.at(ref).status;
    if (state.mode == RunMode::failed) {
      return true;
    }
    return status == StepStatus::interrupted || status == StepStatus::failed ||
           status == StepStatus::revert_failed;
  }
  tl::unexpected<Error> refuse_as(Error error) const {
    return refuse(std::move(error.detail), std::move(error.next), error.code);
  }
  // What was asked for, of the step that the run stands at.
  std::string same_verb(StepRef at) const {
    auto const verb = std::string{verb_of(command.ask)} + " " + plan.label(at);
    if (std::holds_alternative<Resolve>(command.ask)) {
      return verb + " --as succeeded|failed --evidence TEXT";
    }
    return verb + (std::holds_alternative<Skip>(command.ask) ? " --reason TEXT" : "");
  }
  // A step may be named by a person who looks at an old screen: it must be the one that the run
  // stands at.
  std::optional<Verdicts> not_the_step(std::string const& name, StepRef at) const {
    if (name.empty() || plan.find_step(name) == at) {
      return std::nullopt;
    }
    if (!plan.find_step(name)) {
      return refuse(
          "the plan has no step \"" + name + "\"; the run stands at step " + plan.label(at),
          same_verb(at), ErrorCode::not_found);
    }
    return refuse("the run stands at step " + plan.label(at) + ", not at \"" + name + "\"",
                  same_verb(at));
  }
};

}  // namespace

tl::unexpected<Error> Wish::refuse(std::string detail, std::string next, ErrorCode code) const {
  return tl::unexpected(
      Error{.code = code,
            .detail = std::move(detail),
            .next = next.empty() ? way_on(plan, state, command.ask, now) : std::move(next),
            .state = std::string{to_text(state.mode)}});
}

tl::unexpected<Error> Wish::wrong_state(std::string const& needs) const {
  return refuse("the run is " + standing(plan, state) + "; " + std::string{verb_of(command.ask)} +
                " needs a run that is " + needs);
}

bool Wish::is(std::initializer_list<RunMode> modes) const {
  return std::ranges::find(modes, state.mode) != modes.end();
}

std::optional<Verdicts> Wish::reason_missing() const {
  if (!command.reason.empty()) {
    return std::nullopt;
  }
  return refuse(std::string{verb_of(command.ask)} + " needs a reason",
                std::string{verb_of(command.ask)} + " --reason TEXT", ErrorCode::reason_required);
}

std::vector<EventBody> Wish::one(EventBody body) {
  std::vector<EventBody> bodies;
  bodies.push_back(std::move(body));
  return bodies;
}

Result<Events> decide(Plan const& plan, RunState const& state, Command const& command, Moment now) {
  Decision const decision{{.plan = plan, .state = state, .command = command, .now = now}};
  auto bodies = std::visit(decision, command.ask);
  if (auto held = bodies ? decision.held_elsewhere() : std::nullopt) {
    bodies = std::move(*held);
  }
  if (auto behind = bodies ? decision.store_behind() : std::nullopt) {
    bodies = std::move(*behind);
  }
  // last, so that nobody waits for a window to open or a hold to end and is refused all the same
  if (auto refused = bodies ? refused_by_house(decision) : std::nullopt) {
    bodies = tl::unexpected(std::move(*refused));
  }
  if (!bodies) {
    return tl::unexpected(std::move(bodies.error()));
  }
  if (decision.takes_over() && !bodies->empty()) {
    bodies->insert(bodies->begin(), TargetTaken{*state.held_by});
  }
  Events events;
  for (auto& body : *bodies) {
    events.push_back(
        {.at = now, .actor = command.actor, .reason = command.reason, .body = std::move(body)});
  }
  for (auto& event : onward(plan, evolve(plan, state, events), now)) {
    events.push_back(std::move(event));
  }
  return events;
}

}  // namespace runbookd::planner
