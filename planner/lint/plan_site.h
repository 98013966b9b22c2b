// A whole plan, walked once, as the rules over it see it. Private to planner/lint.
#pragma once

#include <string>
#include <vector>

#include "planner/lint/script.h"

namespace runbookd::planner::lint_rules {

struct StepStatement {
  Statement const* statement;
  pg::Tree tree;
  Effects effects;
  pg::Node node() const { return tree.statements.front().node; }
};

struct StepSite {
  std::size_t phase = 0;
  Step const* step = nullptr;
  std::string label;  // "phase/step"
  std::vector<StepStatement> forward, backward;
};

struct PlanSite {
  Plan const& plan;
  std::vector<StepSite> steps;
  Catalog const& after;  // all of it forward
  PhaseKind kind(StepSite const& site) const { return plan.phases[site.phase].kind; }
};

Findings judge_plan(PlanSite const& site);
Findings judge_ways_back(PlanSite const& site);
Findings judge_reading(PlanSite const& site);
// The query reads that table.
bool reads(SqlText const& query, RelationName const& table);

Findings judge_checks(std::vector<Check> const& checks);
Findings judge_baseline(Baseline const& baseline);
// `update`: what a batch of it does.
Findings judge_backfill(BackfillAction const& backfill, Statement const& update,
                        std::string const& step);
// Columns that it names and that are not there.
Findings judge_backfill_names(BackfillAction const& backfill, pg::Node update,
                              Catalog const& catalog, std::string const& step);
Findings judge_throttle(BackfillAction const& backfill, std::string const& step);

std::span<LintRule const> way_back_rules();
std::span<LintRule const> reading_rules();

}  // namespace runbookd::planner::lint_rules
