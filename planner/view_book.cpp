#include "planner/view_book.h"

#include <algorithm>

#include "planner/run_rules.h"

namespace runbookd::planner::view {
namespace {

bool same_place(SeenCheck const& seen, PlacedCheck const& placed) {
  return seen.stage == placed.stage && seen.phase == placed.phase && seen.index == placed.index;
}

}  // namespace

void make_room(Plan const& plan, History& history) {
  if (history.attempts.size() == plan.phases.size()) {
    return;
  }
  history.attempts.resize(plan.phases.size());
  for (std::size_t i = 0; i < plan.phases.size(); ++i) {
    history.attempts[i].resize(plan.phases[i].steps.size());
  }
}

std::vector<Attempt>& Book::attempts(StepRef ref) { return history.attempts[ref.phase][ref.step]; }

// Numbers are never used twice, so the number alone tells which.
Attempt& Book::attempt_of(StepRef ref, Direction direction, int number) {
  auto& all = attempts(ref);
  auto const found = std::find_if(all.rbegin(), all.rend(),
                                  [=](Attempt const& each) { return each.number == number; });
  if (found != all.rend()) {
    return *found;
  }
  all.push_back({.number = number, .direction = direction, .started = event.at});
  return all.back();
}

void Book::open(StepRef ref, Direction direction, int number) {
  if (known(plan, ref)) {
    attempts(ref).push_back({.number = number, .direction = direction, .started = event.at});
  }
}

Attempt* Book::ended(StepRef ref, Direction direction, int number, std::string const& result) {
  if (!known(plan, ref)) {
    return nullptr;
  }
  auto& attempt = attempt_of(ref, direction, number);
  attempt.result = result;
  attempt.ended = event.at;
  if (attempt.took == Duration{}) {
    attempt.took = event.at - attempt.started;
  }
  if (!event.actor.empty()) {
    attempt.actor = event.actor;
    attempt.reason = event.reason;
  }
  return &attempt;
}

void Book::close(StepRef ref) {
  if (!known(plan, ref) || attempts(ref).empty()) {
    return;
  }
  auto const& last = attempts(ref).back();
  if (last.result == "running") {
    ended(ref, last.direction, last.number, "interrupted");
  }
}

void Book::skipped(StepSkipped const& skip) {
  if (!known(plan, skip.ref)) {
    return;
  }
  close(skip.ref);
  attempts(skip.ref).push_back({.number = 0,
                                .direction = skip.direction,
                                .result = skip.reversed ? "accepted" : "skipped",
                                .started = event.at,
                                .ended = event.at,
                                .note = skip.reversed ? "the schema was taken as it is" : "",
                                .actor = event.actor,
                                .reason = event.reason});
}

void Book::judged(ChecksJudged const& judged) {
  auto const asked = checks_of(plan, judged.stage, judged.phase);
  for (std::size_t i = 0; i < std::min(judged.which.size(), judged.results.size()); ++i) {
    auto const which = judged.which[i];
    if (which < 0 || which >= std::ssize(asked)) {
      continue;
    }
    auto const& placed = asked[static_cast<std::size_t>(which)];
    std::erase_if(history.checks, [&](SeenCheck const& seen) { return same_place(seen, placed); });
    history.checks.push_back({.stage = placed.stage,
                              .phase = placed.phase,
                              .index = placed.index,
                              .result = judged.results[i],
                              .at = event.at});
  }
}

}  // namespace runbookd::planner::view
