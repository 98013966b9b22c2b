#include "daemon/metric_gauges.h"

#include <algorithm>

#include "daemon/metric_table.h"
#include "planner/machine.h"
#include "planner/pacing.h"

namespace runbookd::daemon {
namespace {

using namespace planner;
using Labels = std::map<std::string, std::string>;

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

// One family: of several values with the same labels, `merge` keeps one.
class Gauge {
 public:
  explicit Gauge(Metric metric) : metric_(metric) {}
  void set(Labels const& labels, double value) { values_[labels] = value; }
  void add(Labels const& labels, double value) { values_[labels] += value; }
  void raise(Labels const& labels, double value) {
    auto const [at, fresh] = values_.try_emplace(labels, value);
    at->second = std::max(at->second, value);
  }
  void lower(Labels const& labels, double value) {
    auto const [at, fresh] = values_.try_emplace(labels, value);
    at->second = std::min(at->second, value);
  }
  prometheus::MetricFamily family() const {
    auto const& words = words_of(metric_);
    prometheus::MetricFamily family;
    family.name = words.name;
    family.help = words.help;
    family.type = prometheus::MetricType::Gauge;
    for (auto const& [labels, value] : values_) {
      prometheus::ClientMetric one;
      for (auto const& [name, text] : labels) {
        one.label.push_back({name, text});
      }
      one.gauge.value = value;
      family.metric.push_back(std::move(one));
    }
    return family;
  }

 private:
  Metric metric_;
  std::map<Labels, double> values_;
};

struct Gauges {
  Moment now;
  Gauge runs{Metric::runs}, info{Metric::run_info}, since{Metric::run_state_since};
  Gauge approvals{Metric::approvals_pending}, blocked{Metric::blocked_sessions};
  Gauge standstill{Metric::standstill}, unreachable{Metric::target_unreachable};
  Gauge eta{Metric::backfill_eta};

  void target(std::string const& name) {
    for (auto* gauge : {&approvals, &blocked, &unreachable}) {
      gauge->set({{"target", name}}, 0);
    }
    for (auto const* reason : {"lock", "throttle"}) {
      standstill.set({{"target", name}, {"reason", reason}}, 0);
    }
  }

  void run(RunFacts const& facts) {
    auto const& name = facts.history->target;
    Labels const target{{"target", name}};
    std::string const state{to_text(facts.state->mode)};
    info.set(
        {{"run", facts.id.text}, {"plan", facts.plan->name}, {"target", name}, {"state", state}},
        1);
    since.lower({{"target", name}, {"state", state}},
                seconds(facts.history->state_since.time_since_epoch()));
    approvals.add(target, lacks_approval(facts) ? 1 : 0);
    blocked.add(target, facts.live.behind ? facts.live.behind->sessions : 0);
    bool const is_late = facts.state->in_doubt && facts.state->ask_doubt_at.has_value();
    unreachable.raise(target, !facts.live.unreachable.empty() || is_late ? 1 : 0);
    work(name, facts.live);
  }

 private:
  bool lacks_approval(RunFacts const& facts) const {
    if (facts.state->mode != RunMode::waiting || facts.state->stage != Stage::gate) {
      return false;
    }
    auto const needs = gate_needs(*facts.plan, *facts.state, now);
    return std::ranges::find(needs, "approval", &GateNeed::kind) != needs.end();
  }

  void work(std::string const& target, Live const& live) {
    standstill.raise({{"target", target}, {"reason", "lock"}}, seconds(live.waiting));
    if (live.throttling && live.throttling->speed.stopped()) {
      standstill.raise({{"target", target}, {"reason", "throttle"}},
                       seconds(std::max(now - live.throttling->speed.since, Duration{})));
    }
    if (auto const left = live.progress ? planner::eta(*live.progress) : std::nullopt) {
      eta.raise({{"target", target}, {"bound", "soonest"}}, seconds(left->soonest));
      eta.raise({{"target", target}, {"bound", "latest"}}, seconds(left->latest));
    }
  }
};

Gauge single(Metric metric, double value, Labels const& labels = {}) {
  Gauge gauge{metric};
  gauge.set(labels, value);
  return gauge;
}

}  // namespace

std::vector<prometheus::MetricFamily> gauges_of(Standing const& standing, int event_streams) {
  Gauges gauges{.now = standing.now};
  for (auto const& [state, count] : standing.runs_by_state) {
    gauges.runs.set({{"state", state}}, static_cast<double>(count));
  }
  for (auto const& target : standing.targets) {
    gauges.target(target);
  }
  for (auto const& run : standing.runs) {
    gauges.run(run);
  }
  std::vector<prometheus::MetricFamily> families;
  for (auto const& gauge :
       {single(Metric::build_info, 1, {{"version", standing.version}}), gauges.runs, gauges.info,
        gauges.since, gauges.approvals, gauges.blocked, gauges.standstill, gauges.unreachable,
        gauges.eta, single(Metric::store_degraded, standing.store_degraded ? 1 : 0),
        single(Metric::hold_active, standing.held ? 1 : 0),
        single(Metric::event_streams, event_streams)}) {
    if (auto family = gauge.family(); !family.metric.empty()) {
      families.push_back(std::move(family));
    }
  }
  return families;
}

}  // namespace runbookd::daemon
