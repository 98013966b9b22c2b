#include "planner/view_back.h"

#include <vector>

#include "planner/effects.h"
#include "planner/view_words.h"

namespace runbookd::planner::view {
namespace {

constexpr int newest_major = 18;

struct TakenBack {
  std::vector<StepRef> undone, standing, filled;  // filled: undone, but its values stay
};

TakenBack look(Plan const& plan, RunState const& state, StepRef to) {
  TakenBack found;
  for (int p = to.phase; p < std::ssize(state.steps); ++p) {
    for (int i = p == to.phase ? to.step : 0; i < std::ssize(state.steps[p]); ++i) {
      StepRef const ref{.phase = p, .step = i};
      auto const& step = plan.step(ref);
      if (state.at(ref).kept) {
        found.standing.push_back(ref);
      } else if (state.at(ref).status == StepStatus::reverted) {
        found.undone.push_back(ref);
        if (std::holds_alternative<BackfillAction>(step.forward) &&
            std::holds_alternative<NoAction>(step.backward)) {
          found.filled.push_back(ref);
        }
      }
    }
  }
  return found;
}

std::string labels(Plan const& plan, std::vector<StepRef> const& refs) {
  std::string text = refs.size() == 1 ? "step " : "steps ";
  for (std::size_t i = 0; i < refs.size(); ++i) {
    text += (i == 0 ? "" : ", ") + plan.label(refs[i]);
  }
  return text;
}

std::string destroyed_words(Plan const& plan, std::vector<StepRef> const& undone) {
  std::string text;
  for (auto const ref : undone) {
    for (auto const& what : destroyed_by(plan.step(ref))) {
      text += (text.empty() ? "" : ", ") + what + " (step " + plan.label(ref) + ")";
    }
  }
  return text.empty() ? "" : "; back only as far as the plan's reversals bring it: " + text;
}

std::string undone_words(Plan const& plan, TakenBack const& found, StepRef to) {
  bool const whole = to == StepRef{};
  auto const from = " from step " + step_label(plan, to) + " on";
  if (found.undone.empty()) {
    auto const why = found.standing.empty() ? "nothing had been done" : "nothing was taken back";
    auto const where = whole ? "" : from;
    return why + where + (found.standing.empty() ? ", so there was nothing to take back" : "");
  }
  if (!found.standing.empty()) {
    return labels(plan, found.undone) + (found.undone.size() == 1 ? " was" : " were") +
           " taken back";
  }
  return whole ? "everything that was done is taken back" : "everything" + from + " was taken back";
}

}  // namespace

std::vector<std::string> destroyed_by(Step const& step) {
  std::vector<std::string> all;
  if (auto const* action = std::get_if<SqlAction>(&step.forward)) {
    for (auto const& statement : action->statements) {
      for (auto const& loss : effects_of(statement, {}, newest_major).destructive) {
        all.push_back(loss.what);
      }
    }
  }
  return all;
}

std::string taken_back_words(Plan const& plan, RunState const& state, StepRef to) {
  auto const found = look(plan, state, to);
  auto text = undone_words(plan, found, to);
  if (!found.standing.empty()) {
    text += "; " + labels(plan, found.standing) +
            (found.standing.size() == 1 ? " stands: its reversal was left out"
                                        : " stand: their reversals were left out");
  }
  // a step before it that was taken back as well may have removed what it filled in
  bool const may_be_gone = !found.filled.empty() && found.undone.front() < found.filled.front();
  if (!found.filled.empty() && !may_be_gone) {
    text += "; the values that " + labels(plan, found.filled) + " filled in stay";
  }
  text += destroyed_words(plan, found.undone);
  if (!state.accepted.empty()) {
    text += "; the schema differs from what it was before, which a person has accepted";
  }
  return text;
}

std::string rollback_begun(History const& history) {
  auto const& by_whom = history.going_back;
  auto const after = history.cause.empty() ? "" : " after " + history.cause;
  auto const how = by_whom + (by_whom.empty() || after.empty() ? "" : ",") + after;
  return how.empty() ? "" : "; the rollback was begun" + how;
}

std::string rolling_back_words(History const& history) {
  auto const by_itself = history.going_back.empty() && !history.cause.empty();
  return "rolling back" + (by_itself ? ", because " + history.cause : history.going_back);
}

}  // namespace runbookd::planner::view
