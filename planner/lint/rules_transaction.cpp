// Transactions and timeouts: how long a lock is held, and how long it is waited for.
#include <algorithm>
#include <array>

#include "planner/lint/site.h"
#include "planner/sql_expression.h"
#include "planner/words.h"

namespace runbookd::planner::lint_rules {
namespace {

using pg::Node;

std::string unit(Site const& site) { return site.in_plan() ? "step" : "transaction"; }

Hits cannot_run_inside(Site const& site) {
  if (site.effects.transactional || !site.known.open || site.in_plan()) {
    return {};
  }
  return {{.why = site.statement.kind + " cannot run inside a transaction: the server refuses it" +
                  (site.known.by_script ? "" : ", and the tool runs the whole file in one")}};
}

bool begins(Node node) {
  auto const kind = node.text("kind");
  return node.is("TransactionStmt") && (kind == "TRANS_STMT_BEGIN" || kind == "TRANS_STMT_START");
}

Hits nested(Site const& site) {
  return begins(site.node) && site.known.open && !site.in_plan() ? Hits{{}} : Hits{};
}

Hits ends_the_tools(Site const& site) {
  auto const kind = site.node.text("kind");
  bool const ends = site.node.is("TransactionStmt") &&
                    (kind == "TRANS_STMT_COMMIT" || kind == "TRANS_STMT_ROLLBACK");
  return ends && site.known.open && !site.known.by_script && !site.in_plan() ? Hits{{}} : Hits{};
}

Hits without_begin(Site const& site) {
  auto const kind = site.node.text("kind");
  bool const ends = site.node.is("TransactionStmt") &&
                    (kind == "TRANS_STMT_COMMIT" || kind == "TRANS_STMT_ROLLBACK");
  return ends && !site.known.open && !site.in_plan() ? Hits{{}} : Hits{};
}

bool changes_rows(Node node) {
  return node.is("UpdateStmt") || node.is("DeleteStmt") || node.is("MergeStmt") ||
         (node.is("InsertStmt") && node["selectStmt"].list("valuesLists").empty() &&
          node.has("selectStmt"));
}

std::string held_words(Site const& site) {
  std::string words;
  for (auto const& [name, held] : site.known.held) {
    words += (words.empty() ? "" : ", ") + name + " (" + std::string(lock_words(held.mode)) +
             " since line " + std::to_string(held.line) + ")";
  }
  return words;
}

// A catalog lookup is nothing; reading, writing or building a whole table is.
Hits work_under_lock(Site const& site) {
  if (!site.known.open || site.known.held.empty() || changes_rows(site.node)) {
    return {};
  }
  auto heavy = site.existing(site.effects.rewrites);
  auto const scans = site.existing(site.effects.scans);
  heavy.insert(heavy.end(), scans.begin(), scans.end());
  bool const validates = std::ranges::any_of(
      site.commands, [](Command const& c) { return c.type == "AT_ValidateConstraint"; });
  if (heavy.empty() || validates) {
    return {};
  }
  return {{.why = "this reads or writes all of " + heavy.front() + " while the " + unit(site) +
                  " still locks " + held_words(site),
           .tables = {heavy.front()}}};
}

Hits rows_and_schema(Site const& site) {
  if (!site.known.open || !changes_rows(site.node) || !site.known.changed_schema || site.is_new()) {
    return {};
  }
  return {{.why = site.statement.kind + " changes rows while the " + unit(site) + " still locks " +
                  held_words(site)}};
}

Hits two_tables(Site const& site) {
  if (!site.known.open || site.known.held.empty()) {
    return {};
  }
  for (auto const& name : site.stopped(LockMode::share)) {
    bool const others = !site.known.held.contains(name);
    if (others) {
      return {{.why = "this asks for a lock on " + name + " while the " + unit(site) + " holds " +
                      held_words(site) +
                      ": everything waits for both, and a transaction of the application that "
                      "takes them the other way round ends in a deadlock"}};
    }
  }
  return {};
}

std::vector<std::string> string_constants(Node root) {
  std::vector<std::string> found;
  for (auto const node : pg::every(root)) {
    if (auto text = node.is("A_Const") ? pg::literal(node) : std::nullopt) {
      found.push_back(std::move(*text));
    }
  }
  return found;
}

Hits new_label_used(Site const& site) {
  if (!site.known.open || site.known.new_labels.empty() || site.node.is("AlterEnumStmt")) {
    return {};
  }
  auto const used = string_constants(site.node);
  for (auto const& label : site.known.new_labels) {
    if (holds(used, label)) {
      return {{.on = "'" + label + "'"}};
    }
  }
  return {};
}

Hits no_lock_timeout(Site const& site) {
  auto const tables = site.stopped(LockMode::share_row_exclusive);
  bool const limited = site.known.lock_timeout && *site.known.lock_timeout > 0;
  if (site.in_plan() || site.options.timeouts_given || site.known.told_of_timeouts || limited ||
      tables.empty() || site.node.is("LockStmt")) {
    return {};
  }
  return {{.on = joined(tables)}};
}

bool builds_concurrently(Site const& site) {
  return (site.node.is("IndexStmt") && site.node.flag("concurrent")) ||
         (site.node.is("ReindexStmt") && !site.effects.transactional);
}

Hits short_timeout(Site const& site) {
  constexpr std::int64_t long_enough = 600'000;
  if (!builds_concurrently(site) || site.in_plan()) {
    return {};
  }
  auto const is_short = [](std::optional<std::int64_t> limit) {
    return limit && *limit > 0 && *limit < long_enough;
  };
  if (!is_short(site.known.lock_timeout) && !is_short(site.known.statement_timeout)) {
    return {};
  }
  return {{.on = is_short(site.known.lock_timeout) ? "lock_timeout" : "statement_timeout"}};
}

Hits timeout_off(Site const& site) {
  if (!site.node.is("VariableSetStmt") || site.in_plan() ||
      site.node.text("name") != "lock_timeout") {
    return {};
  }
  auto const values = site.node.list("args");
  auto const off = !values.empty() && pg::literal(values.front()) == "0";
  return off ? Hits{{}} : Hits{};
}

constexpr auto rules = std::to_array<StatementRule>({
    {{.id = "transaction/cannot-run-inside",
      .severity = Severity::error,
      .title = "A statement that cannot run inside a transaction stands in one",
      .why = "the server refuses it inside a transaction",
      .fix = "let it stand in a file of its own that the tool runs without a transaction",
      .like = "squawk ban-concurrent-index-creation-in-transaction, Atlas PG103"},
     cannot_run_inside},
    {{.id = "transaction/nested",
      .severity = Severity::warning,
      .title = "BEGIN inside a transaction",
      .why = "PostgreSQL has no nested transactions: the second BEGIN does nothing, and the first "
             "COMMIT ends everything",
      .fix = "leave it out, or use SAVEPOINT",
      .like = "squawk transaction-nesting"},
     nested},
    {{.id = "transaction/ends-the-tools",
      .severity = Severity::error,
      .title = "COMMIT or ROLLBACK in a file that a tool runs in its own transaction",
      .why = "it ends the transaction of the tool, which then believes that all that follows can "
             "still be undone",
      .fix = "leave it out",
      .like = "squawk transaction-nesting, Bytebase"},
     ends_the_tools},
    {{.id = "transaction/without-begin",
      .severity = Severity::warning,
      .title = "COMMIT or ROLLBACK without BEGIN",
      .why = "there is no transaction to end: each statement before it has taken effect by itself",
      .fix = "begin with BEGIN, or leave it out"},
     without_begin},
    {{.id = "transaction/work-under-lock",
      .severity = Severity::error,
      .title = "Long work while a strong lock is held",
      .why = "a lock is held to the end of its transaction, so all that follows adds to the wait",
      .fix = "let what reads or writes whole tables stand in a step or transaction of its own",
      .like = "eugene E4, strong_migrations",
      .weight = LintRule::Weight::by_size},
     work_under_lock},
    {{.id = "data/rows-and-schema-together",
      .severity = Severity::warning,
      .title = "Rows and schema are changed in one transaction",
      .why =
          "a lock is held to the end of its transaction, so the table stays closed while the rows "
          "are changed",
      .fix = "change the schema in one step, and the rows by a backfill step after it",
      .like = "eugene E4, strong_migrations, pg-migration-lint"},
     rows_and_schema},
    {{.id = "lock/two-tables-in-one-transaction",
      .severity = Severity::warning,
      .title = "Strong locks on two tables in one transaction",
      .why = "everything waits for both, and a transaction of the application that takes them the "
             "other way round ends in a deadlock",
      .fix = "one table in each step or transaction"},
     two_tables},
    {{.id = "transaction/new-label-used",
      .severity = Severity::error,
      .title = "A new value of an enumeration is used in the transaction that adds it",
      .why = "a new value cannot be used before the transaction that adds it has been committed",
      .fix = "ALTER TYPE … ADD VALUE in an earlier step or transaction",
      .like = "safe-migrate"},
     new_label_used},
    {{.id = "session/no-lock-timeout",
      .severity = Severity::warning,
      .title = "A strong lock is asked for without lock_timeout",
      .why =
          "while it waits for the lock, every read or write that comes after it waits behind it, "
          "for as long as the oldest transaction on the table lasts",
      .fix = "SET lock_timeout = '2s' before it, and try again where it fails; or let runbookd run "
             "it, with a stall budget",
      .like = "squawk require-lock-timeout, eugene E9, strong_migrations"},
     no_lock_timeout},
    {{.id = "session/short-timeout-on-build",
      .severity = Severity::warning,
      .title = "A short timeout is in force while an index is built concurrently",
      .why = "a concurrent build waits for every transaction that is older than itself; a timeout "
             "ends it and leaves an invalid index behind",
      .fix = "SET lock_timeout = 0 and statement_timeout = 0 before it: it lets reads and writes "
             "pass"},
     short_timeout},
    {{.id = "session/timeout-switched-off",
      .severity = Severity::note,
      .title = "lock_timeout is switched off",
      .why =
          "statements after this one wait for their lock without end, and everything behind them",
      .fix = "only before a statement CONCURRENTLY; set it again after that",
      .use = LintRule::Use::optional},
     timeout_off},
});

}  // namespace

std::span<StatementRule const> transaction_rules() { return rules; }

}  // namespace runbookd::planner::lint_rules
