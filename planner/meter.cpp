#include "planner/meter.h"

#include <algorithm>
#include <utility>

#include "planner/run_rules.h"

namespace runbookd::planner {
namespace {

constexpr std::string_view no_lock = "55P03";

Verdict worst_of(ChecksJudged const& judged) {
  if (judged.passed) {
    return Verdict::passed;
  }
  auto const is_error = [](CheckResult const& result) { return result.verdict == Verdict::error; };
  return std::ranges::any_of(judged.results, is_error) ? Verdict::error : Verdict::failed;
}

// One event of a run whose earlier events left this behind.
struct Reading {
  Plan const& plan;
  Moment at;
  std::optional<Moment>& try_began;
  std::optional<Moment>& pause_asked;
  std::vector<Figure> figures = {};

  template <typename Body>
  void end(Body const& body, Direction direction, std::string_view result) {
    if (!known(plan, body.ref)) {
      return;
    }
    auto const& action = action_of(plan, body.ref, direction);
    TryEnded ended{
        .phase = plan.phases[body.ref.phase].kind, .kind = kind_of(action), .result = result};
    if (auto const began = std::exchange(try_began, std::nullopt); began && result != "lost") {
      ended.took = std::max(at - *began, Duration{});
    }
    if constexpr (requires { body.lock_wait; }) {
      if (runs_on_target(action)) {
        ended.lock_wait = body.lock_wait;
      }
    }
    if constexpr (requires { body.failure; }) {
      ended.lock_timeout = body.failure.sqlstate == no_lock;
    }
    figures.push_back(ended);
  }

  void operator()(StepSucceeded const& body) { end(body, body.direction, "succeeded"); }
  void operator()(StepRetryScheduled const& body) { end(body, body.direction, "retry_scheduled"); }
  void operator()(StepFailed const& body) { end(body, body.direction, "failed"); }
  void operator()(StepInterrupted const& body) { end(body, body.direction, "interrupted"); }
  void operator()(OutcomeLost const& body) { end(body, body.direction, "lost"); }
  // Seen again and again while nobody mends it; the try has ended once.
  void operator()(FingerprintMismatched const& body) {
    if (try_began) {
      end(body, Direction::backward, "mismatch");
    }
  }
  void operator()(ChecksJudged const& body) {
    figures.push_back(StageJudged{.stage = body.stage, .verdict = worst_of(body)});
  }
  void operator()(PauseRequested const&) { pause_asked = pause_asked.value_or(at); }
  void operator()(RunPaused const&) {
    if (auto const asked = std::exchange(pause_asked, std::nullopt)) {
      figures.push_back(PauseReached{.latency = std::max(at - *asked, Duration{})});
    }
  }
  // A step that failed on the way to a safe point has ended that pause: whoever moves the run on
  // knows of it.
  void operator()(RunResumed const&) { pause_asked.reset(); }
  void operator()(RetryRequested const&) { pause_asked.reset(); }
  void operator()(EvaluationRequested const&) { pause_asked.reset(); }
  void operator()(RollbackStarted const&) { pause_asked.reset(); }
  void operator()(CancelRequested const&) { pause_asked.reset(); }
  void operator()(StepSkipped const&) { pause_asked.reset(); }
  void operator()(StepResolved const&) { pause_asked.reset(); }
  template <typename Other>
  void operator()(Other const&) {}
};

}  // namespace

std::vector<Figure> Meter::take(Plan const& plan, Event const& event) {
  if (auto const* started = std::get_if<StepStarted>(&event.body)) {
    begun(*started, event.at);
    return {};
  }
  Reading reading{
      .plan = plan, .at = event.at, .try_began = try_began_, .pause_asked = pause_asked_};
  std::visit(reading, event.body);
  std::visit(
      [&](auto const& body) {
        if constexpr (requires { body.filled->changed; }) {
          if (body.filled) {
            reading.figures.push_back(filled(body.ref, body.filled->changed));
          }
        }
      },
      event.body);
  if (auto const* done = std::get_if<StepSucceeded>(&event.body);
      done != nullptr && done->direction == Direction::backward) {
    fills_.erase(done->ref);
  }
  return std::move(reading.figures);
}

void Meter::begun(StepStarted const& body, Moment at) {
  try_began_ = at;
  // a series of tries ends where the step turns round, and the next one counts from nothing
  if (auto& fill = fills_[body.ref]; fill.direction != body.direction) {
    fill = {.direction = body.direction};
  }
}

RowsFilled Meter::filled(StepRef ref, std::int64_t changed) {
  auto& told = fills_[ref].told;
  auto const more = std::max<std::int64_t>(changed - told, 0);
  told += more;
  return {.rows = more};
}

}  // namespace runbookd::planner
