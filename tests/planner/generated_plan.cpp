#include "tests/planner/generated_plan.h"

#include <algorithm>
#include <set>

#include <rapidcheck.h>

namespace runbookd::planner {
namespace {

template <typename T>
T one_of(std::vector<T> values) {
  return *rc::gen::elementOf(std::move(values));
}
int number(int least, int most) { return *rc::gen::inRange(least, most + 1); }
bool flag() { return *rc::gen::arbitrary<bool>(); }

template <typename Make>
auto several(int most, Make make) {
  std::vector<decltype(make(0))> all;
  int const count = number(0, most);
  for (int i = 0; i < count; ++i) {
    all.push_back(make(i));
  }
  return all;
}

// Everything that YAML, JSON, SQL or variables could take for something else.
std::string hard_text() {
  static std::vector<std::string> const pieces{
      "a",      " ",          "\n",    "\t",   ": ",  " #",     "'", "\"",   "\\",
      "\\n",    "${x}",       "$${x}", "$$",   "{",   "}",      "[", "]",    ",",
      "&a",     "*a",         "!b",    "|",    ">",   "-",      "%", "true", "null",
      "\u00e9", "\U0001F600", "\r",    "\x01", "---", "\u2028", "@", "`",    "\x7F"};
  std::string text;
  for (int i = number(0, 8); i > 0; --i) {
    text += one_of(pieces);
  }
  return text;
}
// As the reader keeps it: nothing blank at the end.
std::string text() {
  return hard_text() + one_of<std::string>({".", "x", "1", "true", "~", "${x}"});
}
std::string text_or_nothing() { return flag() ? text() : ""; }

std::string quoted(std::string const& value) {
  std::string literal = "'";
  for (char const c : value) {
    literal += c;
    literal += c == '\'' ? "'" : "";
  }
  return literal + "'";
}
SqlText query() { return {.text = "SELECT " + quoted(hard_text())}; }

Duration duration() {
  return Duration{one_of<int>({100, 999, 1000, 90'000, 3'600'000, 259'200'000})};
}
std::string name(std::string const& base, int i) {
  return base + one_of<std::string>({"", "-x", "_1"}) + std::to_string(i);
}

Cell cell() { return flag() ? Cell{hard_text()} : Cell{}; }
std::vector<Cell> row() {
  return several(3, [](int) { return cell(); });
}

std::vector<Compares> comparisons() {
  std::vector<Compares> all{{.op = Comparator::lt, .value = "5"}};
  if (flag()) {
    all.push_back({.op = Comparator::ge, .value = "-1.5"});
  }
  return all;
}

Expectation expectation(std::vector<Baseline> const& baselines) {
  switch (number(0, baselines.empty() ? 5 : 6)) {
    case 0:
      return ValueIs{cell()};
    case 1:
      return RowIs{row()};
    case 2:
      return RowsAre{several(3, [](int) { return row(); })};
    case 3:
      return IsEmpty{flag()};
    case 4:
      return comparisons();
    case 5:
      return FailsWith{.condition = one_of<std::string>({"not_null_violation", "23502"}),
                       .sqlstate = "23502"};
    default:
      return BaselineIs{.name = baselines.front().name,
                        .tolerance = one_of<std::string>({"", "10", "0.5%"})};
  }
}

std::vector<Check> checks(std::vector<Baseline> const& baselines) {
  return several(2, [&](int i) {
    return Check{.name = name("check", i),
                 .description = text_or_nothing(),
                 .sql = query(),
                 .expect = expectation(baselines),
                 .every = duration(),
                 .timeout = duration()};
  });
}

struct Shared {
  LockPolicy lock;
  Duration timeout;
};

SqlAction sql(Shared const& shared) {
  std::string const script = one_of<std::string>(
      {"CREATE INDEX CONCURRENTLY i ON t (a)",
       "ALTER TABLE t ADD COLUMN b text DEFAULT " + quoted(hard_text()),
       "SELECT 1;\nSELECT " + quoted(hard_text()) + ";", "DO $$ BEGIN PERFORM 1; END $$"});
  bool const concurrent = script.find("CONCURRENTLY") != std::string::npos;
  return {.source = {.text = script},
          .statements = {},
          .lock = shared.lock,
          .statement_timeout = concurrent ? Duration{0} : shared.timeout};
}

std::optional<std::int64_t> limit(std::int64_t value) {
  return flag() ? std::optional{value} : std::nullopt;
}
ThrottlePolicy throttle() {
  ThrottlePolicy policy;
  policy.replica_lag = flag() ? std::optional{duration()} : std::nullopt;
  policy.slot_wal = limit(number(1, 1 << 30));
  policy.wal_rate = limit(number(1, 1 << 30));
  policy.lock_waiters = limit(number(1, 9));
  policy.active_sessions =
      flag() ? std::optional{SessionLimit{.count = number(1, 100), .percent = flag()}}
             : std::nullopt;
  policy.autovacuum =
      one_of<YieldToVacuum>({YieldToVacuum::wraparound, YieldToVacuum::any, YieldToVacuum::none});
  return policy;
}

BackfillAction backfill(Shared const& shared) {
  return {.table = "t",
          .set = {{"a", quoted(hard_text())}, {"b", "other.b"}},
          .from = flag() ? "other" : "",
          .where = "t.a IS NULL",
          .batch = {.target = duration(), .max_rows = number(1, 100), .pause = duration()},
          .throttle = throttle(),
          .lock = shared.lock,
          .statement_timeout = shared.timeout};
}

Action forward(Shared const& shared) {
  switch (number(0, 3)) {
    case 0:
      return backfill(shared);
    case 1:
      return ManualAction{text()};
    case 2:
      return WaitAction{duration()};
    default:
      return sql(shared);
  }
}
Action backward(Shared const& shared) {
  switch (number(0, 3)) {
    case 0:
      return backfill(shared);
    case 1:
      return ManualAction{text()};
    case 2:
      return NoAction{text()};
    default:
      return sql(shared);
  }
}

Step step(int i) {
  Shared const shared{.lock = {.stall_budget = Duration{number(1, 500)},
                               .give_up_after = Duration{number(500, 5000)}},
                      .timeout = duration()};
  Step made{.name = name("step", i),
            .description = text_or_nothing(),
            .forward = forward(shared),
            .skippable = flag()};
  if (flag()) {
    made.backward = backward(shared);
  } else {
    made.irreversible = text();
  }
  return made;
}

Phase phase(int i, std::string const& earlier, std::vector<Baseline> const& baselines) {
  Phase made{.name = name("phase", i),
             .kind = one_of<PhaseKind>({PhaseKind::expand, PhaseKind::contract, PhaseKind::other}),
             .goal = text_or_nothing(),
             .application = text_or_nothing(),
             .deploy_order = text_or_nothing(),
             .requirements = checks(baselines),
             .steps = several(2, step),
             .validate = checks(baselines),
             .soak = duration(),
             .watch = checks(baselines)};
  made.steps.push_back(step(99));
  if (flag()) {
    made.approval = Approval{.from = text(), .count = number(1, 3)};
    if (flag()) {
      made.approval->expires = duration() + Duration{1};
    }
  }
  if (!earlier.empty() && flag()) {
    made.not_before = NotBefore{.after = earlier, .wait = duration()};
  }
  return made;
}

}  // namespace

Plan generated_plan() {
  Plan plan{.name = name("plan", 0), .title = text_or_nothing()};
  plan.metadata = {.service = text_or_nothing(), .author = text(), .reviewers = several(2, [](int) {
                                                                     return text();
                                                                   })};
  plan.database.min_version = one_of<int>({0, 13, 18});
  plan.overview = {.what = text_or_nothing(),
                   .why = text_or_nothing(),
                   .type = text_or_nothing(),
                   .rollback_window = text_or_nothing(),
                   .estimated_duration = text_or_nothing(),
                   .zero_downtime = flag()};
  plan.compatibility = several(2, [](int) {
    return Compatibility{.change = text(),
                         .backward_compatible = flag(),
                         .risk = text_or_nothing(),
                         .notes = text_or_nothing()};
  });
  plan.performance =
      several(2, [](int) { return PerformanceNote{.step = text(), .impact = text_or_nothing()}; });
  plan.checklist = several(2, [](int) {
    return ChecklistItem{.when = one_of<std::string>({"before", "after"}),
                         .item = text(),
                         .owner = text_or_nothing()};
  });
  plan.on_failure = one_of<OnFailure>({OnFailure::pause, OnFailure::rollback});
  plan.on_restart = one_of<OnRestart>({OnRestart::pause, OnRestart::resume});
  plan.oncall_rollback = one_of<bool>({true, false});
  plan.baselines =
      several(2, [](int i) { return Baseline{.name = name("base", i), .sql = query()}; });
  std::string earlier;
  for (int i = number(1, 3); i > 0; --i) {
    plan.phases.push_back(phase(i, earlier, plan.baselines));
    earlier = plan.phases.back().name;
  }
  plan.final_checks = checks(plan.baselines);
  return plan;
}

}  // namespace runbookd::planner
