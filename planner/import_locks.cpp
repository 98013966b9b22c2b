// The document's table of locks beside what its statements take.
#include <algorithm>
#include <array>
#include <set>

#include "planner/import_parts.h"

namespace runbookd::planner::import {
namespace {

constexpr std::array modes{LockMode::share_row_exclusive, LockMode::share_update_exclusive,
                           LockMode::access_exclusive,    LockMode::row_exclusive,
                           LockMode::access_share,        LockMode::row_share,
                           LockMode::exclusive,           LockMode::share};

std::optional<LockMode> mode_in(std::string const& words) {
  for (auto const mode : modes) {  // the longer words stand before those that they contain
    if (words.find(lower(lock_words(mode))) != std::string::npos) {
      return mode;
    }
  }
  bool const rows = mentions(words, "row-level", "row level", "row lock");
  return rows ? std::optional{LockMode::row_exclusive} : std::nullopt;
}

// Which statements a row of the table speaks of.
bool speaks_of(std::string const& row, Statement const& statement) {
  auto const sql = lower(statement.sql.text);
  auto const both = [&](std::string_view in_row, std::string_view in_sql) {
    return row.find(in_row) != std::string::npos && sql.find(in_sql) != std::string::npos;
  };
  if (mentions(row, "not valid")) {
    return both("not valid", "not valid");
  }
  if (mentions(row, "validate")) {
    return both("validate", "validate constraint");
  }
  if (mentions(row, "not null") && !mentions(row, "add ")) {
    return both("not null", "set not null");
  }
  if (mentions(row, "drop column", "remove column", "drop old column")) {
    return sql.find("drop column") != std::string::npos;
  }
  if (mentions(row, "drop index")) {
    return sql.starts_with("drop index");
  }
  if (mentions(row, "drop constraint")) {
    return sql.find("drop constraint") != std::string::npos;
  }
  if (mentions(row, "index")) {
    return sql.starts_with("create index") || sql.starts_with("create unique index");
  }
  if (mentions(row, "backfill", "update", "batch")) {
    return sql.starts_with("update");
  }
  return mentions(row, "column") && mentions(row, "add") &&
         sql.find("add column") != std::string::npos;
}

struct Claimed {
  LockClaim const& claim;
  LockMode mode;
  std::string row;
};

void judge(Report& report, Claimed const& claimed, Statement const& statement,
           Effects const& effects) {
  auto const at = " (line " + std::to_string(statement.sql.place.line) + ")";
  std::string wrong;
  std::string forgotten;
  bool right = false;
  for (auto const& lock : effects.locks) {
    auto const words = std::string(lock_words(lock.mode)) + " on " + lock.name;
    right = right || lock.mode == claimed.mode;
    bool const told =
        lock.mode == claimed.mode ||
        lower(claimed.claim.note.lock).find(lower(lock.relation.name)) != std::string::npos;
    if (!told && lock.mode >= LockMode::share_update_exclusive) {
      forgotten += (forgotten.empty() ? "" : ", ") + words;
    }
    if (lock.mode != claimed.mode) {
      wrong += (wrong.empty() ? "" : ", ") + words;
    }
  }
  auto const said = std::string(lock_words(claimed.mode));
  if (!effects.analysed || effects.locks.empty() || (right && forgotten.empty())) {
    return;
  }
  report.say(
      Severity::warning, claimed.claim.line, "import/lock-claim",
      right ? "\"" + claimed.claim.note.step + "\" also takes " + forgotten + at +
                  "; the table names only " + said
            : "\"" + claimed.claim.note.step + "\" does not take " + said + " but " + wrong + at,
      "`runbookctl sql explain` tells the locks of each statement");
}

}  // namespace

void judge_locks(Report& report, std::vector<LockClaim> const& claims, Statements const& statements,
                 Catalog const& catalog, int server_major) {
  Catalog now = catalog;
  for (auto const& statement : statements) {
    auto const effects = effects_of(statement, now, server_major);
    for (auto const& claim : claims) {
      auto const row = lower(claim.note.step);
      auto const mode = mode_in(lower(claim.note.lock));
      if (mode && speaks_of(row, statement)) {
        judge(report, {claim, *mode, row}, statement, effects);
      }
    }
    now = apply(std::move(now), statement);
  }
}

}  // namespace runbookd::planner::import
