// Limits of `throttle:` at which a backfill would never go, or never stop.
#include "planner/lint_rules.h"
#include "planner/size.h"

namespace runbookd::planner::rules {
namespace {

constexpr Duration looked_at_every{1'000};
constexpr Duration longest_sensible_lag{600'000};
constexpr std::int64_t one_batch_of_wal = 1LL << 20;

}  // namespace

Findings judge_throttle(BackfillAction const& backfill, std::string const& step) {
  Findings findings;
  auto const warn = [&](std::string rule, std::string message, std::string fix) {
    findings.push_back({.rule = std::move(rule),
                        .severity = Severity::warning,
                        .place = backfill.place,
                        .message = std::move(message),
                        .fix = std::move(fix),
                        .step = step});
  };
  auto const& policy = backfill.throttle;
  if (policy.replica_lag && *policy.replica_lag < looked_at_every) {
    warn("throttle/never-goes",
         "`replica_lag: " + to_text(*policy.replica_lag) +
             "` is less than the time between two looks at the standbys: healthy ones reach it, "
             "and the backfill stands still most of the time",
         "write 2s or more");
  }
  if (policy.replica_lag && *policy.replica_lag > longest_sensible_lag) {
    warn("throttle/never-stops",
         "`replica_lag: " + to_text(*policy.replica_lag) +
             "` lets readers of the standbys see data that is older than ten minutes",
         "write what the application can bear, such as 5s; or off, if nobody reads there");
  }
  if (policy.wal_rate && *policy.wal_rate < one_batch_of_wal) {
    warn("throttle/never-goes",
         "`wal_rate: " + size_text(*policy.wal_rate) +
             "` a second is less than one batch writes: the backfill stands still most of the time",
         "write 1MB or more");
  }
  return findings;
}

}  // namespace runbookd::planner::rules
