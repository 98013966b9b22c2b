#include "daemon/metrics.h"

#include <algorithm>
#include <utility>

#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include "daemon/metric_gauges.h"
#include "daemon/metric_table.h"
#include "planner/run_mode.h"
#include "web/server.h"

namespace runbookd::daemon {
namespace {

using namespace planner;
using prometheus::Counter;
using prometheus::Family;
using prometheus::Histogram;
using Buckets = Histogram::BucketBoundaries;

Buckets const of_steps{0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3'600, 14'400, 86'400};
Buckets const of_lock_waits{0.01, 0.05, 0.1, 0.2, 0.5, 1, 5, 15, 60, 300, 600};
Buckets const of_pauses{0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300};
Buckets const of_commits{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5};
Buckets const of_answers{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 20};

template <typename Span>
double seconds(Span span) {
  return std::chrono::duration<double>(span).count();
}

// 2xx, 4xx …: every status of its own would be a series of its own.
std::string class_of(int status) { return std::to_string(status / 100) + "xx"; }

struct Meted {
  std::shared_ptr<Plan const> plan;
  std::string target;
  RunMode mode = RunMode::pending;
  Moment counted_until{};
  Meter meter;
};

}  // namespace

struct Metrics::Parts {
  prometheus::Registry registry;
  Family<Counter>& machine_seconds = counter(Metric::machine_seconds);
  Family<Counter>& human_seconds = counter(Metric::human_seconds);
  Family<Counter>& step_attempts = counter(Metric::step_attempts);
  Family<Counter>& lock_timeouts = counter(Metric::lock_timeouts);
  Family<Counter>& backfill_rows = counter(Metric::backfill_rows);
  Family<Counter>& gate_evaluations = counter(Metric::gate_evaluations);
  Family<Histogram>& step_duration = histogram(Metric::step_duration);
  Family<Histogram>& lock_wait = histogram(Metric::lock_wait);
  Family<Histogram>& pause_latency = histogram(Metric::pause_latency);
  Family<Histogram>& store_write = histogram(Metric::store_write);
  Family<Histogram>& http_request = histogram(Metric::http_request);
  std::map<RunId, Meted> runs;
  std::function<int()> streams = [] { return 0; };

  Family<Counter>& counter(Metric metric) {
    auto const& words = words_of(metric);
    return prometheus::BuildCounter()
        .Name(std::string(words.name))
        .Help(std::string(words.help))
        .Register(registry);
  }
  Family<Histogram>& histogram(Metric metric) {
    auto const& words = words_of(metric);
    return prometheus::BuildHistogram()
        .Name(std::string(words.name))
        .Help(std::string(words.help))
        .Register(registry);
  }

  void tally(Meted const& run, TryEnded const& ended) {
    step_attempts
        .Add({{"target", run.target},
              {"phase_kind", std::string(to_text(ended.phase))},
              {"kind", std::string(ended.kind)},
              {"result", std::string(ended.result)}})
        .Increment();
    if (ended.took) {
      step_duration.Add({{"target", run.target}, {"kind", std::string(ended.kind)}}, of_steps)
          .Observe(seconds(*ended.took));
    }
    if (ended.lock_wait) {
      lock_wait.Add({{"target", run.target}}, of_lock_waits).Observe(seconds(*ended.lock_wait));
    }
    if (ended.lock_timeout) {
      lock_timeouts.Add({{"target", run.target}}).Increment();
    }
  }
  void tally(Meted const& run, StageJudged const& judged) {
    gate_evaluations
        .Add({{"target", run.target},
              {"stage", std::string(to_text(judged.stage))},
              {"result", std::string(to_text(judged.verdict))}})
        .Increment();
  }
  void tally(Meted const& run, PauseReached const& reached) {
    pause_latency.Add({{"target", run.target}}, of_pauses).Observe(seconds(reached.latency));
  }
  void tally(Meted const& run, RowsFilled const& filled) {
    backfill_rows.Add({{"target", run.target}}).Increment(static_cast<double>(filled.rows));
  }

  // Time goes on between events too: it is told up to the moment of the scrape.
  void count_time(Meted& run, Moment now) {
    auto const time = std::max(now - run.counted_until, Duration{});
    run.counted_until = now;
    switch (turn_of(run.mode)) {
      case Turn::machine:
        machine_seconds.Add({{"target", run.target}}).Increment(seconds(time));
        return;
      case Turn::human:
        human_seconds.Add({{"target", run.target}}).Increment(seconds(time));
        return;
      case Turn::nobody:
        return;
    }
  }

  // So that the first increase is seen as one.
  void begin_target(std::string const& target) {
    for (auto* family : {&machine_seconds, &human_seconds, &lock_timeouts, &backfill_rows}) {
      family->Add({{"target", target}});
    }
  }
};

Metrics::Metrics() : parts_(std::make_unique<Parts>()) {}
Metrics::~Metrics() = default;

void Metrics::meet(RunFacts const& run, std::shared_ptr<Plan const> plan, Events const& events,
                   Moment now) {
  Meted meted{.plan = std::move(plan),
              .target = run.history->target,
              .mode = run.state->mode,
              .counted_until = now,
              .meter = {}};
  for (auto const& event : events) {
    (void)meted.meter.take(*meted.plan, event);
  }
  parts_->runs.insert_or_assign(run.id, std::move(meted));
}

void Metrics::forget(RunId const& run) { parts_->runs.erase(run); }

void Metrics::recorded(std::vector<store::Append> const& appends,
                       std::chrono::steady_clock::duration took, Moment now) {
  parts_->store_write.Add({}, of_commits).Observe(seconds(took));
  for (auto const& append : appends) {
    auto const found = parts_->runs.find(append.run);
    if (found == parts_->runs.end()) {
      continue;  // its first event: it was only made
    }
    auto& run = found->second;
    for (auto const& event : append.events) {
      for (auto const& figure : run.meter.take(*run.plan, event)) {
        std::visit([&](auto const& one) { parts_->tally(run, one); }, figure);
      }
    }
    parts_->count_time(run, now);
    run.mode = mode_named(append.summary.state).value_or(run.mode);
  }
}

void Metrics::answered(web::AccessLine const& line) {
  if (line.streamed) {
    return;
  }
  bool const known = !line.route.empty();
  parts_->http_request
      .Add({{"method", known ? line.method : "other"},
            {"route", known ? std::string(line.route) : "none"},
            {"status", class_of(line.status)}},
           of_answers)
      .Observe(seconds(line.took));
}

void Metrics::count_streams_by(std::function<int()> count) { parts_->streams = std::move(count); }

std::string Metrics::text(Standing const& standing) {
  for (auto const& target : standing.targets) {
    parts_->begin_target(target);
  }
  for (auto const& facts : standing.runs) {
    auto const found = parts_->runs.find(facts.id);
    if (found != parts_->runs.end() && facts.live.progress && facts.state->current) {
      auto const changed = facts.live.progress->rows_changed;
      parts_->tally(found->second, found->second.meter.filled(*facts.state->current, changed));
    }
  }
  for (auto& [id, run] : parts_->runs) {
    parts_->count_time(run, standing.now);
  }
  auto families = gauges_of(standing, parts_->streams());
  std::ranges::move(parts_->registry.Collect(), std::back_inserter(families));
  std::erase_if(families, [](auto const& family) { return family.metric.empty(); });
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace runbookd::daemon
