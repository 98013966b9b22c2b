// A plan as plain values. Made by plan_reader from text; immutable afterwards; stored as canonical
// JSON.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "planner/diagnostic.h"
#include "planner/ids.h"
#include "planner/throttle_policy.h"
#include "planner/time.h"

namespace runbookd::planner {

// SQL as the author wrote it. `at` maps a byte offset of `text` back to the author's file.
struct SqlText {
  std::string text;
  Place place;     // of the first character of `text`
  int indent = 0;  // columns stripped from further lines; -1 = only `place` is known (folded text)
  Place at(std::size_t offset) const;
  bool operator==(SqlText const& other) const { return text == other.text; }
};

// One statement of a script and what the server's grammar says about it.
struct Statement {
  SqlText sql;                 // without the closing semicolon
  std::string kind;            // "CREATE INDEX CONCURRENTLY", "ALTER TABLE", "UPDATE" …
  bool transactional = true;   // may stand inside BEGIN … COMMIT
  bool changes_schema = true;  // false only for SELECT, INSERT, UPDATE, DELETE and the like
  bool operator==(Statement const&) const = default;
};

struct LockPolicy {
  Duration stall_budget{200};       // lock_timeout of one try
  Duration give_up_after{600'000};  // from the first try on, then the step has failed
  bool operator==(LockPolicy const&) const = default;
};

struct NoAction {
  std::string reason;  // why nothing has to be done
  bool operator==(NoAction const&) const = default;
};
struct SqlAction {
  SqlText source;
  std::vector<Statement> statements;  // one transaction, or exactly one that cannot stand in one
  LockPolicy lock;
  Duration statement_timeout{30'000};  // 0 = none; always none for concurrent statements
  bool transactional() const { return statements.empty() || statements.front().transactional; }
  bool operator==(SqlAction const&) const = default;
};
inline constexpr int most_workers = 8;
struct Batch {
  Duration target{500};
  std::int64_t max_rows = 20'000;
  Duration pause{};  // after each batch, whoever else is at work; the throttle rests by itself
  int workers = 1;   // sessions that fill at the same time, each a part of the table of its own
  bool operator==(Batch const&) const = default;
};
struct BackfillAction {
  std::string table;                                     // as written: may be schema-qualified
  std::vector<std::pair<std::string, std::string>> set;  // column, expression
  std::string from;                                      // other relations; may be empty
  std::string where;                                     // which rows still need it
  Batch batch;
  ThrottlePolicy throttle;
  LockPolicy lock;
  Duration statement_timeout{30'000};
  Place place;
  bool operator==(BackfillAction const& o) const {
    return table == o.table && set == o.set && from == o.from && where == o.where &&
           batch == o.batch && throttle == o.throttle && lock == o.lock &&
           statement_timeout == o.statement_timeout;
  }
};
struct ManualAction {
  std::string text;  // what a person has to do
  bool operator==(ManualAction const&) const = default;
};
struct WaitAction {
  Duration duration{};
  bool operator==(WaitAction const&) const = default;
};
// A way back that only the target's catalog tells: it is written when the step is about to begin,
// and recorded before it does. Until then nobody knows its SQL.
inline constexpr auto written_later =
    "written when the step is about to begin, from what the target's catalog says then";
struct AutoAction {
  Place place;
  LockPolicy lock;
  Duration statement_timeout{30'000};
  bool operator==(AutoAction const& o) const {
    return lock == o.lock && statement_timeout == o.statement_timeout;
  }
};
using Action =
    std::variant<NoAction, SqlAction, BackfillAction, ManualAction, WaitAction, AutoAction>;

struct Step {
  std::string name;
  std::string description;
  Action forward;
  Action backward;           // meaningless where irreversible is set
  std::string irreversible;  // the reason; empty = there is a way back
  bool skippable = false;
  Place place;
  bool reversible() const { return irreversible.empty(); }
};

// What a check expects. Values are compared as the server prints them; numbers by value.
using Cell = std::optional<std::string>;  // nullopt = NULL
struct ValueIs {
  Cell value;
  bool operator==(ValueIs const&) const = default;
};
struct RowIs {
  std::vector<Cell> row;
  bool operator==(RowIs const&) const = default;
};
struct RowsAre {
  std::vector<std::vector<Cell>> rows;
  bool operator==(RowsAre const&) const = default;
};
struct IsEmpty {
  bool empty = true;  // false: at least one row
  bool operator==(IsEmpty const&) const = default;
};
enum class Comparator { lt, le, gt, ge, ne };
struct Compares {
  Comparator op = Comparator::lt;
  std::string value;
  bool operator==(Compares const&) const = default;
};
struct FailsWith {
  std::string condition;  // as written: "not_null_violation" or "23502"
  std::string sqlstate;   // always the five characters
  bool operator==(FailsWith const&) const = default;
};
struct BaselineIs {
  std::string name;
  std::string tolerance;  // "", "10" (absolute) or "0.5%"
  bool operator==(BaselineIs const&) const = default;
};
// `between` and the like are two Compares: every one of the list must hold.
using Expectation =
    std::variant<ValueIs, RowIs, RowsAre, IsEmpty, std::vector<Compares>, FailsWith, BaselineIs>;
std::string to_text(Expectation const& expectation);  // "value 0", "error not_null_violation"

struct Check {
  std::string name;
  std::string description;
  SqlText sql;
  Expectation expect;
  Duration every{30'000};  // watches only
  Duration timeout{30'000};
  Place place;
};
struct Baseline {
  std::string name;
  SqlText sql;
};

enum class PhaseKind { expand, backfill, enforce, contract, other };

struct Approval {
  std::string from;  // the group that should sign
  int count = 1;     // distinct people; nobody who created the run or brought the plan
  std::optional<Duration> expires = {};  // a signature counts for so long; nothing: for good
  bool operator==(Approval const&) const = default;
};
struct NotBefore {
  std::string after;  // a phase's name
  Duration wait{};    // since that phase was done
  bool operator==(NotBefore const&) const = default;
};

struct Phase {
  std::string name;
  PhaseKind kind = PhaseKind::other;
  std::string goal;
  std::string application;  // which version of the application runs meanwhile
  std::string deploy_order;
  std::vector<Check> requirements;  // `requires:` in the file
  std::optional<Approval> approval;
  std::optional<NotBefore> not_before;
  std::vector<Step> steps;
  std::vector<Check> validate;
  Duration soak{};
  std::vector<Check> watch;
  Place place;
};

struct Metadata {
  std::string service, team, author, ticket, target_deploy_date;
  std::vector<std::string> reviewers;
};
struct DatabaseNeed {
  std::string engine = "postgresql";
  int min_version = 0;  // major; 0 = any
};
struct Overview {
  std::string what, why, type, rollback_window, estimated_duration;
  bool zero_downtime = true;
};
struct Compatibility {
  std::string change;
  bool backward_compatible = true;
  std::string risk, notes;
};
struct ChecklistItem {
  std::string when;  // "before", a phase's name, or "after"
  std::string item;
  std::string owner;
};
struct PerformanceNote {
  std::string step, lock, duration, impact;
};

enum class OnFailure { pause, rollback };
enum class OnRestart { pause, resume };

struct Plan {
  std::string name, title;
  Metadata metadata;
  DatabaseNeed database;
  Overview overview;
  std::vector<Compatibility> compatibility;
  std::vector<PerformanceNote> performance;
  std::vector<ChecklistItem> checklist;
  OnFailure on_failure = OnFailure::pause;
  OnRestart on_restart = OnRestart::pause;
  bool oncall_rollback = false;  // the role oncall may take steps back
  std::vector<Baseline> baselines;
  std::vector<Phase> phases;
  std::vector<Check> final_checks;
  std::vector<Acknowledgement> acknowledged;  // findings that the author knows and answers for

  Step const& step(StepRef ref) const;
  int phase_index(std::string_view name) const;  // -1 = no such phase
  std::optional<StepRef> find_step(
      std::string_view name) const;      // "phase/step", or a unique step name
  std::string label(StepRef ref) const;  // "phase/step"
};

std::string_view to_text(PhaseKind kind);
std::string_view kind_of(Action const& action);  // "sql", "backfill", "manual", "auto" …

}  // namespace runbookd::planner
