// Which events the core would make by itself.
#include <algorithm>
#include <map>

#include "planner/machine.h"
#include "tests/chaos/oracle_parts.h"
#include "tests/model/properties.h"

namespace runbookd::chaos {

using namespace planner;

namespace {

// The outcomes that could have led to an event of the daemon's own.
struct Outcomes {
  RunState const& state;
  EventBody const* next = nullptr;  // of the event after it
  std::vector<Outcome> found;

  AttemptEnded ended(auto const& e, AttemptEnd end) const {
    return {.ref = e.ref, .direction = e.direction, .attempt = e.attempt, .end = end};
  }
  std::string schema_before(StepRef ref, bool traceless) const {
    return traceless ? state.at(ref).before.text() : "";
  }

  void operator()(BaselinesRecorded const& e) {
    found.emplace_back(BaselinesRead{.values = e.values, .findings = e.findings});
  }
  // Where the run works is told together with what was read there.
  void operator()(TargetIdentified const& e) {
    auto const* read = next == nullptr ? nullptr : std::get_if<BaselinesRecorded>(next);
    if (read != nullptr) {
      found.emplace_back(
          BaselinesRead{.values = read->values, .target = e.target, .findings = read->findings});
    }
  }
  void operator()(BaselinesFailed const& e) {
    if (e.findings.empty()) {
      found.emplace_back(BaselinesRead{.failure = e.failure, .failed_name = e.name});
    } else {
      found.emplace_back(BaselinesRead{.findings = e.findings});
    }
  }
  void operator()(ChecksJudged const& e) {
    found.emplace_back(
        ChecksRun{.stage = e.stage, .phase = e.phase, .which = e.which, .results = e.results});
  }
  void operator()(FingerprintTaken const& e) {
    found.emplace_back(FingerprintRead{.digest = e.digest, .way_back = e.way_back});
  }
  void operator()(FingerprintFailed const& e) {
    found.emplace_back(
        FingerprintRead{.digest = "", .failure = e.failure, .way_back_of = e.way_back_of});
  }
  void operator()(FingerprintMismatched const& e) {
    found.emplace_back(FingerprintRead{.digest = e.actual, .difference = e.difference});
    AttemptEnded end{.ref = e.ref, .direction = Direction::backward, .attempt = e.attempt};
    end.fingerprint = e.actual;
    end.difference = e.difference;
    found.emplace_back(end);
    found.emplace_back(DoubtAnswered{.ref = e.ref,
                                     .direction = Direction::backward,
                                     .attempt = e.attempt,
                                     .answer = Doubt::applied,
                                     .fingerprint = e.actual,
                                     .difference = e.difference});
  }
  void operator()(StepSucceeded const& e) {
    auto end = ended(e, AttemptEnd::done);
    end.rows = e.rows;
    end.took = e.took;
    end.lock_wait = e.lock_wait;
    end.filled = e.filled;
    end.fingerprint = e.fingerprint;
    end.note = e.note;
    found.emplace_back(end);
    found.emplace_back(TimeReached{});
    found.emplace_back(FingerprintRead{.digest = e.fingerprint});
    for (auto const& difference : state.accepted) {  // differs, as a person has accepted before
      end.difference = difference;
      found.emplace_back(end);
      found.emplace_back(FingerprintRead{.digest = e.fingerprint, .difference = difference});
    }
  }
  void operator()(StepFailed const& e) {
    for (auto const how : {AttemptEnd::failed, AttemptEnd::busy}) {
      auto end = ended(e, how);
      end.failure = e.failure;
      end.blockers = e.blockers;
      end.took = e.took;
      end.lock_wait = e.lock_wait;
      end.filled = e.filled;
      end.fingerprint = schema_before(e.ref, e.traceless);
      found.emplace_back(end);
    }
  }
  void operator()(StepInterrupted const& e) {
    for (auto const how : {AttemptEnd::interrupted, AttemptEnd::busy}) {
      auto end = ended(e, how);
      end.note = e.why;
      end.filled = e.filled;
      end.fingerprint = schema_before(e.ref, e.traceless);
      found.emplace_back(end);
    }
  }
  void operator()(OutcomeLost const& e) {
    auto end = ended(e, AttemptEnd::lost);
    end.note = e.why;
    end.filled = e.filled;
    found.emplace_back(end);
  }
  void operator()(DoubtSettled const& e) {
    DoubtAnswered answer{.ref = e.ref,
                         .direction = e.direction,
                         .attempt = e.attempt,
                         .answer = e.answer,
                         .evidence = e.evidence,
                         .fingerprint = e.fingerprint,
                         .filled = e.filled};
    found.emplace_back(answer);
    for (auto const& difference : state.accepted) {
      answer.difference = difference;
      found.emplace_back(answer);
    }
  }
  void operator()(DoubtDeferred const& e) {
    found.emplace_back(DoubtUnanswered{.ref = e.ref, .failure = e.failure});
  }
  void operator()(DaemonRestarted const&) { found.emplace_back(Restarted{}); }
  void operator()(auto const&) {
    found.emplace_back(TimeReached{});
    found.emplace_back(Quiesced{});
  }
};

// How long a try waits for its lock's next one is drawn by the daemon: taken from the event itself.
Events with_retry_of(Events events, Event const& recorded) {
  auto const* told = std::get_if<StepRetryScheduled>(&recorded.body);
  auto* made = events.empty() ? nullptr : std::get_if<StepRetryScheduled>(&events.front().body);
  if (told != nullptr && made != nullptr) {
    made->retry_at = told->retry_at;
  }
  return events;
}

Outcome busy_of(StepRetryScheduled const& e) {
  AttemptEnded end{.ref = e.ref,
                   .direction = e.direction,
                   .attempt = e.attempt,
                   .end = AttemptEnd::busy,
                   .took = e.took,
                   .lock_wait = e.lock_wait,
                   .failure = e.failure,
                   .blockers = e.blockers,
                   .filled = e.filled};
  return end;
}

// How many events from `at` on the core makes there by itself; 0 = it would make none of these.
std::ptrdiff_t foreseen_by_core(Record const& record, EventSeq at) {
  auto const& state = record.states[at];
  auto const& event = record.events[at];
  auto const announced = announce(state, intent(record.plan, state, event.at), event.at);
  if (stand_at(record, at, announced)) {
    return std::ssize(announced);
  }
  bool const last = at + 1 == record.revision();
  Outcomes outcomes{
      .state = state, .next = last ? nullptr : &record.events[at + 1].body, .found = {}};
  if (auto const* retry = std::get_if<StepRetryScheduled>(&event.body)) {
    outcomes.found.push_back(busy_of(*retry));
  } else {
    std::visit(outcomes, event.body);
  }
  for (auto const& outcome : outcomes.found) {
    auto const events = with_retry_of(judge(record.plan, state, outcome, event.at), event);
    if (stand_at(record, at, events)) {
      return std::ssize(events);
    }
  }
  return 0;
}

}  // namespace

std::vector<std::string> unforeseen_events(Record const& record, Heard const& heard) {
  std::vector<std::string> wrong;
  std::map<std::string, Exchange const*> by_actor;
  for (auto const& asked : heard.exchanges) {
    by_actor[asked.actor] = &asked;
  }
  for (EventSeq at = 0; at < record.revision();) {
    auto const& event = record.events[at];
    tests::Move move{
        .name = std::holds_alternative<RollbackStarted>(event.body) ? "rollback" : "journal",
        .events = {event},
        .next = {.state = record.states[at + 1], .world = {}}};
    for (auto const& rule :
         tests::broken_rules(record.plan, {.state = record.states[at], .world = {}}, move)) {
      wrong.push_back(event_words(record, at) + ": " + rule);
    }
    if (at == 0) {  // the run's creation
      ++at;
      continue;
    }
    if (!event.actor.empty()) {  // what it should have been is judged with its answer
      auto const asked = by_actor.find(event.actor);
      if (asked == by_actor.end()) {
        wrong.push_back(event_words(record, at) + ": nobody asked for this");
      }
      auto const command = asked == by_actor.end() ? std::nullopt : command_of(*asked->second);
      auto const decided =
          command ? decide(record.plan, record.states[at], *command, event.at) : Result<Events>();
      at += std::max<std::ptrdiff_t>(decided ? std::ssize(*decided) : 0, 1);
      continue;
    }
    auto const count = foreseen_by_core(record, at);
    if (count == 0) {
      wrong.push_back(event_words(record, at) + ": not what the core makes of any outcome");
    }
    at += std::max<std::ptrdiff_t>(count, 1);
  }
  return wrong;
}

}  // namespace runbookd::chaos
