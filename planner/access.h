// Who may do what: roles, what each may, and on which targets. Nothing is allowed that no grant
// allows.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "planner/error.h"

namespace runbookd::planner {

enum class Role { viewer, auditor, oncall, approver, operator_, admin };
std::string_view to_text(Role role);

enum class Capability {
  open,         // for everybody, known or not
  known,        // for whoever is known, whatever the role
  read,         // runs, plans, gates
  read_audit,   // who asked for what; the evidence of a run
  see_queries,  // what other sessions of a target run
  stop,         // pause, and slow a backfill down
  roll_back,    // where the plan leaves that to the on-call
  approve,      // and reject
  operate,      // everything that goes on, and gives up
  administer,   // tokens; the word that a step in doubt has succeeded
};

std::string_view to_text(Capability capability);

bool holds(Role role, Capability capability);

// A role on the targets that a pattern names: "operator", "operator@billing-*".
struct Grant {
  Role role = Role::viewer;
  std::string targets = "*";
  bool operator==(Grant const&) const = default;
};
using Grants = std::vector<Grant>;
std::string to_text(Grant const& grant);
std::string to_text(Grants const& grants);  // "oncall viewer@billing-*"
Result<Grant> read_grant(std::string_view text);
Result<Grants> read_grants(std::vector<std::string> const& texts);

struct Principal {
  std::string name;  // "ana", "unix:ana"; empty: nobody is known
  Grants grants;
  bool proven = true;  // false: the name is what the caller says of himself
};

// Nothing instead of a target: what belongs to none. Of that, only an admin of all targets
// administers, and only an auditor of all reads what was asked of all.
using OnTarget = std::optional<std::string_view>;
bool may(Principal const& principal, Capability capability, OnTarget target);
// … on some target, whichever it is.
bool may_somewhere(Principal const& principal, Capability capability);
// Stands for all targets that there are or will be: only a role that is bound to none covers it.
inline constexpr std::string_view every_target = "*";
// The refusal names the roles that would do, and those that there are.
Result<void> expect_may(Principal const& principal, Capability capability, OnTarget target);

}  // namespace runbookd::planner
