// What people say at a gate: sign, refuse, take that back; and the way past it, which takes two.
#include <algorithm>
#include <cctype>

#include "planner/machine_decision.h"
#include "planner/machine_standing.h"
#include "planner/run_rules.h"

namespace runbookd::planner {
namespace {

constexpr auto override_waits_for = std::chrono::hours{1};
constexpr auto overridden_gate_lasts = std::chrono::hours{1};

bool is_named(Wish const& wish, std::string const& phase) {
  return phase == wish.plan.phases[wish.state.phase].name;
}

std::optional<Verdicts> no_signature_wanted(Wish const& wish, std::string const& phase) {
  auto const& here = wish.plan.phases[wish.state.phase];
  if (!at_gate(wish.state)) {
    return wish.wrong_state("waiting or paused at a gate");
  }
  if (phase != here.name) {
    return wish.refuse("the gate that stands open for decision is that of phase " + here.name +
                       ", not \"" + phase + "\"");
  }
  if (!here.approval) {
    return wish.refuse("phase " + phase + " asks for no approval");
  }
  return std::nullopt;
}

// Whoever wants the run to go on is no second pair of eyes.
std::optional<Verdicts> not_a_second_person(Wish const& wish, std::string const& verb) {
  auto const own = [&](std::string const& whose, std::string const& deed) {
    return wish.refuse("\"" + wish.command.actor + "\" " + deed + "; somebody else has to " + verb,
                       verb + " --phase " + wish.plan.phases[wish.state.phase].name +
                           "   # by somebody else than " + whose,
                       ErrorCode::self_approval);
  };
  if (same_person(wish.command.actor, wish.state.creator)) {
    return own(wish.state.creator, "created this run");
  }
  if (!wish.state.uploader.empty() && same_person(wish.command.actor, wish.state.uploader)) {
    return own(wish.state.uploader, "brought this plan");
  }
  return std::nullopt;
}

std::string const* own_signature(Wish const& wish) {
  auto const found = std::ranges::find_if(wish.state.approvers, [&](auto const& entry) {
    return same_person(entry.first, wish.command.actor);
  });
  return found == wish.state.approvers.end() ? nullptr : &found->first;
}

bool override_stands(Wish const& wish) {
  return wish.state.override_asked && wish.now < wish.state.override_asked->until;
}

bool failed_by_checks(RunState const& state) {
  return state.mode == RunMode::failed && state.checks_failed && state.stage != Stage::gate;
}

bool asks_for_its_name(Phase const& phase) {
  return phase.kind == PhaseKind::contract ||
         std::ranges::any_of(phase.steps, [](Step const& step) { return !step.reversible(); });
}

std::optional<Verdicts> nothing_to_go_past(Wish const& wish) {
  auto const& state = wish.state;
  if (failed_by_checks(state)) {
    return std::nullopt;
  }
  if (state.mode == RunMode::failed && state.checks_failed) {
    return wish.refuse(
        "the gate was rejected by a person, which nobody overrides; evaluate opens "
        "it again");
  }
  bool const gate = state.mode == RunMode::waiting && at_gate(state);
  if (!gate && state.mode != RunMode::pending) {
    return wish.wrong_state("waiting at a gate that is shut, or failed by a check");
  }
  bool const shut = gate && !gate_needs(wish.plan, state, wish.now).empty();
  bool const outside = wish.command.house.window && !gate_is_overridden(state, wish.now);
  if (!shut && !outside) {
    return wish.refuse("nothing keeps the run from going on: there is nothing to override");
  }
  return std::nullopt;
}

std::optional<Verdicts> wrong_confirmation(Wish const& wish, Override const& ask) {
  auto const& phase = wish.plan.phases[wish.state.phase];
  if (ask.confirm == phase.name || (ask.confirm.empty() && !asks_for_its_name(phase))) {
    return std::nullopt;
  }
  auto const why =
      ask.confirm.empty()
          ? "phase " + phase.name +
                (phase.kind == PhaseKind::contract ? " is a contract phase"
                                                   : " has a step that cannot be taken back") +
                "; confirm with its name"
          : "the confirmation \"" + ask.confirm + "\" is not the phase's name, " + phase.name;
  return wish.refuse(
      why, "override --phase " + phase.name + " --confirm " + phase.name + " --reason TEXT",
      ErrorCode::confirm_mismatch);
}

std::vector<CheckPlace> checks_at_hand(RunState const& state) {
  return failed_by_checks(state)
             ? std::vector<CheckPlace>(state.failed_checks.begin(), state.failed_checks.end())
             : std::vector<CheckPlace>{};
}

}  // namespace

bool same_person(std::string_view a, std::string_view b) {
  constexpr std::string_view of_machine = "unix:";
  for (auto* name : {&a, &b}) {
    name->remove_prefix(name->starts_with(of_machine) ? of_machine.size() : 0);
  }
  return std::ranges::equal(
      a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

Verdicts sign(Wish const& wish, Approve const& ask) {
  if (auto wrong = no_signature_wanted(wish, ask.phase)) {
    return *wrong;
  }
  if (ask.gate && *ask.gate != wish.state.gate) {
    return wish.refuse("the gate of phase " + ask.phase +
                           " has been reached anew since it was looked at (opening " +
                           std::to_string(*ask.gate) + ", now " + std::to_string(wish.state.gate) +
                           "): what was seen then is not what stands now",
                       "status", ErrorCode::approval_stale);
  }
  if (auto same = not_a_second_person(wish, "approve")) {
    return *same;
  }
  auto const& lasts = wish.plan.phases[wish.state.phase].approval->expires;
  auto const until = lasts ? std::optional{wish.now + *lasts} : std::nullopt;
  auto const* own = own_signature(wish);
  if (own == nullptr) {
    return Wish::one(PhaseApproved{.phase = wish.state.phase, .until = until});
  }
  auto const valid = valid_approvers(wish.state, wish.now);
  if (std::ranges::find(valid, *own) != valid.end()) {
    return nothing_to_do();
  }
  return std::vector<EventBody>{ApprovalWithdrawn{.phase = wish.state.phase, .of = *own},
                                PhaseApproved{.phase = wish.state.phase, .until = until}};
}

Verdicts sign(Wish const& wish, Reject const& ask) {
  if (auto wrong = no_signature_wanted(wish, ask.phase)) {
    return *wrong;
  }
  if (auto missing = wish.reason_missing()) {
    return *missing;
  }
  return Wish::one(PhaseRejected{wish.state.phase});
}

Verdicts sign(Wish const& wish, Withdraw const& ask) {
  bool const asked_override =
      override_stands(wish) && same_person(wish.state.override_asked->by, wish.command.actor);
  if (asked_override && is_named(wish, ask.phase)) {
    return Wish::one(OverrideWithdrawn{wish.state.phase});
  }
  if (auto wrong = no_signature_wanted(wish, ask.phase)) {
    return *wrong;
  }
  auto const* own = own_signature(wish);
  if (own == nullptr) {
    return wish.refuse("\"" + wish.command.actor + "\" has signed nothing at this gate", "status");
  }
  return Wish::one(ApprovalWithdrawn{.phase = wish.state.phase, .of = *own});
}

Verdicts sign(Wish const& wish, Override const& ask) {
  if (auto nothing = nothing_to_go_past(wish)) {
    return *nothing;
  }
  auto const& phase = wish.plan.phases[wish.state.phase].name;
  if (!is_named(wish, ask.phase)) {
    return wish.refuse("the run stands at phase " + phase + ", not at \"" + ask.phase + "\"",
                       "override --phase " + phase + " --reason TEXT");
  }
  if (auto missing = wish.reason_missing()) {
    return *missing;
  }
  if (auto wrong = wrong_confirmation(wish, ask)) {
    return *wrong;
  }
  if (override_stands(wish)) {
    auto const& asked = *wish.state.override_asked;
    return wish.refuse("an override is asked for already, by " + asked.by + ", until " +
                           to_rfc3339(asked.until) + "; a second person confirms it",
                       "countersign --phase " + phase);
  }
  return Wish::one(OverrideAsked{.phase = wish.state.phase,
                                 .until = wish.now + override_waits_for,
                                 .checks = checks_at_hand(wish.state)});
}

Verdicts sign(Wish const& wish, Countersign const& ask) {
  auto const& phase = wish.plan.phases[wish.state.phase].name;
  if (!override_stands(wish)) {
    auto const late = wish.state.override_asked
                          ? "the override that " + wish.state.override_asked->by +
                                " asked for was good until " +
                                to_rfc3339(wish.state.override_asked->until)
                          : std::string{"nobody has asked for an override here"};
    return wish.refuse(late, "override --phase " + phase + " --reason TEXT");
  }
  if (!is_named(wish, ask.phase)) {
    return wish.refuse("the override is of phase " + phase + ", not of \"" + ask.phase + "\"",
                       "countersign --phase " + phase);
  }
  auto const& asked = *wish.state.override_asked;
  if (same_person(wish.command.actor, asked.by)) {
    return wish.refuse("\"" + wish.command.actor +
                           "\" asked for this override; somebody else has to countersign it",
                       "countersign --phase " + phase + "   # by somebody else than " + asked.by,
                       ErrorCode::self_approval);
  }
  if (auto same = not_a_second_person(wish, "countersign")) {
    return *same;
  }
  return Wish::one(Overridden{.phase = wish.state.phase,
                              .asked_by = asked.by,
                              .why = asked.why,
                              .until = wish.now + overridden_gate_lasts,
                              .checks = checks_at_hand(wish.state)});
}

}  // namespace runbookd::planner
