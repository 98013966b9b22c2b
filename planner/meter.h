// What recorded events say in figures. Folded from all events of a run, since a beginning and its
// end are told by different ones. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "planner/event.h"
#include "planner/plan.h"

namespace runbookd::planner {

struct TryEnded {
  PhaseKind phase = PhaseKind::other;
  std::string_view kind;              // of the step: "sql", "backfill" …
  std::string_view result;            // as in an attempt of the API: "succeeded", "lost" …
  std::optional<Duration> took;       // nothing where nobody heard of its end
  std::optional<Duration> lock_wait;  // nothing where the database did not do the work
  bool lock_timeout = false;          // its locks were not to be had
  bool operator==(TryEnded const&) const = default;
};
struct StageJudged {  // one pass over checks; the worst verdict of them
  CheckStage stage = CheckStage::validation;
  Verdict verdict = Verdict::passed;
  bool operator==(StageJudged const&) const = default;
};
struct PauseReached {
  Duration latency{};  // from the wish until nothing of the run was in flight
  bool operator==(PauseReached const&) const = default;
};
struct RowsFilled {
  std::int64_t rows = 0;  // changed since they were last told of
  bool operator==(RowsFilled const&) const = default;
};
using Figure = std::variant<TryEnded, StageJudged, PauseReached, RowsFilled>;

class Meter {
 public:
  // Every event of the run, in order.
  std::vector<Figure> take(Plan const& plan, Event const& event);
  // Rows that the backfill under way has changed, by all tries of its series. What is recorded of
  // them later is not told twice.
  RowsFilled filled(StepRef ref, std::int64_t changed);

 private:
  struct Fill {
    Direction direction = Direction::forward;
    std::int64_t told = 0;
  };
  void begun(StepStarted const& body, Moment at);

  std::optional<Moment> try_began_, pause_asked_;
  std::map<StepRef, Fill> fills_;
};

}  // namespace runbookd::planner
