#include "planner/lint.h"

#include <algorithm>
#include <utility>

#include "planner/lint_rules.h"
#include "planner/sql.h"
#include "planner/sql_body.h"
#include "planner/sql_kind.h"

namespace runbookd::planner {
namespace rules {

TableName table_of(pg::Node relation) {
  return {relation.text("schemaname"), relation.text("relname")};
}

bool same_table(TableName const& left, TableName const& right) {
  bool const schemas = left.schema.empty() || right.schema.empty() || left.schema == right.schema;
  return schemas && left.name == right.name;
}

bool Known::is_new(TableName const& table) const {
  return std::ranges::any_of(created, [&](auto const& one) { return same_table(one, table); });
}

bool Known::proves_not_null(TableName const& table, std::string const& column) const {
  auto const here = [&](TableName const& one) { return same_table(one, table); };
  return std::ranges::any_of(other_validated, here) ||
         std::ranges::any_of(checks, [&](KnownCheck const& check) {
           return check.validated && here(check.table) &&
                  std::ranges::find(check.not_null, column) != check.not_null.end();
         });
}

// A rollback never stops the start: it may never run. It is judged all the same.
Finding finding(Subject const& subject, Advice advice, std::size_t offset) {
  bool const milder = subject.rollback && advice.severity == Severity::error;
  return {.rule = std::move(advice.rule),
          .severity = milder ? Severity::warning : advice.severity,
          .place = subject.statement.sql.at(offset),
          .message = (subject.rollback ? "in the rollback: " : "") + std::move(advice.why),
          .fix = std::move(advice.fix),
          .step = subject.step};
}

Findings judge_index(Subject const& subject, Known const& known) {
  auto const node = subject.node;
  if (node.is("IndexStmt")) {
    auto const table = node["relation"];
    bool const only_parent = !table.flag("inh");  // ON ONLY a partitioned table: nothing is built
    if (node.flag("concurrent") || only_parent || known.is_new(table_of(table))) {
      return {};
    }
    return {finding(subject, {.rule = "lock/create-index-not-concurrent",
                              .why = "CREATE INDEX blocks every write to " + table.text("relname") +
                                     " until the whole index is built",
                              .fix = "write CREATE INDEX CONCURRENTLY, in a step of its own"})};
  }
  if (node.is("DropStmt") && node.text("removeType") == "OBJECT_INDEX" &&
      !node.flag("concurrent")) {
    return {finding(subject, {.rule = "lock/drop-index-not-concurrent",
                              .severity = Severity::warning,
                              .why = "DROP INDEX waits for a lock on its table, and every read and "
                                     "write of the table queues behind it",
                              .fix = "write DROP INDEX CONCURRENTLY, in a step of its own"})};
  }
  if (node.is("ReindexStmt") && !pg::option_set(node, "params", "concurrently", false)) {
    return {finding(subject,
                    {.rule = "lock/reindex-not-concurrent",
                     .why = "REINDEX blocks every write to the table until the index is rebuilt",
                     .fix = "write REINDEX … CONCURRENTLY, in a step of its own"})};
  }
  if (node.is("ReindexStmt") && node.text("kind") == "REINDEX_OBJECT_TABLE") {
    auto const table = table_of(node["relation"]).name;
    return {finding(
        subject,
        {.rule = "lock/reindex-partitioned-waits",
         .severity = Severity::note,
         .why = "where " + table +
                " is partitioned, REINDEX TABLE CONCURRENTLY takes its "
                "partitions one by one, and waits for the lock of each without a limit",
         .fix = "for a partitioned table write REINDEX TABLE CONCURRENTLY for each partition, in "
                "steps of their own"})};
  }
  return {};
}

namespace {

bool rewrites_whole_table(pg::Node node) {
  bool const vacuum = node.is("VacuumStmt") && node.flag("is_vacuumcmd");
  return node.is("ClusterStmt") || (vacuum && pg::option_set(node, "options", "full", false));
}

Findings judge_do_block(Subject const& subject) {
  for (auto const& inner : pg::body_statements(pg::do_body(subject.node))) {
    if (inner.in_loop && inner.changes_rows()) {
      return {finding(
          subject,
          {.rule = "data/update-without-backfill",
           .severity = Severity::warning,
           .why = "a loop in a DO block is one transaction however small its batches are: "
                  "every row stays locked until the end, and a failure undoes all of it",
           .fix =
               "use a backfill step: one transaction per batch, with pause, resume and progress"})};
    }
  }
  return {};
}

}  // namespace

Findings judge_rows(Subject const& subject, Known const& known) {
  auto const node = subject.node;
  if (node.is("DoStmt")) {
    return judge_do_block(subject);
  }
  if (rewrites_whole_table(node)) {
    return {finding(
        subject, {.rule = "lock/rewrites-table",
                  .why = subject.statement.kind +
                         " rewrites the whole table, and nobody can read or write it meanwhile",
                  .fix = "use plain VACUUM, or a tool that rewrites online, such as pg_repack"})};
  }
  auto const table = table_of(node["relation"]);
  bool const change = node.is("UpdateStmt") || node.is("DeleteStmt");
  if (!change || node.has("whereClause") || known.is_new(table)) {
    return {};
  }
  return {finding(subject, {.rule = "data/update-without-backfill",
                            .why = subject.statement.kind + " without WHERE locks every row of " +
                                   table.name + " until it commits, and leaves a dead copy of each",
                            .fix = "use a backfill step: small batches, one transaction each"})};
}

}  // namespace rules

namespace {

using rules::Judged;
using rules::Known;
using rules::Subject;

void append(Findings& all, Findings const& more) {
  all.insert(all.end(), more.begin(), more.end());
}

Judged judge_statement(Subject const& subject, Known known) {
  auto judged = subject.node.is("AlterTableStmt")
                    ? rules::judge_alter_table(subject, std::move(known))
                    : Judged{.findings = {}, .known = std::move(known)};
  append(judged.findings, rules::judge_index(subject, judged.known));
  append(judged.findings, rules::judge_rows(subject, judged.known));
  append(judged.findings, rules::judge_own_schema(subject));
  append(judged.findings, rules::judge_settings(subject));
  for (auto& [schema, name] : created_by(subject.statement)) {
    judged.known.created.push_back({schema, name});
  }
  return judged;
}

Known at_new_step(Known known) {
  known.created.clear();
  for (auto& check : known.checks) {
    check.in_this_step = false;
  }
  return known;
}

Findings judge_backfill(BackfillAction const& backfill, std::string const& step, bool rollback) {
  auto const update = update_of(backfill);
  if (!update) {
    return {};
  }
  auto findings = rules::judge_backfill(backfill, *update, step);
  append(findings, rules::judge_throttle(backfill, step));
  auto const tree = pg::parse(update->sql.text);
  append(findings, rules::judge_own_schema({*update, tree.statements.at(0).node, step, rollback}));
  return findings;
}

Judged judge_action(Action const& action, std::string const& step, bool rollback, Known known) {
  Judged judged{.findings = {}, .known = at_new_step(std::move(known))};
  if (auto const* backfill = std::get_if<BackfillAction>(&action)) {
    judged.findings = judge_backfill(*backfill, step, rollback);
  }
  auto const* sql = std::get_if<SqlAction>(&action);
  if (sql == nullptr) {
    return judged;
  }
  for (auto const& statement : sql->statements) {
    auto const tree = pg::parse(statement.sql.text);
    if (tree.statements.empty()) {
      continue;
    }
    Subject const subject{statement, tree.statements[0].node, step, rollback};
    auto next = judge_statement(subject, std::move(judged.known));
    append(judged.findings, next.findings);
    judged.known = std::move(next.known);
  }
  return judged;
}

Findings judge_gates(Phase const& phase) {
  auto findings = rules::judge_checks(phase.requirements);
  append(findings, rules::judge_checks(phase.validate));
  append(findings, rules::judge_checks(phase.watch));
  return findings;
}

Findings judge_phase(Phase const& phase) {
  if (phase.kind != PhaseKind::contract || phase.approval || phase.not_before) {
    return {};
  }
  return {
      {.rule = "plan/contract-without-wait",
       .severity = Severity::warning,
       .place = phase.place,
       .message =
           "the contract phase \"" + phase.name +
           "\" removes the old form, and nothing makes it wait until the new one has proven itself",
       .fix = "add not_before: {after: <the phase before>, wait: 72h}, or an approval"}};
}

}  // namespace

Findings lint(Plan const& plan) {
  Findings findings;
  Known known;
  for (auto const& baseline : plan.baselines) {
    append(findings, rules::judge_baseline(baseline));
  }
  for (auto const& phase : plan.phases) {
    append(findings, judge_phase(phase));
    append(findings, judge_gates(phase));
    for (auto const& step : phase.steps) {
      auto const label = phase.name + "/" + step.name;
      auto forward = judge_action(step.forward, label, false, known);
      append(findings, forward.findings);
      if (step.reversible()) {  // begins from what the step left, and changes nothing for later
                                // steps
        append(findings, judge_action(step.backward, label, true, forward.known).findings);
      }
      known = std::move(forward.known);
    }
  }
  append(findings, rules::judge_checks(plan.final_checks));
  return findings;
}

}  // namespace runbookd::planner
