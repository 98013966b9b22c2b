// Facts become events. Never refuses: a fact that no longer matters (a late answer of an attempt
// that was given up) gives no event.
#include <algorithm>
#include <iterator>
#include <utility>

#include "planner/machine.h"
#include "planner/machine_fold.h"
#include "planner/mutant.h"
#include "planner/retry.h"
#include "planner/run_rules.h"

namespace runbookd::planner {
namespace {

constexpr int most_losses = 3;
constexpr Duration breath{100};
constexpr auto doubt_asked_again_after = std::chrono::seconds{5};

bool is_transaction(Action const& action) {
  auto const* sql = std::get_if<SqlAction>(&action);
  return sql != nullptr && sql->transactional();
}

// Events in the making, each judged against the state that the ones before lead to.
struct Judgement {
  Plan const& plan;
  RunState state;
  Moment now;
  Events events;

  void add(EventBody body) {
    events.push_back({.at = now, .actor = "", .reason = "", .body = std::move(body)});
    state = evolve(plan, std::move(state), events.back());
  }
  void go_on() {
    for (auto& event : onward(plan, state, now)) {
      add(std::move(event.body));
    }
  }

  // --- one overload per fact
  void operator()(BaselinesRead const& fact) {
    if (state.stage != Stage::baselines || is_final(state.mode)) {
      return;
    }
    if (fact.failure) {
      held(fact.held_by);
      add(BaselinesFailed{.name = fact.failed_name, .failure = *fact.failure});
      return;
    }
    if (fact.target != TargetIdentity{}) {
      add(TargetIdentified{fact.target});
    }
    if (auto open = open_findings(fact.findings); !open.empty()) {
      auto const count = std::to_string(open.size());
      add(BaselinesFailed{.name = "findings",
                          .failure = {.message = count + (open.size() == 1 ? " error" : " errors") +
                                                 " that only its schema and sizes show",
                                      .fate = SqlFailure::Fate::failed},
                          .findings = std::move(open)});
      return;
    }
    add(BaselinesRecorded{fact.values, fact.findings});
  }
  void operator()(ChecksRun const& fact) {
    bool const expected = check_stage_of(state.stage) == fact.stage && fact.phase == state.phase;
    if (!expected || (state.mode != RunMode::running && !stopping(state))) {
      return;
    }
    ChecksJudged judged{
        .stage = fact.stage, .phase = fact.phase, .which = fact.which, .results = fact.results};
    auto const failed = failed_places(plan, judged);
    auto const bad = std::ranges::count_if(
        fact.results, [](auto const& result) { return result.verdict != Verdict::passed; });
    judged.passed = std::ssize(failed) == bad && std::ranges::includes(state.overridden, failed);
    bool const passed = judged.passed;
    add(std::move(judged));
    bool const damage_possible =
        fact.stage == CheckStage::validation || fact.stage == CheckStage::watch;
    if (!passed && damage_possible) {
      roll_back_if_planned();
    }
  }
  void operator()(FingerprintRead const& fact) {
    if (state.mode != RunMode::running || state.trying || state.in_doubt) {
      return;
    }
    if (fact.failure) {
      add(FingerprintFailed{.failure = *fact.failure, .way_back_of = fact.way_back_of});
    } else if (state.mismatch) {
      compare_after_reversal(
          *state.current, state.at(*state.current).attempts, fact.digest,
          {.difference = fact.difference, .note = "the schema was looked at again"});
    } else {
      add(FingerprintTaken{.digest = fact.digest, .way_back = fact.way_back});
    }
  }
  void operator()(AttemptEnded const& fact) {
    bool const ours = state.trying && state.current == fact.ref &&
                      state.direction == fact.direction &&
                      state.at(fact.ref).attempts == fact.attempt;
    if (!ours) {
      return;
    }
    switch (fact.end) {
      case AttemptEnd::done:
        done(fact);
        return;
      case AttemptEnd::busy:
        busy(fact);
        return;
      case AttemptEnd::failed:
        failed(fact);
        return;
      case AttemptEnd::interrupted:
        add(StepInterrupted{.ref = fact.ref,
                            .direction = fact.direction,
                            .attempt = fact.attempt,
                            .why = fact.note,
                            .traceless = traceless(fact),
                            .filled = fact.filled});
        return;
      case AttemptEnd::lost:
        if (mutant(Mutant::lost_is_retried)) {
          busy(fact);
          return;
        }
        add(OutcomeLost{.ref = fact.ref,
                        .direction = fact.direction,
                        .attempt = fact.attempt,
                        .why = fact.failure ? fact.failure->message : fact.note,
                        .filled = fact.filled});
        return;
      case AttemptEnd::fenced:
        fenced(fact);
        return;
    }
  }
  void operator()(DoubtAnswered const& fact) {
    if (!state.in_doubt || state.current != fact.ref ||
        state.at(fact.ref).attempts != fact.attempt || state.direction != fact.direction) {
      return;
    }
    bool const differs = fact.answer == Doubt::applied &&
                         reversal_differs(fact.ref, fact.fingerprint, fact.difference);
    if (differs) {
      add(FingerprintMismatched{.ref = fact.ref,
                                .attempt = fact.attempt,
                                .expected = state.at(fact.ref).before.text(),
                                .actual = fact.fingerprint,
                                .difference = fact.difference});
    } else {
      add(DoubtSettled{.ref = fact.ref,
                       .direction = fact.direction,
                       .attempt = fact.attempt,
                       .answer = fact.answer,
                       .evidence = fact.evidence,
                       .fingerprint = fact.fingerprint,
                       .filled = fact.filled});
    }
    give_up_losing_it(fact);
    if (state.mode == RunMode::cancelling && fact.answer == Doubt::unknowable) {
      add(RunCancelled{});  // given up where it stood; the doubt stays on record
    }
    rest_after_restart();
  }
  void operator()(DoubtUnanswered const& fact) {
    if (state.in_doubt && state.current == fact.ref && state.mode != RunMode::attention) {
      add(DoubtDeferred{
          .ref = fact.ref, .failure = fact.failure, .ask_again_at = now + doubt_asked_again_after});
    }
  }
  // Whoever asked for the session has not used it: an attempt that stood before it was not made.
  void operator()(FailoverSeen const& fact) {
    if (state.mode != RunMode::running && !stopping(state)) {
      return;
    }
    if (state.trying) {
      add(StepInterrupted{.ref = *state.current,
                          .direction = state.direction,
                          .attempt = state.at(*state.current).attempts,
                          .why = "the target has failed over; nothing of this attempt was sent"});
    }
    add(TargetMoved{.target = fact.now, .lost = fact.lost});
    if (state.mode == RunMode::running) {
      add(RunPaused{.why = "the target has failed over to another server; every finished step of "
                           "this run is there"});
    }
  }
  // What was under way before is settled by whoever holds the target, not beside it.
  void operator()(ClaimSeen const& fact) {
    if (is_final(state.mode)) {
      return;
    }
    if (fact.held_by || state.held_by) {
      held(fact.held_by);
    }
    if (!fact.held_by || state.trying) {
      return;
    }
    if (state.mode == RunMode::cancelling) {
      add(RunCancelled{});
      return;
    }
    bool const at_work = state.mode == RunMode::running || state.mode == RunMode::pausing;
    if (at_work || state.mode == RunMode::waiting) {
      add(RunPaused{.why = "another daemon has claimed the target: " + holder_words(*fact.held_by) +
                           ". Nothing was done there"});
    }
  }
  void operator()(TargetSeen const& fact) {
    bool const known_by_start = state.stage == Stage::baselines;
    bool const told = fact.target != TargetIdentity{} && state.target == TargetIdentity{};
    if (told && !known_by_start) {
      add(TargetIdentified{fact.target});
    }
  }
  void operator()(TimeReached const&) {
    if (state.mode == RunMode::pausing && state.escalate_at && *state.escalate_at <= now) {
      add(PauseEscalated{});
      return;
    }
    bool const due = state.not_until && *state.not_until <= now;
    if (state.mode != RunMode::running || !due || state.trying || state.in_doubt) {
      return;
    }
    if (auto const ref = next_step(plan, state)) {
      if (std::holds_alternative<WaitAction>(action_of(plan, *ref, state.direction))) {
        add(StepSucceeded{
            .ref = *ref,
            .direction = state.direction,
            .attempt = state.at(*ref).attempts,
            .took = std::get<WaitAction>(action_of(plan, *ref, state.direction)).duration});
      }
      return;
    }
    if (state.stage == Stage::soak && state.direction == Direction::forward) {
      add(PhaseCompleted{state.phase});
    }
  }
  void operator()(Quiesced const&) {
    if (state.trying && !mutant(Mutant::paused_while_active)) {
      return;
    }
    if (state.mode == RunMode::pausing) {
      add(RunPaused{});
    } else if (state.mode == RunMode::cancelling) {
      add(RunCancelled{});
    }
  }
  void operator()(Restarted const&) {
    if (state.mode != RunMode::running && !stopping(state)) {
      return;
    }
    add(DaemonRestarted{});
    if (state.trying && !mutant(Mutant::restart_forgets_attempt)) {
      add(OutcomeLost{.ref = *state.current,
                      .direction = state.direction,
                      .attempt = state.at(*state.current).attempts,
                      .why = "the daemon ended while this attempt was under way"});
    }
    rest_after_restart();
  }

