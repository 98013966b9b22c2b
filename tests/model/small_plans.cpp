#include "tests/model/small_plans.h"

namespace runbookd::tests {

using namespace planner;
using namespace std::chrono_literals;

namespace {

SqlAction sql_action(std::string const& name, bool transactional) {
  SqlText const text{.text = "ALTER TABLE t ADD COLUMN " + name + " int", .place = {}, .indent = 0};
  return {.source = text,
          .statements = {{.sql = text, .kind = "ALTER TABLE", .transactional = transactional}},
          .lock = {.stall_budget = 100ms, .give_up_after = 300ms}};
}

Step step(std::string name, Action forward, Action backward) {
  Step result;
  result.name = std::move(name);
  result.forward = std::move(forward);
  result.backward = std::move(backward);
  return result;
}

Phase phase(std::string name, std::vector<Step> steps) {
  Phase result;
  result.name = std::move(name);
  result.steps = std::move(steps);
  return result;
}

Plan plan(std::vector<Phase> phases) {
  Plan result;
  result.name = "small";
  result.phases = std::move(phases);
  return result;
}

}  // namespace

Action ddl(std::string const& name) { return sql_action(name, true); }
Action concurrent(std::string const& name) { return sql_action(name, false); }
Action backfill() {
  BackfillAction fill;
  fill.table = "t";
  fill.set = {{"a", "1"}};
  fill.lock = {.stall_budget = 100ms, .give_up_after = 300ms};
  return fill;
}
Action by_hand() { return ManualAction{"deploy"}; }
Action pause_of(Duration duration) { return WaitAction{duration}; }
Check check(std::string const& name) {
  Check result;
  result.name = name;
  result.expect = ValueIs{"0"};
  result.every = 1s;
  return result;
}

std::vector<NamedPlan> small_plans() {
  std::vector<NamedPlan> plans;
  auto checked = plan({phase("only", {step("a", ddl("a"), ddl("a"))})});
  checked.phases[0].requirements = {check("ready")};
  checked.phases[0].validate = {check("valid")};
  checked.final_checks = {check("final")};
  plans.push_back({"one step between checks", checked});

  auto gated = plan({phase("expand", {step("b", concurrent("b"), concurrent("b"))}),
                     phase("contract", {step("c", ddl("c"), NoAction{"nothing to undo"})})});
  gated.phases[1].approval = Approval{.from = "dba", .count = 1};
  gated.phases[1].not_before = NotBefore{.after = "expand", .wait = 1s};
  gated.phases[1].steps[0].skippable = true;
  gated.phases[0].validate = {check("valid")};
  gated.phases[1].requirements = {check("ready")};
  plans.push_back({"two phases with every gate", gated});

  auto soaking = plan({phase("fill", {step("fill", backfill(), backfill()),
                                      step("wait", pause_of(1s), NoAction{"time"})}),
                       phase("end", {step("c", ddl("c"), ddl("c"))})});
  soaking.on_restart = OnRestart::resume;
  soaking.phases[0].soak = 2s;
  soaking.phases[0].watch = {check("watch")};
  soaking.phases[1].steps[0].irreversible = "the data is gone";
  plans.push_back({"backfill, wait, soak, and a point of no return", soaking});

  auto manual =
      plan({phase("expand", {step("a", ddl("a"), ddl("a")), step("deploy", by_hand(), by_hand()),
                             step("b", ddl("b"), by_hand())})});
  plans.push_back({"manual steps both ways", manual});

  auto automatic = plan({phase("one", {step("a", ddl("a"), ddl("a"))}),
                         phase("two", {step("b", backfill(), NoAction{"values stay"}),
                                       step("c", ddl("c"), ddl("c"))})});
  automatic.on_failure = OnFailure::rollback;
  automatic.on_restart = OnRestart::resume;
  automatic.phases[1].validate = {check("valid")};
  plans.push_back({"rollback on failure, resume on restart", automatic});

  auto told = plan({phase(
      "only", {step("a", ddl("a"), AutoAction{}), step("b", concurrent("b"), AutoAction{})})});
  plans.push_back({"ways back that the catalog tells", told});
  return plans;
}

}  // namespace runbookd::tests
