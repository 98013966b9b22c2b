#include "planner/access.h"

#include <algorithm>
#include <array>
#include <string>

#include <doctest/doctest.h>

#include "planner/verb_rights.h"
#include "tests/planner/view_life.h"

using namespace runbookd::planner;
using runbookd::tests::Life;
using runbookd::tests::whole_plan;

namespace {

Principal holder(std::vector<std::string> const& roles) {
  return {.name = "ana", .grants = read_grants(roles).value()};
}

VerbState action_of(Life const& life, Principal const& caller, std::string const& verb) {
  auto const all = actions_for(caller, "main", life.plan, life.state, life.now);
  return *std::ranges::find(all, verb, &VerbState::verb);
}

}  // namespace

// The table as people read it, word for word; access.cpp says the same as code.
TEST_CASE("each role may what the table says, and nothing else") {
  struct Row {
    Capability capability;
    std::string roles;
  };
  std::array const table{
      Row{Capability::read, "viewer auditor oncall approver operator admin"},
      Row{Capability::read_audit, "auditor admin"},
      Row{Capability::see_queries, "oncall operator admin"},
      Row{Capability::stop, "oncall operator admin"},
      Row{Capability::roll_back, "oncall operator admin"},
      Row{Capability::approve, "approver admin"},
      Row{Capability::operate, "operator admin"},
      Row{Capability::administer, "admin"},
  };
  for (auto const& row : table) {
    for (auto const* role : {"viewer", "auditor", "oncall", "approver", "operator", "admin"}) {
      CAPTURE(role);
      CAPTURE(row.roles);
      bool const listed =
          (" " + row.roles + " ").find(" " + std::string(role) + " ") != std::string::npos;
      CHECK(may(holder({role}), row.capability, "main") == listed);
    }
  }
}

TEST_CASE(
    "an auditor of some targets reads the evidence of their runs, and not what was asked of all") {
  auto const auditor = holder({"auditor@billing-*"});
  CHECK(may(auditor, Capability::read_audit, "billing-eu"));
  CHECK_FALSE(may(auditor, Capability::read_audit, "shop"));
  CHECK_FALSE(may(auditor, Capability::read_audit, std::nullopt));
  CHECK(may(holder({"auditor"}), Capability::read_audit, std::nullopt));
}

TEST_CASE("whoever holds no grant may nothing, and who is unknown is not even known") {
  Principal const known{.name = "ana"};
  CHECK(may(known, Capability::known, std::nullopt));
  CHECK_FALSE(may(known, Capability::read, "main"));
  CHECK_FALSE(may(known, Capability::read, std::nullopt));
  CHECK_FALSE(may(Principal{}, Capability::known, std::nullopt));
  CHECK(may(Principal{}, Capability::open, std::nullopt));
}

TEST_CASE("a role on some targets is none on others") {
  auto const ana = holder({"operator@billing-*", "viewer"});
  CHECK(may(ana, Capability::operate, "billing-eu"));
  CHECK_FALSE(may(ana, Capability::operate, "shop"));
  CHECK(may(ana, Capability::read, "shop"));
  CHECK_FALSE(may(holder({"viewer@billing-*"}), Capability::read, "shop"));
  CHECK_FALSE(may(holder({"viewer@billing"}), Capability::read, "billing-eu"));
}

TEST_CASE("what belongs to no target is open to a role on any, but for an admin's works") {
  CHECK(may(holder({"operator@billing-*"}), Capability::operate, std::nullopt));
  CHECK_FALSE(may(holder({"admin@billing-*"}), Capability::administer, std::nullopt));
  CHECK(may(holder({"admin@billing-*"}), Capability::administer, "billing-eu"));
  CHECK(may(holder({"admin"}), Capability::administer, std::nullopt));
}

TEST_CASE("a refusal names what would do and what there is") {
  auto const refused = expect_may(holder({"viewer", "operator@shop"}), Capability::stop, "billing");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::capability_missing);
  CHECK(refused.error().detail ==
        "this needs one of the roles oncall, operator, admin on target billing; ana has viewer "
        "operator@shop");
}

TEST_CASE("roles are read back as they are written, and nothing else is a role") {
  for (auto const* text : {"viewer", "operator@billing-*", "admin@a_b-1"}) {
    CHECK(to_text(read_grant(text).value()) == text);
  }
  CHECK(to_text(read_grant("admin@*").value()) == "admin");
  for (auto const* text : {"", "root", "Admin", "operator@", "operator@a b", "operator@[a]",
                           "@main", "viewer,admin", "admin@?"}) {
    CAPTURE(text);
    CHECK(read_grant(text).error().code == ErrorCode::malformed);
  }
}

TEST_CASE("the on-call may slow a backfill down and never let it go faster") {
  Plan const plan;
  RunState state;
  Moment const now{};
  auto const needed = [&](Throttle wish) { return needed_for(wish, plan, state, now); };
  CHECK(needed({.to = Throttle::To::stop}) == Capability::stop);
  CHECK(needed({.to = Throttle::To::ratio, .percent = 50}) == Capability::stop);
  CHECK(needed({.to = Throttle::To::off}) == Capability::operate);
  CHECK(needed({.to = Throttle::To::exempt}) == Capability::operate);

  auto const at_most = [](int percent, std::optional<Duration> lasts = std::nullopt) {
    return Throttle{.to = Throttle::To::ratio, .percent = percent, .lasts = lasts};
  };
  state.throttle.say({.percent = 30});
  CHECK(needed(at_most(20)) == Capability::stop);
  CHECK(needed(at_most(50)) == Capability::operate);
  state.throttle.say({.percent = 60, .until = now + Duration{1}});
  CHECK(needed(at_most(50)) == Capability::operate);
  CHECK(needed(at_most(50, Duration{1})) == Capability::stop);
  state.throttle = {};
  state.throttle.say({.percent = 30, .until = now - Duration{1}});
  CHECK(needed(at_most(50)) == Capability::stop);
}

TEST_CASE("only an admin says that a step in doubt has succeeded") {
  CHECK(needed_for(Resolve{.succeeded = true}, {}, {}, {}) == Capability::administer);
  CHECK(needed_for(Resolve{.succeeded = false}, {}, {}, {}) == Capability::operate);
}

TEST_CASE("a plan may leave the way back to the on-call") {
  Plan plan;
  CHECK(needed_for(RollBack{}, plan, {}, {}) == Capability::operate);
  plan.oncall_rollback = true;
  CHECK(needed_for(RollBack{}, plan, {}, {}) == Capability::roll_back);
}

TEST_CASE("what is shown as allowed is what this caller may do in this state") {
  Life life(whole_plan());
  auto const viewer = holder({"viewer"});
  CHECK(action_of(life, holder({"operator"}), "start").allowed);
  auto const start = action_of(life, viewer, "start");
  CHECK_FALSE(start.allowed);
  CHECK(start.why_not.find("operator, admin") != std::string::npos);

  life.ask(Start{});
  life.go_until("add");
  CHECK(action_of(life, holder({"oncall"}), "pause").allowed);
  CHECK_FALSE(action_of(life, viewer, "pause").allowed);
  CHECK_FALSE(action_of(life, holder({"oncall@other"}), "pause").allowed);
  CHECK_FALSE(action_of(life, holder({"oncall"}), "cancel").allowed);
}
