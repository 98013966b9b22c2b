// Gates: what has to hold before a phase is entered. Each follows from the plan, the state and the
// last results of checks.
#include <nlohmann/json.hpp>

#include "planner/run_rules.h"
#include "planner/view_parts.h"

namespace runbookd::planner {
namespace {

using view::Json;

bool at_gate_of(RunState const& state, int phase) {
  return state.phase == phase && (state.stage == Stage::gate || state.stage == Stage::baselines);
}

bool is_entered(RunState const& state, int phase) {
  bool const inside =
      state.phase == phase && !at_gate_of(state, phase) && state.stage != Stage::requirements;
  return state.phase > phase || inside;
}

// Its own requirements, and what the phase before has to have shown.
Json checks_of_gate(Json const& phases, int phase) {
  auto list = Json::array();
  auto const add = [&](int of, bool requirements) {
    for (auto const& check : phases[static_cast<std::size_t>(of)]["checks"]) {
      if ((check["stage"] == "requirements") == requirements) {
        list.push_back(check);
      }
    }
  };
  if (phase > 0) {
    add(phase - 1, false);
  }
  add(phase, true);
  return list;
}

std::string_view result_of(RunState const& state, int phase) {
  if (is_entered(state, phase)) {
    return "passed";
  }
  bool const shut = state.phase == phase && state.mode == RunMode::failed && state.checks_failed;
  return shut ? "failed" : "open";
}

// What a person or the time still has to do; known of the gate that the run stands at.
Json missing(RunFacts const& facts, int phase, Moment now) {
  auto list = Json::array();
  if (!at_gate_of(*facts.state, phase)) {
    return list;
  }
  for (auto const& need : gate_needs(*facts.plan, *facts.state, now)) {
    list.push_back({{"kind", need.kind},
                    {"message", need.message},
                    {"until", need.until ? view::time_json(*need.until) : Json()}});
  }
  return list;
}

Json gate_json(RunFacts const& facts, Json const& phases, int index, Moment now) {
  auto const& phase = phases[static_cast<std::size_t>(index)];
  Json gate{{"phase", phase["name"]},
            {"result", result_of(*facts.state, index)},
            {"checks", checks_of_gate(phases, index)},
            {"missing", missing(facts, index, now)}};
  for (auto const* key : {"approvals", "not_before"}) {
    if (phase.contains(key)) {
      gate[key] = phase[key];
    }
  }
  return gate;
}

}  // namespace

std::string phases_json(RunFacts const& facts) {
  return view::dumped({{"run", facts.id.text},
                       {"phases", view::phases_json(facts)},
                       {"final_checks", view::final_checks_json(facts)}});
}

std::string gates_json(RunFacts const& facts, Moment now) {
  auto const phases = view::phases_json(facts);
  auto gates = Json::array();
  for (int i = 0; i < std::ssize(facts.plan->phases); ++i) {
    gates.push_back(gate_json(facts, phases, i, now));
  }
  return view::dumped({{"run", facts.id.text}, {"gates", std::move(gates)}});
}

}  // namespace runbookd::planner
