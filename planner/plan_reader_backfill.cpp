#include <algorithm>
#include <array>

#include "planner/plan_reading.h"
#include "planner/sql.h"

namespace runbookd::planner {
namespace {

void read_max_rows(Reading& reading, Node const& node, Batch& batch) {
  batch.max_rows = reading.number(node, 1).value_or(batch.max_rows);
}
void read_workers(Reading& reading, Node const& node, Batch& batch) {
  auto const workers = reading.number(node, 1).value_or(batch.workers);
  if (workers > most_workers) {
    reading.error(node.spot, "plan/bad-value",
                  "`workers` is " + std::to_string(workers) + "; " + std::to_string(most_workers) +
                      " sessions are the most that fill one table at a time",
                  "begin with 2 or 4: each of them is one more session that writes");
    return;
  }
  batch.workers = static_cast<int>(workers);
}
constexpr std::array batch_keys{
    Key<Batch>{"target", read_duration<&Batch::target, 1>},
    Key<Batch>{"max_rows", read_max_rows},
    Key<Batch>{"pause", read_duration<&Batch::pause, 0>},
    Key<Batch>{"workers", read_workers},
};
constexpr Table<Batch> batch_table{"batch", "`batch`", batch_keys};

void read_table(Reading& reading, Node const& node, BackfillAction& backfill) {
  backfill.table = reading.sql_fragment(node);
}
void read_set(Reading& reading, Node const& node, BackfillAction& backfill) {
  if (!reading.is_mapping(node, "columns and their new values")) {
    return;
  }
  if (node.children.empty()) {
    reading.error(node.spot, "plan/missing-key", "`set` names no column",
                  "write {column: expression}");
  }
  for (Node const& child : node.children) {
    backfill.set.emplace_back(child.key, reading.sql_fragment(child));
  }
  // a mapping has no order of its own; one order makes one digest
  std::sort(backfill.set.begin(), backfill.set.end());
}
void read_from(Reading& reading, Node const& node, BackfillAction& backfill) {
  backfill.from = reading.sql_fragment(node);
}
void read_where(Reading& reading, Node const& node, BackfillAction& backfill) {
  backfill.where = reading.sql_fragment(node);
}
void read_throttle(Reading& reading, Node const& node, BackfillAction& backfill) {
  backfill.throttle = read_throttle(reading, node);
}
constexpr std::array backfill_table_keys{
    Key<BackfillAction>{"table", read_table, Presence::required},
    Key<BackfillAction>{"set", read_set, Presence::required},
    Key<BackfillAction>{"from", read_from},
    Key<BackfillAction>{"where", read_where, Presence::required},
    Key<BackfillAction>{"batch", read_part<&BackfillAction::batch, batch_table>},
    Key<BackfillAction>{"throttle", read_throttle},
};
constexpr Table<BackfillAction> backfill_table{"backfill", "`backfill`", backfill_table_keys};

constexpr std::array lock_keys{
    Key<LockPolicy>{"stall_budget", read_duration<&LockPolicy::stall_budget, 1>},
    Key<LockPolicy>{"give_up_after", read_duration<&LockPolicy::give_up_after, 1>},
};
constexpr Table<LockPolicy> lock_table{"lock", "`lock`", lock_keys};

bool is_complete(BackfillAction const& backfill) {
  return !backfill.table.empty() && !backfill.set.empty() && !backfill.where.empty();
}

}  // namespace

BackfillAction read_backfill(Reading& reading, Node const& node, Timing const& timing) {
  BackfillAction backfill{.lock = timing.lock,
                          .statement_timeout = timing.statement_timeout,
                          .place = reading.place(node.spot)};
  backfill = read_mapping(reading, node, backfill_table, std::move(backfill));
  if (is_complete(backfill)) {
    reading.merge(backfill_findings(backfill));
  }
  return backfill;
}

LockPolicy read_lock(Reading& reading, Node const& node, LockPolicy inherited) {
  LockPolicy const lock = read_mapping(reading, node, lock_table, inherited);
  if (lock.give_up_after < lock.stall_budget) {
    reading.error(node.spot, "plan/bad-value",
                  "`give_up_after` (" + to_text(lock.give_up_after) +
                      ") is shorter than one try (`stall_budget`, " + to_text(lock.stall_budget) +
                      ")",
                  "give the step time for at least one try");
  }
  return lock;
}

std::vector<KeySet> backfill_keys() {
  return {key_set(backfill_table), key_set(batch_table), key_set(lock_table), throttle_keys()};
}

}  // namespace runbookd::planner
