#include <map>

#include <nlohmann/json.hpp>

#include "planner/digest.h"
#include "planner/plan_reader.h"
#include "planner/size.h"
#include "planner/variables.h"

namespace runbookd::planner {
namespace {

using Json = nlohmann::json;  // its objects keep their keys sorted

Json text(std::string const& value) { return escape(value); }
Json text(Duration value) { return to_text(value); }
Json text(Cell const& cell) { return cell ? Json(escape(*cell)) : Json(nullptr); }

Json json(Step const& s);
Json json(Check const& c);
Json json(Phase const& p);

template <typename List>
Json list(List const& items) {
  Json array = Json::array();
  for (auto const& item : items) {
    array.push_back(text(item));
  }
  return array;
}

Json json(Metadata const& m) {
  return {{"service", text(m.service)},
          {"team", text(m.team)},
          {"author", text(m.author)},
          {"ticket", text(m.ticket)},
          {"target_deploy_date", text(m.target_deploy_date)},
          {"reviewers", list(m.reviewers)}};
}

Json json(DatabaseNeed const& need) {
  Json object{{"engine", need.engine}};
  if (need.min_version > 0) {
    object["version"] = ">=" + std::to_string(need.min_version);
  }
  return object;
}

Json json(Overview const& o) {
  return {{"what", text(o.what)},
          {"why", text(o.why)},
          {"type", text(o.type)},
          {"rollback_window", text(o.rollback_window)},
          {"estimated_duration", text(o.estimated_duration)},
          {"zero_downtime", o.zero_downtime}};
}

Json json(Compatibility const& c) {
  return {{"change", text(c.change)},
          {"backward_compatible", c.backward_compatible},
          {"risk", text(c.risk)},
          {"notes", text(c.notes)}};
}

Json json(PerformanceNote const& p) {
  return {{"step", text(p.step)},
          {"lock", text(p.lock)},
          {"duration", text(p.duration)},
          {"impact", text(p.impact)}};
}

Json json(ChecklistItem const& c) {
  return {{"when", text(c.when)}, {"item", text(c.item)}, {"owner", text(c.owner)}};
}

Json json(LockPolicy const& lock) {
  return {{"stall_budget", text(lock.stall_budget)}, {"give_up_after", text(lock.give_up_after)}};
}

// Only what differs from the defaults, so that a signal that is added later makes no other digest
// of plans that do not name it.
Json json(ThrottlePolicy const& policy) {
  if (policy == unthrottled) {
    return "off";
  }
  constexpr ThrottlePolicy usual;
  Json object = Json::object();
  auto const put = [&](char const* key, auto const& value, auto const& usually, auto const& spell) {
    if (value != usually) {
      object[key] = value ? Json(spell(*value)) : Json("off");
    }
  };
  auto const size = [](std::int64_t bytes) { return size_text(bytes); };
  put("replica_lag", policy.replica_lag, usual.replica_lag, [](Duration d) { return to_text(d); });
  put("slot_wal", policy.slot_wal, usual.slot_wal, size);
  put("wal_rate", policy.wal_rate, usual.wal_rate, size);
  put("lock_waiters", policy.lock_waiters, usual.lock_waiters, [](std::int64_t n) { return n; });
  put("active_sessions", policy.active_sessions, usual.active_sessions, [](SessionLimit limit) {
    return limit.percent ? Json(std::to_string(limit.count) + "%") : Json(limit.count);
  });
  if (policy.autovacuum != usual.autovacuum) {
    object["autovacuum"] = policy.autovacuum == YieldToVacuum::any ? "any" : "off";
  }
  return object;
}

Json json(BackfillAction const& b) {
  Json set = Json::object();
  for (auto const& [column, expression] : b.set) {
    set[column] = text(expression);
  }
  Json batch{{"target", text(b.batch.target)},
             {"max_rows", b.batch.max_rows},
             {"pause", text(b.batch.pause)}};
  if (b.batch.workers != Batch{}.workers) {  // younger than plans whose digest must not change
    batch["workers"] = b.batch.workers;
  }
  Json object{{"table", text(b.table)},
              {"set", set},
              {"from", text(b.from)},
              {"where", text(b.where)},
              {"batch", std::move(batch)}};
  if (b.throttle != ThrottlePolicy{}) {
    object["throttle"] = json(b.throttle);
  }
  return object;
}

// One key and its value: {"sql": "ALTER …"}.
struct ActionJson {
  Json operator()(NoAction const& a) const { return {{"nothing", text(a.reason)}}; }
  Json operator()(SqlAction const& a) const { return {{"sql", text(a.source.text)}}; }
  Json operator()(BackfillAction const& a) const { return {{"backfill", json(a)}}; }
  Json operator()(ManualAction const& a) const { return {{"manual", text(a.text)}}; }
  Json operator()(WaitAction const& a) const { return {{"wait", text(a.duration)}}; }
  Json operator()(AutoAction const&) const { return "auto"; }
};

template <typename Timed>
void add_timing(Json& step, Timed const& action, bool timeout_is_chosen) {
  step["lock"] = json(action.lock);
  if (timeout_is_chosen || !step.contains("statement_timeout")) {
    step["statement_timeout"] = text(action.statement_timeout);
  }
}

// Both directions of a step share lock and timeout, but concurrent statements never have a timeout:
// what the other direction says is then the step's own.
void add_timing(Json& step, Action const& action) {
  if (auto const* sql = std::get_if<SqlAction>(&action)) {
    add_timing(step, *sql, sql->transactional());
  } else if (auto const* backfill = std::get_if<BackfillAction>(&action)) {
    add_timing(step, *backfill, true);
  } else if (auto const* later = std::get_if<AutoAction>(&action)) {
    add_timing(step, *later, true);
  }
}

Json json(Step const& s) {
  Json step = std::visit(ActionJson{}, s.forward);
  step["name"] = s.name;
  step["description"] = text(s.description);
  step["skippable"] = s.skippable;
  add_timing(step, s.forward);
  if (!s.reversible()) {
    step["irreversible"] = text(s.irreversible);
    return step;
  }
  step["rollback"] = std::visit(ActionJson{}, s.backward);
  add_timing(step, s.backward);
  return step;
}

std::string key_of(Comparator op) {
  switch (op) {
    case Comparator::lt:
      return "lt";
    case Comparator::le:
      return "le";
    case Comparator::gt:
      return "gt";
    case Comparator::ge:
      return "ge";
    case Comparator::ne:
      return "ne";
  }
  __builtin_unreachable();
}

struct ExpectationJson {
  Json operator()(ValueIs const& e) const { return {{"value", text(e.value)}}; }
  Json operator()(RowIs const& e) const { return {{"row", list(e.row)}}; }
  Json operator()(RowsAre const& e) const {
    Json rows = Json::array();
    for (auto const& row : e.rows) {
      rows.push_back(list(row));
    }
    return {{"rows", rows}};
  }
  Json operator()(IsEmpty const& e) const { return {{"empty", e.empty}}; }
  Json operator()(std::vector<Compares> const& all) const {
    Json object = Json::object();
    for (Compares const& compare : all) {
      object[key_of(compare.op)] = text(compare.value);
    }
    return object;
  }
  Json operator()(FailsWith const& e) const { return {{"error", text(e.condition)}}; }
  Json operator()(BaselineIs const& e) const {
    Json object{{"baseline", text(e.name)}};
    if (!e.tolerance.empty()) {
      object["tolerance"] = text(e.tolerance);
    }
    return object;
  }
};

Json json(Acknowledgement const& word) {
  return {{"rule", text(word.rule)}, {"reason", text(word.reason)}};
}

Json json(Check const& c) {
  return {{"name", c.name},          {"description", text(c.description)},
          {"sql", text(c.sql.text)}, {"expect", std::visit(ExpectationJson{}, c.expect)},
          {"every", text(c.every)},  {"timeout", text(c.timeout)}};
}

template <typename List>
Json objects(List const& items) {
  Json array = Json::array();
  for (auto const& item : items) {
    array.push_back(json(item));
  }
  return array;
}

Json json(Phase const& p) {
  Json phase{{"name", p.name},
             {"kind", to_text(p.kind)},
             {"goal", text(p.goal)},
             {"application", text(p.application)},
             {"deploy_order", text(p.deploy_order)},
             {"requires", objects(p.requirements)},
             {"steps", objects(p.steps)},
             {"validate", objects(p.validate)},
             {"soak", text(p.soak)},
             {"watch", objects(p.watch)}};
  if (p.approval) {
    phase["approval"] = {{"from", text(p.approval->from)}, {"count", p.approval->count}};
    if (p.approval->expires) {
      phase["approval"]["expires"] = text(*p.approval->expires);
    }
  }
  if (p.not_before) {
    phase["not_before"] = {{"after", p.not_before->after}, {"wait", text(p.not_before->wait)}};
  }
  return phase;
}

Json json(std::vector<Baseline> const& baselines) {
  Json object = Json::object();
  for (Baseline const& baseline : baselines) {
    object[baseline.name] = text(baseline.sql.text);
  }
  return object;
}

}  // namespace

std::string canonical_json(Plan const& plan) {
  Json document{{"runbook", 1},
                {"name", plan.name},
                {"title", text(plan.title)},
                {"metadata", json(plan.metadata)},
                {"database", json(plan.database)},
                {"overview", json(plan.overview)},
                {"compatibility", objects(plan.compatibility)},
                {"performance", objects(plan.performance)},
                {"checklist", objects(plan.checklist)},
                {"on_failure", plan.on_failure == OnFailure::pause ? "pause" : "rollback"},
                {"on_restart", plan.on_restart == OnRestart::pause ? "pause" : "resume"},
                {"baselines", json(plan.baselines)},
                {"phases", objects(plan.phases)},
                {"final_checks", objects(plan.final_checks)}};
  // absent otherwise: a plan's digest stays what it was
  if (plan.oncall_rollback) {
    document["oncall_rollback"] = true;
  }
  if (!plan.acknowledged.empty()) {
    document["acknowledge"] = objects(plan.acknowledged);
  }
  return document.dump();
}

PlanDigest digest_of(std::string_view canonical) { return {digest_text(canonical)}; }

}  // namespace runbookd::planner
