#include "tests/model/properties.h"

#include <algorithm>
#include <set>

#include "planner/event_json.h"
#include "planner/run_rules.h"

namespace runbookd::tests {

using namespace planner;

namespace {

bool at_rest(RunMode mode) {
  return is_final(mode) || mode == RunMode::paused || mode == RunMode::failed ||
         mode == RunMode::waiting || mode == RunMode::pending || mode == RunMode::attention;
}

template <typename T>
bool wants(Plan const& plan, Node const& node) {
  return std::holds_alternative<T>(intent(plan, node.state, node.world.now));
}

// Steps whose truth the run claims to know, against what the database holds.
bool beliefs_are_true(Plan const& plan, Node const& node) {
  for (int p = 0; p < std::ssize(plan.phases); ++p) {
    for (int i = 0; i < std::ssize(plan.phases[p].steps); ++i) {
      StepRef const ref{.phase = p, .step = i};
      if (!runs_on_target(plan.step(ref).forward)) {
        continue;
      }
      if (std::ranges::find(node.state.lost, ref) != node.state.lost.end()) {
        continue;  // a failover has put it in doubt, and everybody is told
      }
      auto const& step = node.state.at(ref);
      bool const there = node.world.applied.contains(ref);
      bool const undone_on_target = runs_on_target(plan.step(ref).backward);
      if (step.status == StepStatus::succeeded && !there) {
        return false;
      }
      bool const claims_absent =
          step.status == StepStatus::pending || step.status == StepStatus::reverted;
      if (claims_absent && there && undone_on_target && step.attempts > 0) {
        return false;
      }
    }
  }
  return true;
}

bool gates_before_are_passed(RunState const& state, int phase) {
  return std::all_of(state.completed_at.begin(), state.completed_at.begin() + phase,
                     [](Moment at) { return at != Moment{}; });
}

// All that opens the gate before a phase, counted from the plan itself.
std::ptrdiff_t evidence_for(Plan const& plan, int phase) {
  auto const own = std::ssize(plan.phases[phase].requirements);
  if (phase == 0) {
    return own;
  }
  auto const& shown = plan.phases[phase - 1];
  return own + std::ssize(shown.validate) + std::ssize(shown.watch);
}

// Everything of a pass passed, but for what two people have agreed to go past.
bool passed_but_for_overrides(Plan const& plan, RunState const& before,
                              ChecksJudged const& judged) {
  auto const asked = checks_of(plan, judged.stage, judged.phase);
  for (std::size_t i = 0; i < judged.results.size(); ++i) {
    CheckPlace const place = asked[static_cast<std::size_t>(judged.which[i])];
    if (judged.results[i].verdict != Verdict::passed && !before.overridden.contains(place)) {
      return false;
    }
  }
  return true;
}

// From a gate to the phase's steps only one pass leads in which everything was judged and passed,
// or two people.
bool begins_on_fresh_evidence(Plan const& plan, RunState const& before, Event const& event) {
  auto const after = evolve(plan, before, event);
  bool const begins = before.stage == Stage::requirements && after.stage > Stage::requirements &&
                      before.phase == after.phase;
  if (!begins) {
    return true;
  }
  if (auto const* passed_over = std::get_if<Overridden>(&event.body)) {
    return before.mode == RunMode::failed && before.checks_failed && !passed_over->checks.empty();
  }
  auto const* judged = std::get_if<ChecksJudged>(&event.body);
  return judged != nullptr && judged->passed && judged->stage == CheckStage::requirements &&
         judged->phase == before.phase &&
         std::ssize(std::set(judged->which.begin(), judged->which.end())) ==
             evidence_for(plan, before.phase) &&
         std::ssize(judged->results) == std::ssize(judged->which) &&
         passed_but_for_overrides(plan, before, *judged);
}

struct EventRules {
  Plan const& plan;
  RunState const& before;  // the state right before this event
  std::string const& actor;
  std::vector<std::string>& broken;

