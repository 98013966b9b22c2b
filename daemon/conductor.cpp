#include "daemon/conductor.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "planner/digest.h"
#include "planner/mutant.h"
#include "planner/run_rules.h"
#include "planner/verb_rights.h"
#include "planner/way_back.h"
#include "store/crash_point.h"

namespace runbookd::daemon {

using namespace planner;
using store::crash_point;
using store::CrashPoint;

namespace {

// What the least of rights suffices for, and giving up.
bool is_stop(Ask const& ask, Plan const& plan, RunState const& state, Moment now) {
  return std::holds_alternative<Cancel>(ask) ||
         needed_for(ask, plan, state, now) == Capability::stop;
}

// The stop came between an attempt's announcement and its beginning.
Outcome never_begun(RunState const& state) {
  return AttemptEnded{.ref = *state.current,
                      .direction = state.direction,
                      .attempt = state.at(*state.current).attempts,
                      .end = AttemptEnd::interrupted,
                      .note = "stopped before anything was sent"};
}

// The record says that it was made after the fact.
void mark_late(Events& events) {
  for (auto& event : events) {
    std::visit(
        [](auto& body) {
          if constexpr (requires { body.late; }) {
            body.late = true;
          }
        },
        event.body);
  }
}

// Has worked on its target, and will not go there by itself.
bool rests_there(RunState const& state) {
  bool const rests = state.mode == RunMode::waiting || state.mode == RunMode::paused ||
                     state.mode == RunMode::failed || state.mode == RunMode::attention;
  return rests && state.stage != Stage::baselines;
}

}  // namespace

Conductor::Conductor(House& house, RunId id, std::shared_ptr<Plan const> plan, Events const& events)
    : house_(house),
      id_(std::move(id)),
      plan_(std::move(plan)),
      written_(plan_),
      state_(initial_state(*plan_)) {
  for (auto const& event : events) {
    auto next = evolve(*plan_, state_, event);
    remember(*plan_, history_, state_, next, event);
    state_ = std::move(next);
  }
  write_ways_back();
}

// No attempt is under way when one was read, so nobody holds the plan as it was before.
void Conductor::write_ways_back() {
  if (!history_.ways_back.empty()) {
    written_ = std::make_shared<Plan const>(with_ways_back(*plan_, history_.ways_back));
  }
}

RunFacts Conductor::facts() const {
  RunFacts facts{.id = id_, .plan = written_.get(), .state = &state_, .history = &history_};
  if (runner_) {
    facts.live = runner_->live();
  }
  facts.live.preflight = preflight_;
  facts.live.store_degraded = house_.recorder.degraded();
  facts.live.mismatch_diff = mismatch_diff();
  return facts;
}

void Conductor::seen_before_phase(PreflightSeen seen) {
  preflight_ = std::move(seen);
  ++live_changes_;
  house_.grown(id_);
}

store::RunSummary Conductor::summary() const {
  auto const shown = state_.current;
  bool const in_phase = state_.phase < std::ssize(plan_->phases);
  return {.id = id_,
          .plan = history_.digest,
          .plan_name = plan_->name,
          .target = history_.target,
          .state = std::string{to_text(state_.mode)},
          .direction = state_.direction == Direction::forward ? "forward" : "backward",
          .phase = shown ? plan_->phases[shown->phase].name
                         : (in_phase ? plan_->phases[state_.phase].name : ""),
          .step = shown ? plan_->step(*shown).name : "",
          .message = state_message(facts(), house_.clock.now()),
          .created_by = history_.creator,
          .revision = history_.revision,
          .created = history_.created,
          .changed = history_.last_change,
          .final = is_final(state_.mode)};
}

// --- from wishes and facts to events

Result<void> Conductor::submit(Command const& command) {
  auto const now = house_.clock.now();
  auto events = decide(*plan_, state_, command, now);
  if (!events) {
    return tl::unexpected(std::move(events.error()));
  }
  if (events->empty()) {
    return {};
  }
  if (is_stop(command.ask, *plan_, state_, now)) {
    return stop_first(command.ask, std::move(*events));
  }
  return record_asked(std::move(*events));
}

Result<RunMode> Conductor::tried(Command const& command) const {
  return decide(*plan_, state_, command, house_.clock.now()).map([this](Events const& events) {
    return evolve(*plan_, state_, events).mode;
  });
}

Result<void> Conductor::note(std::string const& actor, std::string const& text) {
  return record_asked({{.at = house_.clock.now(), .actor = actor, .body = RunNoted{text}}});
}

Result<void> Conductor::record_asked(Events events) {
  auto const before_state = state_;
  auto const before_history = history_;
  auto const before = history_.revision;
  auto absorbed = absorb(std::move(events));
  crash_point(CrashPoint::command_judged);
  if (auto written = house_.recorder.record_now(append_of(before, absorbed, {})); !written) {
    state_ = before_state;
    history_ = before_history;
    return written;
  }
  crash_point(CrashPoint::command_recorded);
  if (runner_) {
    runner_->throttle(state_.throttle);
  }
  house_.grown(id_);
  act();
  return {};
}

Result<void> Conductor::stop_first(Ask const& ask, Events events) {
  auto const before = history_.revision;
  auto absorbed = absorb(std::move(events));
  if (runner_ && std::holds_alternative<Throttle>(ask)) {
    runner_->throttle(state_.throttle);
  } else if (runner_) {
    runner_->stop(state_.interrupt ? StopMode::now : StopMode::safe_point);
  }
  crash_point(CrashPoint::stop_told);
  auto append = append_of(before, std::move(absorbed), {});
  if (auto written = house_.recorder.record_now(append); !written) {
    mark_late(append.events);
    record_soon(std::move(append));
    stop_meanwhile();
    return {};
  }
  crash_point(CrashPoint::stop_recorded);
  house_.grown(id_);
  act();
  return {};
}

// Stopping does not wait for the disk: also the moment at which it becomes an interruption is kept.
void Conductor::stop_meanwhile() {
  auto const wanted = intent(*plan_, state_, house_.clock.now());
  auto const* quiesce = std::get_if<Quiesce>(&wanted);
  if (quiesce == nullptr || !runner_ || !runner_->busy()) {
    return;
  }
  runner_->stop(quiesce->mode);
  if (quiesce->escalate_at) {
    wake_at(*quiesce->escalate_at);
  }
}

void Conductor::recover() {
  learn(Restarted{}, {});
  if (rests_there(state_)) {
    start(ClaimJob{});  // a copy of this store may have gone on meanwhile: told before it is asked
  }
}

void Conductor::learn(Outcome const& outcome, Answer answer) {
  auto const now = house_.clock.now();
  auto events = judge(*plan_, state_, TargetSeen{answer.found}, now);
  std::ranges::move(judge(*plan_, state_, outcome, now), std::back_inserter(events));
  if (events.empty()) {
    act();
    return;
  }
  record(std::move(events), answer);
}

// The events, and what has to be durable before the next thing is done, in one commit.
void Conductor::record(Events events, Answer const& answer) {
  auto const before = history_.revision;
  auto all = absorb(std::move(events));
  auto const now = house_.clock.now();
  auto const wanted = intent(*plan_, state_, now);
  if (auto next = announce(state_, wanted, now); !next.empty()) {
    checks_announced_ = std::holds_alternative<RunChecks>(wanted);
    auto announced = absorb(std::move(next));
    all.insert(all.end(), announced.begin(), announced.end());
  }
  if (mutant(Mutant::acts_before_recording)) {
    act();
  }
  crash_point(CrashPoint::facts_queued);
  record_soon(append_of(before, std::move(all), answer));
  if (house_.recorder.degraded()) {
    stop_meanwhile();
  }
}

void Conductor::record_soon(store::Append append) {
  ++pending_;
  house_.recorder.record_soon(std::move(append), [weak = weak_from_this()] {
    if (auto const self = weak.lock()) {
      self->go_on();
    }
  });
}

// Readers are told while the next thing is under way already.
void Conductor::go_on() {
  --pending_;
  crash_point(CrashPoint::facts_durable);
  act();
  house_.grown(id_);
}

Events Conductor::absorb(Events events) {
  for (auto const& event : events) {
    auto next = evolve(*plan_, state_, event);
    remember(*plan_, history_, state_, next, event);
    bool const ends = is_final(next.mode) && !is_final(state_.mode);
    bool const rests = is_final(next.mode) || next.mode == RunMode::pending;
    farewell_due_ = ends ? next.target != TargetIdentity{} : farewell_due_ && rests;
    state_ = std::move(next);
    if (auto const* looked = std::get_if<FingerprintTaken>(&event.body);
        looked != nullptr && looked->way_back) {
      write_ways_back();
    }
    house_.log(id_, event, state_.current ? plan_->label(*state_.current) : "");
  }
  return events;
}

store::Append Conductor::append_of(EventSeq before, Events events, Answer const& answer) const {
  return {.run = id_,
          .expected = before,
          .events = std::move(events),
          .summary = summary(),
          .fingerprints = answer.fingerprints};
}

// --- from the state to what is done

void Conductor::act() {
  if (pending_ > 0) {
    return;
  }
  auto const now = house_.clock.now();
  auto const wanted = intent(*plan_, state_, now);
  bool const idle = !runner_ || !runner_->busy();
  bool const checks = std::holds_alternative<RunChecks>(wanted);
  if (idle && !(checks && checks_announced_)) {
    if (auto events = announce(state_, wanted, now); !events.empty()) {
      record({}, {});
      return;
    }
  }
  alarm_.reset();
  std::visit([this](auto const& todo) { act(todo); }, wanted);
}

void Conductor::act(DoNothing const&) {
  if (std::exchange(farewell_due_, false)) {
    start(FarewellJob{});
    return;
  }
  // at rest no thread and no connection of ours is kept
  if (runner_ && !runner_->busy()) {
    runner_.reset();
  }
}

void Conductor::act(WaitUntil const& wanted) { wake_at(wanted.at); }

void Conductor::act(RecordBaselines const&) {
  start(BaselineJob{.tag = tag({}, Direction::forward, 0), .plan = plan_.get()});
}

void Conductor::act(RunChecks const& wanted) {
  checks_announced_ = false;
  CheckJob job{.stage = wanted.stage,
               .phase = wanted.phase,
               .which = wanted.which,
               .checks = {},
               .baselines = history_.baselines};
  auto const all = checks_of(*plan_, wanted.stage, wanted.phase);
  for (int const i : wanted.which) {
    job.checks.push_back(*all[i].check);
    job.checks.back().name = all[i].name;
  }
  start(std::move(job));
}

void Conductor::act(TakeFingerprint const& wanted) {
  FingerprintJob job{.way_back_of = wanted.way_back_of};
  if (wanted.way_back_of) {
    job.statements = std::get<SqlAction>(plan_->step(*wanted.way_back_of).forward).statements;
  }
  start(std::move(job));
}

void Conductor::act(RunStep const& wanted) {
  start(AttemptJob{.tag = tag(wanted.ref, wanted.direction, wanted.attempt),
                   .since_attempt = state_.at(wanted.ref).series,
                   .action = &action_of(*written_, wanted.ref, wanted.direction),
                   .fingerprint_after = fingerprint_after(wanted.ref, wanted.direction),
                   .waited = house_.clock.now() - state_.at(wanted.ref).first_try,
                   .throttle = state_.throttle});
}

void Conductor::act(ResolveDoubt const& wanted) {
  start(DoubtJob{.tag = tag(wanted.ref, wanted.direction, wanted.attempt),
                 .since_attempt = state_.at(wanted.ref).series,
                 .action = &action_of(*written_, wanted.ref, wanted.direction),
                 .fingerprint_after = fingerprint_after(wanted.ref, wanted.direction)});
  if (state_.interrupt) {
    runner_->stop(StopMode::now);  // a session left behind is ended, then asked about
  }
}

void Conductor::act(Quiesce const& wanted) {
  if (mutant(Mutant::paused_while_active)) {
    learn(Quiesced{}, {});
    return;
  }
  if (!runner_ || !runner_->busy()) {
    learn(state_.trying ? never_begun(state_) : Quiesced{}, {});
    return;
  }
  runner_->stop(wanted.mode);
  if (wanted.escalate_at) {
    wake_at(*wanted.escalate_at);
  }
}

void Conductor::start(Job job) {
  if (runner_ && runner_->busy()) {
    return;  // its answer brings us back here
  }
  if (!runner_) {
    auto const weak = weak_from_this();
    StepRunner::Callbacks callbacks{.answered =
                                        [weak](Answer answer) {
                                          if (auto const self = weak.lock()) {
                                            self->answered(std::move(answer));
                                          }
                                        },
                                    .seen =
                                        [weak] {
                                          if (auto const self = weak.lock()) {
                                            ++self->live_changes_;
                                            self->house_.grown(self->id_);
                                          }
                                        }};
    runner_ = std::make_unique<StepRunner>(
        house_.io,
        StepRunner::Access{.target = [this_target = history_.target,
                                      lookup = house_.target] { return lookup(this_target); },
                           .fences = house_.fences,
                           .run = id_.text,
                           .plan = plan_->name,
                           .name = session_name(house_.store_id, id_.text)},
        std::move(callbacks));
  }
  runner_->start(std::move(job), expected(), house_.chance.jitter());
}

void Conductor::answered(Answer answer) {
  ++live_changes_;
  if (answer.outcome) {
    auto outcome = std::move(*answer.outcome);
    add_difference(outcome, answer);
    if (auto* read = std::get_if<BaselinesRead>(&outcome)) {
      look_who_is_there(*read);
    }
    learn(outcome, std::move(answer));
    return;
  }
  act();
}

// Two names of the configuration may lead to one database: only the server tells.
void Conductor::look_who_is_there(BaselinesRead& read) {
  if (auto taken = house_.taken(id_, read.target); !taken.empty()) {
    read.failure = SqlFailure{.sqlstate = "", .message = std::move(taken), .statement = ""};
    read.failed_name = "target fence";
  }
  farewell_due_ = read.failure && read.target != TargetIdentity{};
}

void Conductor::wake_at(Moment moment) {
  alarm_ = house_.clock.wake_at(moment, [weak = weak_from_this()] {
    if (auto const self = weak.lock()) {
      self->learn(TimeReached{}, {});
    }
  });
}

AttemptTag Conductor::tag(StepRef ref, Direction direction, int attempt) const {
  return {.store = house_.store_id,
          .run = id_.text,
          .ref = ref,
          .direction = direction,
          .attempt = attempt,
          .label = plan_->label(ref)};
}

// Going back the schema is always compared; going forward it is read where it may have changed.
bool Conductor::fingerprint_after(StepRef ref, Direction direction) const {
  return direction == Direction::backward || changes_schema(action_of(*plan_, ref, direction));
}

// What a marker in the target should prove: the steps that a statement of ours has ended.
Expected Conductor::expected() const {
  Expected expected{
      .target = state_.target, .finished = {}, .known = {}, .taken_from = state_.taken_from};
  for (int p = 0; p < std::ssize(plan_->phases); ++p) {
    for (int i = 0; i < std::ssize(plan_->phases[p].steps); ++i) {
      StepRef const ref{.phase = p, .step = i};
      expected.known.push_back({.ref = ref, .attempts = state_.at(ref).attempts});
      if (auto const ended = ended_on_target(*plan_, state_, ref)) {
        expected.finished.push_back({.ref = ref, .direction = *ended});
      }
    }
  }
  return expected;
}

// Bodies of schemas are not the machine's business: it compares digests of how they differ.
void Conductor::add_difference(Outcome& outcome, Answer const& answer) const {
  if (state_.direction != Direction::backward || !state_.current) {
    return;
  }
  auto const& before = state_.at(*state_.current).before.text();
  auto const from = [&](std::string const& now) -> std::string {
    if (before.empty() || now.empty() || now == before) {
      return "";
    }
    auto const known = house_.journal.fingerprint_body(before);
    auto const read =
        std::ranges::find(answer.fingerprints, now, [](auto const& taken) { return taken.first; });
    if (!known || read == answer.fingerprints.end()) {
      return "";
    }
    return digest_text(fingerprint_diff(*known, read->second));
  };
  if (auto* read = std::get_if<FingerprintRead>(&outcome)) {
    read->difference = from(read->digest);
  } else if (auto* ended = std::get_if<AttemptEnded>(&outcome)) {
    ended->difference = from(ended->fingerprint);
  } else if (auto* doubt = std::get_if<DoubtAnswered>(&outcome)) {
    doubt->difference = from(doubt->fingerprint);
  }
}

std::string const& Conductor::mismatch_diff() const {
  auto& [expected, actual, diff] = shown_mismatch_;
  if (expected != history_.mismatch_expected || actual != history_.mismatch_actual) {
    shown_mismatch_ = {history_.mismatch_expected, history_.mismatch_actual, ""};
  }
  if (state_.mismatch && diff.empty()) {
    auto const before = house_.journal.fingerprint_body(expected);
    auto const after = house_.journal.fingerprint_body(actual);
    diff = before && after ? fingerprint_diff(*before, *after) : "";
  }
  return diff;
}

}  // namespace runbookd::daemon
