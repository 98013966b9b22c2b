// A plan: every statement in its step, each step's way back, then the plan as a whole.
#include <algorithm>
#include <utility>

#include "planner/effects_recorder.h"
#include "planner/lint/plan_site.h"
#include "planner/replay.h"
#include "planner/sql.h"

namespace runbookd::planner {
namespace {

using namespace lint_rules;

constexpr int newest = 18, oldest = 13;

void append(Findings& all, Findings const& more) {
  all.insert(all.end(), more.begin(), more.end());
}

class PlanWalk {
 public:
  PlanWalk(Plan const& plan, LintOptions const& options)
      : plan_(plan), catalog_(options.catalog), walk_{.options = options} {}

  Findings findings() {
    for (auto const& baseline : plan_.baselines) {
      append(walk_.findings, judge_baseline(baseline));
    }
    for (std::size_t i = 0; i < plan_.phases.size(); ++i) {
      append(walk_.findings, judge_checks(plan_.phases[i].requirements));
      append(walk_.findings, judge_checks(plan_.phases[i].validate));
      append(walk_.findings, judge_checks(plan_.phases[i].watch));
      for (auto const& step : plan_.phases[i].steps) {
        judge_step(i, step);
      }
    }
    append(walk_.findings, judge_checks(plan_.final_checks));
    judge_keys(walk_, catalog_);
    PlanSite const site{plan_, std::move(steps_), catalog_};
    append(walk_.findings, judge_plan(site));
    append(walk_.findings, judge_ways_back(site));
    auto const place = plan_.phases.empty() ? Place{} : plan_.phases.front().place;
    return acknowledge(std::move(walk_.findings), plan_.acknowledged,
                       {.file = place.file, .line = 0, .column = 0});
  }

 private:
  void judge_step(std::size_t phase, Step const& step) {
    StepSite site{
        .phase = phase, .step = &step, .label = plan_.phases[phase].name + "/" + step.name};
    judge_action(step.forward, site, Where::step, catalog_);
    if (step.reversible()) {  // begins from what the step left, changes nothing for later steps
      auto const known = walk_.known;
      auto catalog = std::holds_alternative<SqlAction>(step.backward) ? catalog_ : Catalog{};
      judge_action(step.backward, site, Where::rollback, catalog);
      walk_.known = known;
    }
    steps_.push_back(std::move(site));
  }

  void judge_action(Action const& action, StepSite& site, Where where, Catalog& catalog) {
    // what the step has made is the rollback's to take away
    bool const back = where == Where::rollback;
    end_transaction(walk_.known, back ? NewTables::stay_new : NewTables::are_in_use);
    Standing standing{where, plan_.phases[site.phase].kind, site.label};
    if (auto const* backfill = std::get_if<BackfillAction>(&action)) {
      judge_fill(*backfill, standing);
    } else if (auto const* sql = std::get_if<SqlAction>(&action)) {
      if (sql->transactional()) {
        begin_transaction(walk_.known);
      }
      standing.alone = sql->statements.size() == 1;
      for (auto const& statement : sql->statements) {
        judge_one(statement, site, standing, catalog);
      }
    }
  }

  void judge_one(Statement const& statement, StepSite& site, Standing const& standing,
                 Catalog& catalog) {
    auto tree = pg::parse(statement.sql.text);
    if (tree.statements.empty()) {
      return;
    }
    auto const node = tree.statements.front().node;
    auto effects =
        record_effects(tree, tree.statements.front(), catalog, walk_.options.server_major);
    judge_statement(walk_, statement, node, effects, catalog, standing);
    replay_statement(catalog, node);
    auto& list = standing.where == Where::rollback ? site.backward : site.forward;
    list.push_back({&statement, std::move(tree), std::move(effects)});
  }

  void judge_fill(BackfillAction const& backfill, Standing const& standing) {
    auto const update = update_of(backfill);
    if (!update) {
      return;
    }
    append(walk_.findings, judge_backfill(backfill, *update, standing.step));
    append(walk_.findings, judge_throttle(backfill, standing.step));
    auto const tree = pg::parse(update->sql.text);
    if (touches_own_schema(*update, tree.statements.at(0).node)) {
      auto const& rule = *find_rule("session/changes-runbookd-schema");
      walk_.findings.push_back(finding_of(rule, backfill.place, "", "", standing.step));
    }
  }

  Plan const& plan_;
  Catalog catalog_;
  Walk walk_;
  std::vector<StepSite> steps_;
};

}  // namespace

Findings lint(Plan const& plan, LintOptions options) {
  options.server_major = std::clamp(options.server_major, oldest, newest);
  return PlanWalk(plan, options).findings();
}

LintOptions options_for(ServerCatalog known) {
  constexpr int major = 10'000;
  LintOptions options{.catalog = std::move(known.catalog)};
  if (known.server_version > 0) {
    options.server_major = known.server_version / major;
    options.server_minor = known.server_version % major;
  }
  return options;
}

Findings made_by_target(Findings by_target, Findings const& by_text) {
  std::erase_if(by_target, [&](Finding const& finding) {
    return std::ranges::any_of(by_text, [&](Finding const& known) {
      return known.rule == finding.rule && known.step == finding.step &&
             known.place == finding.place && known.severity <= finding.severity;
    });
  });
  for (auto& finding : by_target) {
    // both are about a file; of a stored plan there is only its canonical form, which nobody wrote
    finding.edits.clear();
    finding.place = {};
  }
  return by_target;
}

Findings lint(Plan const& plan) {
  auto const least = plan.database.min_version;
  return lint(plan, {.server_major = least == 0 ? newest : least});
}

}  // namespace runbookd::planner