 private:
  // Errors that nobody has acknowledged, in the plan or with this start.
  Findings open_findings(Findings const& findings) const {
    Findings open;
    std::ranges::copy_if(findings, std::back_inserter(open), [&](Finding const& finding) {
      return finding.severity == Severity::error && finding.acknowledged.empty() &&
             !state.acknowledged.contains(finding.rule) &&
             !state.acknowledged.contains(finding.rule + "@" + finding.step);
    });
    return open;
  }
  void held(std::optional<ClaimHolder> const& by) {
    if (by != state.held_by) {
      add(TargetHeld{by});
    }
  }
  void done(AttemptEnded const& fact) {
    if (fact.direction == Direction::backward) {
      compare_after_reversal(fact.ref, fact.attempt, fact.fingerprint, fact);
      return;
    }
    add(succeeded(fact.ref, fact.attempt, fact.fingerprint, fact));
  }
  // Another daemon works there now: which of the two goes on is for people to say.
  void fenced(AttemptEnded const& fact) {
    auto const why = fact.failure ? fact.failure->message : fact.note;
    add(StepInterrupted{.ref = fact.ref,
                        .direction = fact.direction,
                        .attempt = fact.attempt,
                        .why = why,
                        .filled = fact.filled});
    if (fact.held_by) {
      held(fact.held_by);
    }
    if (state.mode != RunMode::cancelling) {
      bool const behind = fact.failure && fact.failure->sqlstate == store_behind_code;
      add(RunPaused{.why = why, .store_behind = behind});
    }
  }
  StepSucceeded succeeded(StepRef ref, int attempt, std::string const& fingerprint,
                          AttemptEnded const& fact) const {
    return {.ref = ref,
            .direction = state.direction,
            .attempt = attempt,
            .rows = fact.rows,
            .took = fact.took,
            .lock_wait = fact.lock_wait,
            .fingerprint = fingerprint,
            .note = fact.note,
            .filled = fact.filled};
  }
  // What a person has accepted once does not stop the steps before it again.
  bool reversal_differs(StepRef ref, std::string const& fingerprint,
                        std::string const& difference) const {
    auto const& before = state.at(ref).before;
    return !mutant(Mutant::mismatch_ignored) && state.direction == Direction::backward &&
           !before.empty() && !fingerprint.empty() && before.text() != fingerprint &&
           !state.accepted.contains(difference);
  }
  void compare_after_reversal(StepRef ref, int attempt, std::string const& fingerprint,
                              AttemptEnded const& fact) {
    if (reversal_differs(ref, fingerprint, fact.difference)) {
      add(FingerprintMismatched{.ref = ref,
                                .attempt = attempt,
                                .expected = state.at(ref).before.text(),
                                .actual = fingerprint,
                                .difference = fact.difference});
      return;
    }
    add(succeeded(ref, attempt, fingerprint, fact));
  }
  bool traceless(AttemptEnded const& fact) const {
    auto const& before = state.at(fact.ref).before;
    return fact.direction == Direction::forward && !before.empty() &&
           before.text() == fact.fingerprint;
  }
  LockPolicy policy(AttemptEnded const& fact) const {
    auto const& action = action_of(plan, fact.ref, fact.direction);
    if (auto const* sql = std::get_if<SqlAction>(&action)) {
      return sql->lock;
    }
    auto const* fill = std::get_if<BackfillAction>(&action);
    return fill != nullptr ? fill->lock : LockPolicy{};
  }
  // Whatever ends our session time after time may be this very statement: it is not sent for ever.
  void give_up_losing_it(DoubtAnswered const& fact) {
    int const losses = state.at(fact.ref).losses;
    if (fact.answer != Doubt::not_applied || losses < most_losses ||
        got_further(state.at(fact.ref), fact.filled) || state.mode != RunMode::running) {
      return;
    }
    auto const applied =
        fact.filled ? "its last batches were not applied" : "nothing of them was applied";
    add(StepFailed{
        .ref = fact.ref,
        .direction = fact.direction,
        .attempt = fact.attempt,
        .failure = {.sqlstate = "",
                    .message = "the session was lost in " + std::to_string(losses) +
                               " attempts in a row; " + applied +
                               ". Does the "
                               "statement itself end the session or the server? Look into "
                               "the server's log before you retry",
                    .statement = ""},
        .filled = fact.filled});
    roll_back_if_planned();
  }
  void busy(AttemptEnded const& fact) {
    if (stopping(state)) {
      add(StepInterrupted{.ref = fact.ref,
                          .direction = fact.direction,
                          .attempt = fact.attempt,
                          .why = fact.filled ? "stopped while a batch waited for a lock"
                                             : "stopped while waiting for a lock; nothing changed",
                          .filled = fact.filled});
      return;
    }
    auto const& step = state.at(fact.ref);
    int const tries = std::max(1, fact.attempt - step.series + 1);
    auto const lock = policy(fact);
    // a transaction has waited its time before it says that it is busy
    auto const pause = is_transaction(action_of(plan, fact.ref, fact.direction))
                           ? breath
                           : lock_backoff(lock, tries, fact.jitter);
    auto const retry_at = next_try(lock, step.first_try, now, pause);
    if (!retry_at) {
      failed(fact);
      return;
    }
    add(StepRetryScheduled{.ref = fact.ref,
                           .direction = fact.direction,
                           .attempt = fact.attempt,
                           .failure = fact.failure.value_or(SqlFailure{}),
                           .blockers = fact.blockers,
                           .took = fact.took,
                           .lock_wait = fact.lock_wait,
                           .retry_at = *retry_at,
                           .filled = fact.filled,
                           .behind = fact.behind});
  }
  void failed(AttemptEnded const& fact) {
    add(StepFailed{.ref = fact.ref,
                   .direction = fact.direction,
                   .attempt = fact.attempt,
                   .failure = fact.failure.value_or(SqlFailure{}),
                   .blockers = fact.blockers,
                   .took = fact.took,
                   .lock_wait = fact.lock_wait,
                   .traceless = traceless(fact),
                   .filled = fact.filled,
                   .behind = fact.behind});
    roll_back_if_planned();
  }
  void roll_back_if_planned() {
    if (plan.on_failure != OnFailure::rollback || state.mode != RunMode::failed ||
        state.direction != Direction::forward) {
      return;
    }
    StepRef const to{.phase = state.phase, .step = 0};
    if (rollback_steps(plan, state, to)) {
      add(RollbackStarted{to});
    }
  }
  void rest_after_restart() {
    if (!state.restarted || state.in_doubt || state.mode != RunMode::running) {
      return;
    }
    if (plan.on_restart == OnRestart::resume) {
      add(RunResumed{});
      return;
    }
    add(RunPaused{.why = "the daemon was restarted; the plan says to wait for a person"});
  }
};

}  // namespace

Events judge(Plan const& plan, RunState const& state, Outcome const& outcome, Moment now) {
  Judgement judgement{.plan = plan, .state = state, .now = now, .events = {}};
  std::visit(judgement, outcome);
  judgement.go_on();
  return std::move(judgement.events);
}

}  // namespace runbookd::planner
