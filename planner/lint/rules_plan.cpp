// The plan as a whole: what only phases, gates and time can tell.
#include <algorithm>
#include <array>
#include <set>

#include "planner/lint/plan_site.h"
#include "planner/replay.h"
#include "planner/sql.h"
#include "planner/sql_expression.h"
#include "planner/time.h"

namespace runbookd::planner::lint_rules {
namespace {

using pg::Node;

constexpr auto rules = std::to_array<LintRule>({
    {.id = "plan/contract-without-wait",
     .severity = Severity::warning,
     .title = "A contract phase that nothing holds up",
     .why =
         "it removes the old form, and nothing makes it wait until the new one has proven itself",
     .fix = "add not_before: {after: <the phase before>, wait: 72h}, or an approval"},
    {.id = "plan/contract-without-gate",
     .severity = Severity::warning,
     .title = "A contract phase behind which no check stands",
     .why = "no phase before it validates anything and it requires nothing, so the old form is "
            "removed whether or not the new one is right",
     .fix = "add validate: to the phases before, or requires: to this one"},
    {.id = "plan/no-soak-before-contract",
     .severity = Severity::note,
     .title = "No time passes between enforce and contract",
     .why = "somebody has to approve it, but nothing gives the application time to fail first",
     .fix = "add not_before: {after: <the phase before>, wait: 72h}, or soak: to the phase before"},
    {.id = "plan/enforce-before-backfill",
     .severity = Severity::error,
     .title = "A column is enforced before it is filled",
     .why = "the rows that are there are NULL until the backfill has run, so this fails",
     .fix = "move it into a phase after the backfill"},
    {.id = "plan/enforce-before-complete",
     .severity = Severity::warning,
     .title = "A column is enforced, and no check says that it is filled",
     .why = "between the backfill and this step no check looks at the table, so a backfill that "
            "missed rows is found out only by this step's failure",
     .fix = "add to the backfill phase: validate: {sql: SELECT count(*) … IS NULL, expect: {value: "
            "0}}"},
    {.id = "plan/phase-order",
     .severity = Severity::warning,
     .title = "A phase that builds comes after the one that takes away",
     .why = "the old form is gone before the new one is complete",
     .fix = "put the contract phase last"},
    {.id = "plan/backfill-too-late",
     .severity = Severity::warning,
     .title = "A backfill in an enforce or contract phase",
     .why =
         "its rows are not complete when the phase's other steps rely on them, and no gate stands "
         "between",
     .fix = "put it into a backfill phase of its own"},
    {.id = "plan/backfill-without-validation",
     .severity = Severity::warning,
     .title = "A backfill phase that validates nothing",
     .why = "nobody looks whether rows were left out before the next phase relies on them",
     .fix = "add validate: with a count of the rows that are not done, expect: {value: 0}"},
    {.id = "plan/never-validated",
     .severity = Severity::warning,
     .title = "A NOT VALID constraint that the plan never validates",
     .why = "the rows that were there before are not checked, so nothing may rely on it",
     .fix = "add a step VALIDATE CONSTRAINT"},
    {.id = "plan/soak-without-watch",
     .severity = Severity::note,
     .title = "A soak that nobody watches",
     .why = "time passes, and nothing would be noticed",
     .fix = "add watch: with a check that fails when the application suffers"},
    {.id = "plan/stall-budget-long",
     .severity = Severity::warning,
     .title = "A long stall budget for a strong lock",
     .why = "while the lock is waited for, everything that comes after it waits as well",
     .fix = "write a stall_budget of a second or less: the lock is tried for again"},
    {.id = "plan/timeout-too-short",
     .severity = Severity::warning,
     .title = "A statement that its timeout will end",
     .why = "by the table's size it takes longer than its statement_timeout",
     .fix = "raise statement_timeout: of this step"},
    {.id = "plan/sync-trigger-dropped-early",
     .severity = Severity::warning,
     .title = "A trigger of the plan is dropped before the contract phase",
     .why =
         "the plan made it to keep the old and the new form in step, and readers of the old form "
         "may still be there",
     .fix = "drop it in the contract phase"},
});

LintRule const& rule(std::string_view id) { return *std::ranges::find(rules, id, &LintRule::id); }

RelationName written(Node relation) {
  return {relation.text("schemaname"), relation.text("relname")};
}

// --- contract phases ---

Findings judge_contract(Plan const& plan, std::size_t i) {
  auto const& phase = plan.phases[i];
  if (phase.kind != PhaseKind::contract) {
    return {};
  }
  Findings findings;
  auto const before = std::span(plan.phases).first(i);
  if (!phase.approval && !phase.not_before) {
    findings.push_back(finding_of(
        rule("plan/contract-without-wait"), phase.place,
        "the contract phase \"" + phase.name +
            "\" removes the old form, and nothing makes it wait until the new one has proven "
            "itself"));
  }
  bool const checked = !phase.requirements.empty() ||
                       std::ranges::any_of(before, [](auto& p) { return !p.validate.empty(); });
  if (!before.empty() && !checked) {
    findings.push_back(finding_of(rule("plan/contract-without-gate"), phase.place));
  }
  bool const soaks = std::ranges::any_of(before, [](auto& p) { return p.soak > Duration{0}; }) ||
                     (phase.not_before && phase.not_before->wait > Duration{0});
  if (!before.empty() && !soaks && phase.approval) {
    findings.push_back(finding_of(rule("plan/no-soak-before-contract"), phase.place));
  }
  return findings;
}

Findings judge_phases(Plan const& plan) {
  Findings findings;
  bool contracted = false;
  for (std::size_t i = 0; i < plan.phases.size(); ++i) {
    auto const& phase = plan.phases[i];
    auto const more = judge_contract(plan, i);
    findings.insert(findings.end(), more.begin(), more.end());
    bool const builds = phase.kind == PhaseKind::backfill || phase.kind == PhaseKind::enforce;
    if (contracted && builds) {
      findings.push_back(finding_of(rule("plan/phase-order"), phase.place));
    }
    contracted = contracted || phase.kind == PhaseKind::contract;
    bool const fills = std::ranges::any_of(phase.steps, [](Step const& step) {
      return std::holds_alternative<BackfillAction>(step.forward);
    });
    if (phase.kind == PhaseKind::backfill && fills && phase.validate.empty()) {
      findings.push_back(finding_of(rule("plan/backfill-without-validation"), phase.place));
    }
    if (phase.soak > Duration{0} && phase.watch.empty()) {
      findings.push_back(finding_of(rule("plan/soak-without-watch"), phase.place));
    }
  }
  return findings;
}

// --- backfills and what relies on them ---

struct Fill {
  std::size_t phase, index;  // of the step in the whole plan
  RelationName table;
  std::vector<std::string> columns;
  std::string label;
  Place place;
};

std::vector<Fill> fills_of(PlanSite const& site) {
  std::vector<Fill> fills;
  for (std::size_t i = 0; i < site.steps.size(); ++i) {
    auto const& step = site.steps[i];
    auto const* action = std::get_if<BackfillAction>(&step.step->forward);
    auto const update = action == nullptr ? std::nullopt : update_of(*action);
    if (!update) {
      continue;
    }
    auto const tree = pg::parse(update->sql.text);
    Fill fill{.phase = step.phase, .index = i, .label = step.label, .place = action->place};
    fill.table = written(tree.statements.at(0).node["relation"]);
    for (auto const target : tree.statements.at(0).node.list("targetList")) {
      fill.columns.push_back(target.text("name"));
    }
    fills.push_back(std::move(fill));
  }
  return fills;
}

// SET NOT NULL of these columns, where one of them is filled.
std::vector<std::string> enforced(Node node) {
  std::vector<std::string> columns;
  for (auto const command : node.list("cmds")) {
    if (command.text("subtype") == "AT_SetNotNull") {
      columns.push_back(command.text("name"));
    }
  }
  return columns;
}

// A check between the two: after the backfill's phase, or before the other's.
bool looked_at(PlanSite const& site, Fill const& fill, std::size_t phase) {
  auto const& phases = site.plan.phases;
  auto const any = [&](std::vector<Check> const& checks) {
    return std::ranges::any_of(checks, [&](Check const& c) { return reads(c.sql, fill.table); });
  };
  for (std::size_t i = fill.phase; i < phase; ++i) {
    if (any(phases[i].validate)) {
      return true;
    }
  }
  for (std::size_t i = fill.phase + 1; i <= phase; ++i) {
    if (any(phases[i].requirements)) {
      return true;
    }
  }
  return false;
}

Findings judge_fills(PlanSite const& site) {
  Findings findings;
  auto const fills = fills_of(site);
  for (auto const& fill : fills) {
    auto const kind = site.plan.phases[fill.phase].kind;
    if (kind == PhaseKind::enforce || kind == PhaseKind::contract) {
      findings.push_back(
          finding_of(rule("plan/backfill-too-late"), fill.place, "", "", fill.label));
    }
  }
  for (std::size_t i = 0; i < site.steps.size(); ++i) {
    auto const& step = site.steps[i];
    for (auto const& one : step.forward) {
      auto const columns = enforced(one.node());
      for (auto const& fill : fills) {
        bool const same = same_table(fill.table, written(one.node()["relation"])) &&
                          std::ranges::any_of(columns, [&](auto const& column) {
                            return holds(fill.columns, column);
                          });
        if (same && i < fill.index) {
          findings.push_back(finding_of(rule("plan/enforce-before-backfill"),
                                        one.statement->sql.place, "", "", step.label));
        } else if (same && !looked_at(site, fill, step.phase)) {
          findings.push_back(finding_of(rule("plan/enforce-before-complete"),
                                        one.statement->sql.place, "", "", step.label));
        }
      }
    }
  }
  return findings;
}

// --- constraints that stay NOT VALID ---

struct Unvalidated {
  RelationName table;
  std::string name, label;
  Place place;
  std::size_t phase;
};

Findings judge_unvalidated(PlanSite const& site) {
  std::vector<Unvalidated> open;
  for (auto const& step : site.steps) {
    for (auto const& one : step.forward) {
      auto const table = written(one.node()["relation"]);
      for (auto const command : one.node().list("cmds")) {
        auto const type = command.text("subtype");
        auto const def = command["def"];
        if (type == "AT_AddConstraint" && def.flag("skip_validation") &&
            !def.text("conname").empty()) {
          open.push_back(
              {table, def.text("conname"), step.label, one.statement->sql.place, step.phase});
        } else if (type == "AT_ValidateConstraint" || type == "AT_DropConstraint") {
          std::erase_if(open, [&](Unvalidated const& u) {
            return u.name == command.text("name") && same_table(u.table, table);
          });
        }
      }
    }
  }
  Findings findings;
  for (auto const& one : open) {
    auto const rest = std::span(site.plan.phases).subspan(one.phase);
    bool const relied_on = std::ranges::any_of(rest, [](Phase const& phase) {
      return phase.kind == PhaseKind::enforce || phase.kind == PhaseKind::contract;
    });
    if (relied_on) {
      findings.push_back(finding_of(
          rule("plan/never-validated"), one.place,
          "constraint " + one.name + ": " + std::string(rule("plan/never-validated").why), "",
          one.label));
    }
  }
  return findings;
}

// --- limits of a step ---

Findings judge_limits(PlanSite const& site) {
  constexpr Duration long_stall{5'000};
  Findings findings;
  for (auto const& step : site.steps) {
    auto const* action = std::get_if<SqlAction>(&step.step->forward);
    if (action == nullptr || !action->transactional()) {
      continue;
    }
    for (auto const& one : step.forward) {
      bool const strong = !one.effects.blocks_writes().empty();
      if (strong && action->lock.stall_budget > long_stall) {
        findings.push_back(
            finding_of(rule("plan/stall-budget-long"), step.step->place, "", "", step.label));
        break;
      }
    }
    for (auto const& one : step.forward) {
      auto const limit = action->statement_timeout.count();
      if (limit > 0 && one.effects.hold_ms > limit) {
        findings.push_back(finding_of(rule("plan/timeout-too-short"), one.statement->sql.place, "",
                                      "", step.label));
      }
    }
  }
  return findings;
}

// --- triggers that keep two forms in step ---

Findings judge_triggers(PlanSite const& site) {
  Findings findings;
  std::set<std::string> made;
  bool const contracts = std::ranges::any_of(
      site.plan.phases, [](Phase const& p) { return p.kind == PhaseKind::contract; });
  for (auto const& step : site.steps) {
    for (auto const& one : step.forward) {
      auto const node = one.node();
      if (node.is("CreateTrigStmt")) {
        made.insert(node.text("trigname"));
      }
      if (!node.is("DropStmt") || node.text("removeType") != "OBJECT_TRIGGER" ||
          site.kind(step) == PhaseKind::contract || !contracts) {
        continue;
      }
      for (auto const object : node.list("objects")) {
        auto const path = pg::names(object.list("items"));
        if (!path.empty() && made.contains(path.back())) {
          findings.push_back(finding_of(rule("plan/sync-trigger-dropped-early"),
                                        one.statement->sql.place, "", "", step.label));
        }
      }
    }
  }
  return findings;
}

}  // namespace

Findings judge_plan(PlanSite const& site) {
  auto findings = judge_phases(site.plan);
  for (auto const& part : {judge_fills(site), judge_unvalidated(site), judge_limits(site),
                           judge_triggers(site), judge_reading(site)}) {
    findings.insert(findings.end(), part.begin(), part.end());
  }
  return findings;
}

std::span<LintRule const> plan_rules() { return rules; }

}  // namespace runbookd::planner::lint_rules
