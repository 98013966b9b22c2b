#include "planner/view_parts.h"

#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

#include "planner/sql.h"
#include "planner/view_fill.h"
#include "planner/view_words.h"

namespace runbookd::planner::view {
namespace {

Json lock_json(LockPolicy const& lock) {
  return {{"stall_budget_ms", lock.stall_budget.count()},
          {"give_up_after_ms", lock.give_up_after.count()}};
}

Json statements_json(std::vector<Statement> const& statements) {
  auto list = Json::array();
  for (auto const& statement : statements) {
    list.push_back({{"sql", statement.sql.text},
                    {"kind", statement.kind},
                    {"transactional", statement.transactional},
                    {"changes_schema", statement.changes_schema}});
  }
  return list;
}

Json set_json(BackfillAction const& fill) {
  auto list = Json::array();
  for (auto const& [column, expression] : fill.set) {
    list.push_back({{"column", column}, {"expression", expression}});
  }
  return list;
}

// Limits; null: the signal is not looked at.
Json throttle_json(ThrottlePolicy const& policy) {
  auto const or_null = [](auto const& limit) { return limit ? Json(*limit) : Json(); };
  auto const& sessions = policy.active_sessions;
  auto const unit = sessions && sessions->percent ? "%" : "";
  auto const vacuum = policy.autovacuum == YieldToVacuum::any          ? Json("any")
                      : policy.autovacuum == YieldToVacuum::wraparound ? Json("wraparound")
                                                                       : Json();
  return {{"replica_lag_ms", policy.replica_lag ? Json(policy.replica_lag->count()) : Json()},
          {"slot_wal_bytes", or_null(policy.slot_wal)},
          {"wal_rate_bytes", or_null(policy.wal_rate)},
          {"lock_waiters", or_null(policy.lock_waiters)},
          {"active_sessions", sessions ? Json(std::to_string(sessions->count) + unit) : Json()},
          {"autovacuum", vacuum}};
}

struct ActionJson {
  Json operator()(NoAction const& action) const { return {{"reason", action.reason}}; }
  Json operator()(SqlAction const& action) const {
    return {{"sql", action.source.text},
            {"statements", statements_json(action.statements)},
            {"transactional", action.transactional()},
            {"lock", lock_json(action.lock)},
            {"statement_timeout_ms", action.statement_timeout.count()}};
  }
  Json operator()(BackfillAction const& action) const {
    return {{"text", update_words(action)},
            {"table", action.table},
            {"set", set_json(action)},
            {"from", action.from},
            {"where", action.where},
            {"batch",
             {{"target_ms", action.batch.target.count()},
              {"max_rows", action.batch.max_rows},
              {"pause_ms", action.batch.pause.count()},
              {"workers", action.batch.workers}}},
            {"throttle", throttle_json(action.throttle)},
            {"lock", lock_json(action.lock)},
            {"statement_timeout_ms", action.statement_timeout.count()}};
  }
  Json operator()(ManualAction const& action) const { return {{"manual", action.text}}; }
  Json operator()(AutoAction const& action) const {
    return {{"reason", written_later},
            {"lock", lock_json(action.lock)},
            {"statement_timeout_ms", action.statement_timeout.count()}};
  }
  Json operator()(WaitAction const& action) const {
    return {{"text", "wait " + to_text(action.duration)}, {"duration_ms", action.duration.count()}};
  }
};

Json eta_json(Eta const& eta) {
  return {{"soonest", eta.soonest.count()}, {"latest", eta.latest.count()}};
}

Json backfill_json(Progress const& progress) {
  auto object = filled_json({.scanned = progress.rows_scanned,
                             .changed = progress.rows_changed,
                             .total = progress.rows_total},
                            progress.total_exact);
  object.update({{"rows_per_second", progress.rows_per_second},
                 {"mean_rows_per_second", progress.mean_rows_per_second},
                 {"batch_rows", progress.batch_rows},
                 {"batch_ms", progress.batch_took.count()},
                 {"running_ms", progress.running.count()},
                 {"stalled_ms", progress.stalled.count()},
                 {"workers", progress.workers}});
  if (progress.sweep > 0) {
    object["sweep"] = {{"pass", progress.sweep}, {"found", progress.found}};
  }
  if (auto const left = eta(progress)) {
    object["eta_ms"] = eta_json(*left);
  }
  return object;
}

std::string_view word(Speed::Cause cause) {
  switch (cause) {
    case Speed::Cause::none:
      return "none";
    case Speed::Cause::hand:
      return "hand";
    case Speed::Cause::signal:
      return "signal";
    case Speed::Cause::stale:
      return "stale";
  }
  __builtin_unreachable();
}

std::int64_t percent(double share) { return std::llround(share * 100); }

Json throttling_json(Throttling const& throttling, Moment now) {
  auto const& speed = throttling.speed;
  Json unseen = Json::array();
  for (auto const signal : throttling.unseen) {
    unseen.push_back(to_text(signal));
  }
  auto const running = std::max<Duration::rep>(1, throttling.running.count());
  Json object{{"state", speed.stopped()   ? "stopped"
                        : speed.share < 1 ? "slowed"
                                          : "going"},
              {"percent", percent(speed.share)},
              {"cause", word(speed.cause)},
              {"throttled_ms", throttling.throttled.count()},
              {"throttled_percent", 100 * throttling.throttled.count() / running},
              {"unseen", std::move(unseen)},
              {"unseen_message", unseen_words(throttling.unseen)},
              {"message", throttle_words(throttling, now)}};
  if (speed.stopped()) {
    object["stopped_since"] = time_json(speed.since);
  }
  if (speed.measure) {
    object["signal"] = {{"name", to_text(speed.measure->signal)},
                        {"value", std::llround(speed.measure->value)},
                        {"limit", std::llround(speed.measure->limit)},
                        {"where", speed.measure->where}};
  }
  if (throttling.hand) {
    object["hand"] = hand_json(*throttling.hand, now);
  }
  return object;
}

}  // namespace

std::string dumped(Json const& document) {
  return document.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json time_json(Moment moment) { return moment == Moment{} ? Json() : Json(to_rfc3339(moment)); }

std::string_view word(Direction direction) {
  return direction == Direction::forward ? "forward" : "backward";
}

Json failure_json(SqlFailure const& failure) {
  return {{"sqlstate", failure.sqlstate},
          {"condition", condition_of(failure.sqlstate)},
          {"message", failure.message},
          {"statement", failure.statement},
          {"fate", failure.fate == SqlFailure::Fate::failed ? "failed" : "unknown"}};
}

Json blocker_json(Blocker const& blocker) {
  return {{"pid", blocker.pid},
          {"user", blocker.user},
          {"application", blocker.application},
          {"state", blocker.state},
          {"query", clipped(blocker.query, longest_query)},
          {"transaction_age_ms", blocker.transaction_age.count()},
          {"lock_mode", blocker.lock_mode},
          {"relation", blocker.relation},
          {"kind", to_text(blocker.kind)},
          {"depth", blocker.depth},
          {"root", blocker.root},
          {"end_with", command_that_ends(blocker)},
          {"advice", advice_on(blocker)}};
}

Json behind_json(std::optional<Behind> const& behind) {
  return behind ? Json{{"sessions", behind->sessions}, {"longest_ms", behind->longest.count()}}
                : Json();
}

Json work_json(ServerWork const& work) {
  auto const share = percent(work);
  Json object{{"message", to_text(work)},
              {"command", work.command},
              {"told", work.told},
              {"phase", work.phase},
              {"phase_number", work.phase_number},
              {"phases", work.phases},
              {"relation", work.relation},
              {"done", work.done},
              {"total", work.total},
              {"unit", work.unit},
              {"percent", share ? Json(*share) : Json()},
              {"lockers_done", work.lockers_done},
              {"lockers_total", work.lockers_total},
              {"locker_pid", work.locker_pid},
              {"running_ms", work.running.count()}};
  if (work.relation_size > 0) {
    object["relation_bytes"] = work.relation_size;
  }
  return object;
}

Json preflight_part(PreflightSeen const& seen) {
  auto items = Json::array();
  for (auto const& item : seen.preflight.items) {
    items.push_back({{"name", item.name},
                     {"verdict", to_text(item.verdict)},
                     {"message", item.message},
                     {"next", item.next},
                     {"pid", item.pid > 0 ? Json(item.pid) : Json()},
                     {"age_ms", item.age > Duration{} ? Json(item.age.count()) : Json()}});
  }
  return {{"phase", seen.preflight.phase},
          {"verdict", to_text(seen.preflight.verdict)},
          {"taken_at", time_json(seen.taken)},
          {"items", std::move(items)}};
}

Json action_json(Action const& action) {
  auto object = std::visit(ActionJson{}, action);
  object["kind"] = kind_of(action);
  return object;
}

std::string update_words(BackfillAction const& backfill) {
  std::string sets;
  for (auto const& [column, expression] : backfill.set) {
    sets += (sets.empty() ? "" : ",\n    ") + column + " = " + expression;
  }
  return "UPDATE " + backfill.table + "\nSET " + sets +
         (backfill.from.empty() ? "" : "\nFROM " + backfill.from) +
         (backfill.where.empty() ? "" : "\nWHERE " + backfill.where);
}

Json hand_json(HandThrottle const& hand, Moment now) {
  return {{"percent", hand.percent},
          {"exempt", hand.exempt},
          {"since", time_json(hand.since)},
          {"until", hand.until ? time_json(*hand.until) : Json()},
          {"actor", hand.actor},
          {"reason", hand.reason},
          {"message", hand_words(hand, now)}};
}

Json live_json(Live const& live, Moment now) {
  auto blockers = Json::array();
  std::ranges::transform(live.blockers, std::back_inserter(blockers), blocker_json);
  Json object{{"activity", live.activity},
              {"pid", live.backend_pid},
              {"waiting_ms", live.waiting.count()},
              {"blockers", std::move(blockers)},
              {"behind", behind_json(live.behind)}};
  if (live.work) {
    object["server"] = work_json(*live.work);
  }
  if (live.progress) {
    object["backfill"] = backfill_json(*live.progress);
  }
  if (live.throttling) {
    object["throttle"] = throttling_json(*live.throttling, now);
    bool const stands = live.throttling->speed.stopped();
    if (stands && live.progress) {  // an end that is foretold would move away with every second
      object["backfill"].erase("eta_ms");
      object["backfill"]["rows_per_second"] = 0;
    }
  }
  return object;
}

Json attempt_json(Attempt const& attempt) {
  auto blockers = Json::array();
  std::ranges::transform(attempt.blockers, std::back_inserter(blockers), blocker_json);
  Json object{{"direction", word(attempt.direction)},
              {"result", attempt.result},
              {"started_at", time_json(attempt.started)},
              {"ended_at", time_json(attempt.ended)},
              {"duration_ms", attempt.took.count()},
              {"lock_wait_ms", attempt.lock_wait.count()},
              {"rows", attempt.rows < 0 ? Json() : Json(attempt.rows)},
              {"blockers", std::move(blockers)},
              {"behind", behind_json(attempt.behind)},
              {"note", attempt.note},
              {"actor", attempt.actor},
              {"reason", attempt.reason}};
  if (attempt.number > 0) {
    object["number"] = attempt.number;
  }
  if (attempt.filled) {
    object["backfill"] = filled_json(*attempt.filled, attempt.result == "succeeded");
  }
  if (attempt.failure) {
    object["failure"] = failure_json(*attempt.failure);
  }
  return object;
}

Json finding_json(Finding const& finding) {
  return {{"rule", finding.rule},
          {"severity", to_text(finding.severity)},
          {"file", finding.place.file},
          {"line", finding.place.line},
          {"column", finding.place.column},
          {"message", finding.message},
          {"fix", finding.fix},
          {"step", finding.step},
          {"acknowledged", finding.acknowledged}};
}

}  // namespace runbookd::planner::view
