#include <algorithm>
#include <array>

#include "planner/plan_reading.h"

namespace runbookd::planner {
namespace {

void read_phase_name(Reading& reading, Node const& node, Phase& phase) {
  phase.name = reading.free_name(node);
}

void read_kind(Reading& reading, Node const& node, Phase& phase) {
  auto const choice = reading.one_of(node, {"expand", "backfill", "enforce", "contract", "other"});
  phase.kind = choice ? static_cast<PhaseKind>(*choice) : phase.kind;
}

void read_count(Reading& reading, Node const& node, Approval& approval) {
  approval.count = static_cast<int>(reading.number(node, 1).value_or(approval.count));
}
void read_expires(Reading& reading, Node const& node, Approval& approval) {
  approval.expires = reading.duration(node, Duration{1});
}
constexpr std::array approval_keys{
    Key<Approval>{"from", read_text<&Approval::from>, Presence::required},
    Key<Approval>{"count", read_count},
    Key<Approval>{"expires", read_expires},
};
constexpr Table<Approval> approval_table{"approval", "`approval`", approval_keys};

void read_after(Reading& reading, Node const& node, NotBefore& gate) {
  gate.after = reading.text(node).value_or("");
  auto const& names = reading.phase_names;
  auto const found = std::find(names.begin(), names.end(), gate.after);
  if (found == names.end()) {
    return reading.unknown(node, gate.after, "phase", names);
  }
  if (static_cast<std::size_t>(found - names.begin()) >= reading.phase_index) {
    reading.error(node.spot, "plan/unknown-reference",
                  "the phase `" + gate.after + "` does not come before this one",
                  "name an earlier phase");
  }
}
constexpr std::array not_before_keys{
    Key<NotBefore>{"after", read_after, Presence::required},
    Key<NotBefore>{"wait", read_duration<&NotBefore::wait, 0>, Presence::required},
};
constexpr Table<NotBefore> not_before_table{"not_before", "`not_before`", not_before_keys};

void read_approval(Reading& reading, Node const& node, Phase& phase) {
  phase.approval = read_mapping(reading, node, approval_table);
}
void read_not_before(Reading& reading, Node const& node, Phase& phase) {
  phase.not_before = read_mapping(reading, node, not_before_table);
}

template <auto member>
void read_check_list(Reading& reading, Node const& node, Phase& phase) {
  phase.*member = read_checks(reading, node);
}

void read_steps(Reading& reading, Node const& node, Phase& phase) {
  if (!reading.is_list(node)) {
    return;
  }
  if (node.children.empty()) {
    reading.error(node.spot, "plan/missing-key", "the phase `" + phase.name + "` has no steps",
                  "add a step, or remove the phase");
  }
  reading.check_unique(node, "step of this phase");
  for (Node const& child : node.children) {
    Node const* name = child.find("name");
    reading.step = name == nullptr ? "" : phase.name + "/" + name->text;
    phase.steps.push_back(read_step(reading, child));
    reading.step.clear();
  }
}

// The name stands first: findings about steps carry it.
constexpr std::array phase_table_keys{
    Key<Phase>{"name", read_phase_name, Presence::required},
    Key<Phase>{"kind", read_kind},
    Key<Phase>{"goal", read_text<&Phase::goal>},
    Key<Phase>{"application", read_text<&Phase::application>},
    Key<Phase>{"deploy_order", read_text<&Phase::deploy_order>},
    Key<Phase>{"requires", read_check_list<&Phase::requirements>},
    Key<Phase>{"approval", read_approval},
    Key<Phase>{"not_before", read_not_before},
    Key<Phase>{"steps", read_steps, Presence::required},
    Key<Phase>{"validate", read_check_list<&Phase::validate>},
    Key<Phase>{"soak", read_duration<&Phase::soak, 0>},
    Key<Phase>{"watch", read_check_list<&Phase::watch>},
};
constexpr Table<Phase> phase_table{"phase", "a phase", phase_table_keys};

}  // namespace

Phase read_phase(Reading& reading, Node const& node) {
  Phase phase;
  phase.place = reading.place(node.spot);
  return read_mapping(reading, node, phase_table, std::move(phase));
}

std::vector<KeySet> phase_keys() {
  return {key_set(phase_table), key_set(approval_table), key_set(not_before_table)};
}

}  // namespace runbookd::planner
