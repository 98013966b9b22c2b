#include "planner/access.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fnmatch.h>

namespace runbookd::planner {
namespace {

constexpr std::array roles{
    std::pair{Role::viewer, std::string_view{"viewer"}},
    std::pair{Role::auditor, std::string_view{"auditor"}},
    std::pair{Role::oncall, std::string_view{"oncall"}},
    std::pair{Role::approver, std::string_view{"approver"}},
    std::pair{Role::operator_, std::string_view{"operator"}},
    std::pair{Role::admin, std::string_view{"admin"}},
};

bool is_pattern(std::string_view text) {
  return !text.empty() && text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_*") ==
                              std::string_view::npos;
}

bool covers(Grant const& grant, Capability capability, OnTarget target) {
  if (!target) {
    bool const of_all =
        capability == Capability::administer || capability == Capability::read_audit;
    return !of_all || grant.targets == every_target;
  }
  return fnmatch(grant.targets.c_str(), std::string(*target).c_str(), 0) == 0;
}

std::string roles_that_may(Capability capability) {
  std::string text;
  for (auto const& [role, word] : roles) {
    if (holds(role, capability)) {
      text += (text.empty() ? "" : ", ") + std::string(word);
    }
  }
  return text;
}

}  // namespace

std::string_view to_text(Role role) {
  return std::ranges::find(roles, role, &std::pair<Role, std::string_view>::first)->second;
}

std::string_view to_text(Capability capability) {
  switch (capability) {
    case Capability::open:
      return "open";
    case Capability::known:
      return "known";
    case Capability::read:
      return "read";
    case Capability::read_audit:
      return "read_audit";
    case Capability::see_queries:
      return "see_queries";
    case Capability::stop:
      return "stop";
    case Capability::roll_back:
      return "roll_back";
    case Capability::approve:
      return "approve";
    case Capability::operate:
      return "operate";
    case Capability::administer:
      return "administer";
  }
  __builtin_unreachable();
}

bool holds(Role role, Capability capability) {
  bool const operates = role == Role::operator_ || role == Role::admin;
  switch (capability) {
    case Capability::open:
    case Capability::known:
    case Capability::read:
      return true;
    case Capability::read_audit:
      return role == Role::auditor || role == Role::admin;
    case Capability::see_queries:
    case Capability::stop:
    case Capability::roll_back:
      return operates || role == Role::oncall;
    case Capability::approve:
      return role == Role::approver || role == Role::admin;
    case Capability::operate:
      return operates;
    case Capability::administer:
      return role == Role::admin;
  }
  __builtin_unreachable();
}

std::string to_text(Grant const& grant) {
  std::string const role(to_text(grant.role));
  return grant.targets == every_target ? role : role + '@' + grant.targets;
}

std::string to_text(Grants const& grants) {
  std::string text;
  for (auto const& grant : grants) {
    text += (text.empty() ? "" : " ") + to_text(grant);
  }
  return text;
}

Result<Grant> read_grant(std::string_view text) {
  auto const at = text.find('@');
  auto const word = text.substr(0, at);
  auto const targets = at == std::string_view::npos ? every_target : text.substr(at + 1);
  auto const role = std::ranges::find(roles, word, &std::pair<Role, std::string_view>::second);
  if (role == roles.end() || !is_pattern(targets)) {
    return tl::unexpected(
        Error{.code = ErrorCode::malformed,
              .detail = '"' + std::string(text) +
                        "\" is no role: it is viewer, auditor, oncall, approver, operator or "
                        "admin, and after an @ the targets that it is for",
              .next = "operator, or operator@billing-* for the targets whose names begin so"});
  }
  return Grant{.role = role->first, .targets = std::string(targets)};
}

Result<Grants> read_grants(std::vector<std::string> const& texts) {
  Grants grants;
  for (auto const& text : texts) {
    auto grant = read_grant(text);
    if (!grant) {
      return tl::unexpected(std::move(grant.error()));
    }
    grants.push_back(*std::move(grant));
  }
  return grants;
}

bool may(Principal const& principal, Capability capability, OnTarget target) {
  if (capability == Capability::open) {
    return true;
  }
  if (capability == Capability::known) {
    return !principal.name.empty();
  }
  return std::ranges::any_of(principal.grants, [&](Grant const& grant) {
    return holds(grant.role, capability) && covers(grant, capability, target);
  });
}

bool may_somewhere(Principal const& principal, Capability capability) {
  return std::ranges::any_of(principal.grants,
                             [&](Grant const& grant) { return holds(grant.role, capability); });
}

Result<void> expect_may(Principal const& principal, Capability capability, OnTarget target) {
  if (may(principal, capability, target)) {
    return {};
  }
  auto const has = principal.grants.empty() ? "no role" : to_text(principal.grants);
  return tl::unexpected(
      Error{.code = ErrorCode::capability_missing,
            .detail = "this needs one of the roles " + roles_that_may(capability) +
                      (target ? " on target " + std::string(*target) : "") + "; " +
                      (principal.name.empty() ? "the caller" : principal.name) + " has " + has,
            .next = "runbookctl whoami; an admin gives roles with: runbookctl token create"});
}

}  // namespace runbookd::planner