  void operator()(StepStarted const& e) const {
    if (before.trying) {
      broken.emplace_back("at most one attempt is in flight");
    }
    if (before.mode != RunMode::running) {
      broken.emplace_back("only a running run starts a step");
    }
    if (before.direction != e.direction) {
      broken.emplace_back("no forward step while a rollback is under way");
    }
    if (e.attempt != before.at(e.ref).attempts + 1) {
      broken.emplace_back("attempt numbers are never used twice");
    }
    if (e.direction == Direction::forward && !gates_before_are_passed(before, e.ref.phase)) {
      broken.emplace_back("no step of a phase before the gates before it");
    }
    if (e.direction == Direction::backward && !plan.step(e.ref).reversible()) {
      broken.emplace_back("nothing irreversible is reversed");
    }
    if (e.direction == Direction::forward && before.fingerprint.empty() &&
        before.at(e.ref).before.empty()) {
      broken.emplace_back("the schema is looked at before a step changes it");
    }
    bool const told = std::holds_alternative<AutoAction>(plan.step(e.ref).backward);
    if (e.direction == Direction::forward && told && !before.at(e.ref).way_back) {
      broken.emplace_back("what the catalog tells of the way back is recorded before the step");
    }
  }
  void operator()(PhaseEntered const& e) const {
    auto const& approval = plan.phases[e.phase].approval;
    bool const by_two = before.gate_overridden.has_value();
    if (approval && std::ssize(before.approvers) < approval->count && !by_two) {
      broken.emplace_back("no phase is entered without its approvals");
    }
    if (!gates_before_are_passed(before, e.phase)) {
      broken.emplace_back("no phase is entered before the one before it is done");
    }
    auto const after = evolve(plan, before, Event{.body = e});
    if (evidence_for(plan, e.phase) > 0 && after.stage != Stage::requirements) {
      broken.emplace_back("a gate opens on fresh evidence: what was seen before it is old");
    }
  }
  void operator()(Overridden const& e) const {
    auto const& asked = before.override_asked;
    if (!asked || asked->by != e.asked_by || asked->by == actor || actor == before.creator) {
      broken.emplace_back("nobody goes past a gate without a second person");
    }
  }
  void operator()(RunPaused const&) const {
    if (before.trying) {
      broken.emplace_back("paused means that nothing is in flight");
    }
  }
  void operator()(auto const&) const {}
};

}  // namespace

std::vector<std::string> broken_rules(Plan const& plan, Node const& node) {
  std::vector<std::string> broken;
  auto const& state = node.state;
  if (at_rest(state.mode) && !wants<DoNothing>(plan, node)) {
    broken.emplace_back("a run at rest wants nothing");
  }
  if (at_rest(state.mode) && state.trying) {
    broken.emplace_back("a run at rest has no attempt in flight");
  }
  bool const working = !at_rest(state.mode);
  if (state.in_doubt && working && !wants<ResolveDoubt>(plan, node) &&
      !wants<WaitUntil>(plan, node) && !wants<Quiesce>(plan, node)) {
    broken.emplace_back("in doubt nothing but the doubt is worked on");
  }
  if (state.mode == RunMode::running && wants<DoNothing>(plan, node)) {
    broken.emplace_back("a running run always has something to do or to wait for");
  }
  if (state.mode == RunMode::rolled_back && executed_anything(state)) {
    broken.emplace_back("rolled back means that nothing executed is left");
  }
  if (!state.in_doubt && !state.trying && !beliefs_are_true(plan, node)) {
    broken.emplace_back("what is called done is there, what is called undone is not");
  }
  return broken;
}

std::vector<std::string> broken_rules(Plan const& plan, Node const& before, Move const& move) {
  std::vector<std::string> broken;
  if (move.refused && !move.events.empty()) {
    broken.emplace_back("a refusal leaves no event");
  }
  if (move.refused && move.error.detail.empty()) {
    broken.emplace_back("a refusal says why");
  }
  auto state = before.state;
  for (auto const& event : move.events) {
    std::visit(EventRules{.plan = plan, .before = state, .actor = event.actor, .broken = broken},
               event.body);
    if (!begins_on_fresh_evidence(plan, state, event)) {
      broken.emplace_back("a phase begins when all that opens its gate has passed in one pass");
    }
    state = evolve(plan, state, event);
  }
  if (state != move.next.state) {
    broken.emplace_back("the state is the fold of its events");
  }
  if (move.name == "throttle" && !move.refused) {
    auto as_before = move.next.state;
    as_before.throttle = before.state.throttle;
    if (as_before != before.state) {
      broken.emplace_back("a throttle changes nothing but the speed");
    }
  }
  bool const fenced = move.name == "attempt fenced" || move.name.starts_with("failover");
  if (fenced && !move.events.empty() && move.next.state.mode == RunMode::running) {
    broken.emplace_back("whoever was fenced or saw a failover does not go on by itself");
  }
  if (!before.state.lost.empty() && move.next.state.mode == RunMode::running) {
    broken.emplace_back("nothing goes on before a person has settled what a failover took away");
  }
  bool const reopened = before.state.mode == RunMode::succeeded && move.name == "rollback";
  if (is_final(before.state.mode) && !move.events.empty() && !reopened) {
    broken.emplace_back("a final run stays as it is; only a succeeded one can be rolled back");
  }
  return broken;
}

std::vector<std::string> broken_offers(Plan const& plan, Node const& node,
                                       std::vector<Move> const& moves) {
  std::vector<std::string> broken;
  for (auto const& verb : actions(plan, node.state, node.world.now)) {
    bool const changes = std::ranges::any_of(moves, [&](Move const& move) {
      return move.is_command && move.name == verb.verb && !move.events.empty();
    });
    // the world has two people, and a third one could still sign
    bool const all_signed = verb.verb == "approve" && !node.state.approvers.empty();
    // only who has said something may take it back
    bool const is_anothers = verb.verb == "withdraw" && changes;
    if (verb.allowed != changes && !all_signed && !is_anothers) {
      broken.push_back(verb.verb + (changes ? " changes something and is not offered"
                                            : " is offered and changes nothing"));
    }
    if (verb.allowed != verb.why_not.empty()) {
      broken.push_back(verb.verb + ": whatever is not offered has a reason");
    }
  }
  return broken;
}

bool survives_storage(Event const& event) {
  auto const json = body_to_json(event.body);
  auto const read = body_from_json(kind_of(event.body), json);
  return read && body_to_json(*read) == json;
}

}  // namespace runbookd::tests
