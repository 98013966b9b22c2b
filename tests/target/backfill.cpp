#include "tests/target/backfill.h"

#include <utility>

namespace runbookd::testing {

void make_counters(Target const& target, int rows) {
  target.sql(
      "CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL DEFAULT 0); INSERT INTO t SELECT g FROM "
      "generate_series(1, " +
      std::to_string(rows) + ") g");
}

planner::BackfillAction fill(std::string const& table, std::string const& column,
                             std::string const& expression, std::string const& where) {
  return {.table = table,
          .set = {{column, expression}},
          .where = where,
          .batch = {
              .target = planner::Duration(60'000), .max_rows = 300, .pause = planner::Duration(0)}};
}

planner::BackfillAction with_workers(planner::BackfillAction action, int workers) {
  action.batch.workers = workers;
  return action;
}

daemon::BackfillHelp help(Target const& target, daemon::AttemptTag const& tag) {
  return {.one_more = [&target, name = daemon::application_name(tag)] {
    return daemon::SqlResult<std::unique_ptr<daemon::Session>>(target.connect(name));
  }};
}

daemon::AttemptResult run(Target const& target, planner::BackfillAction const& what, int attempt,
                          int since) {
  auto const who = tag(attempt);
  return run_backfill(*target.connect("mover"), who, what, since, help(target, who));
}

daemon::AttemptResult run_until_first_batch(Target const& target,
                                            planner::BackfillAction const& what) {
  std::stop_source stop;
  auto const who = tag(1);
  auto helped = help(target, who);
  helped.stop = stop.get_token();
  helped.progress = [&stop](planner::Progress const&) { stop.request_stop(); };
  return run_backfill(*target.connect("mover"), who, what, 1, helped);
}

}  // namespace runbookd::testing
