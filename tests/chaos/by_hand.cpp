#include "tests/chaos/by_hand.h"

#include <algorithm>
#include <variant>
#include <vector>

#include "planner/plan_reader.h"
#include "planner/sql.h"

namespace runbookd::chaos {
namespace {

std::vector<std::string> statements_of(planner::Action const& action) {
  std::vector<std::string> statements;
  if (auto const* sql = std::get_if<planner::SqlAction>(&action)) {
    std::ranges::transform(sql->statements, std::back_inserter(statements),
                           [](planner::Statement const& one) { return one.sql.text; });
  } else if (auto const* fill = std::get_if<planner::BackfillAction>(&action)) {
    statements.push_back(planner::update_of(*fill)->sql.text);
  }
  return statements;
}

void send(planner::Action const& action, Site const& site) {
  for (auto const& statement : statements_of(action)) {
    site.sql(statement);
  }
}

}  // namespace

Undisturbed by_hand(Scenario const& scenario, Site& site) {
  site.renew();
  if (!scenario.repair.empty()) {
    site.sql(scenario.repair);
  }
  auto const plan = *planner::read_plan(scenario.plan, scenario.name).plan;
  std::vector<planner::Step> steps;
  for (auto const& phase : plan.phases) {
    steps.insert(steps.end(), phase.steps.begin(), phase.steps.end());
  }
  for (auto const& step : steps) {
    send(step.forward, site);
  }
  auto forward = site.sql(target_facts);
  std::ranges::reverse(steps);
  for (auto const& step : steps) {
    send(step.backward, site);
  }
  return {.forward = std::move(forward), .backward = site.sql(target_facts)};
}

}  // namespace runbookd::chaos
