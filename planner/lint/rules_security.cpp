// Rights and what else guards rows, taken away.
#include <algorithm>
#include <array>

#include "planner/lint/site.h"
#include "planner/sql_expression.h"
#include "planner/sql_kind.h"

namespace runbookd::planner::lint_rules {
namespace {

using pg::Node;

Hits uncovers_rows(Site const& site) {
  if (site.where == Where::rollback) {
    return {};
  }
  for (auto const& command : site.commands) {
    bool const off =
        command.type == "AT_DisableRowSecurity" || command.type == "AT_NoForceRowSecurity";
    if (off && !site.is_new()) {
      return {{.on = to_sql(site.name_of())}};
    }
  }
  bool const policy = site.node.is("DropStmt") && site.node.text("removeType") == "OBJECT_POLICY";
  return policy ? Hits{{.why = "whoever it let see a row no longer does, and rows that it kept "
                               "from somebody are kept no longer where it was restrictive"}}
                : Hits{};
}

Hits powers(Site const& site) {
  if (!site.node.is("AlterRoleStmt") && !site.node.is("CreateRoleStmt")) {
    return {};
  }
  constexpr std::string_view all[] = {"superuser", "bypassrls", "isreplication", "createrole"};
  for (auto const option : site.node.list("options")) {
    auto const name = option.word("defname");
    if (std::ranges::find(all, name) != std::end(all) && option["arg"].flag("boolval")) {
      return {{.on = std::string(name == "isreplication" ? "replication" : name)}};
    }
  }
  return {};
}

Hits revokes(Site const& site) {
  bool const takes =
      site.node.is("GrantStmt") && !site.node.flag("is_grant") && site.where != Where::rollback;
  bool const fresh = std::ranges::all_of(site.node.list("objects"), [&](Node object) {
    return object.is("RangeVar") && site.known.is_new(pg::name_of(object));
  });
  auto const from = site.node.list("grantees");
  bool const everybody = std::ranges::all_of(
      from, [](Node role) { return role.word("roletype") == "ROLESPEC_PUBLIC"; });
  // what PUBLIC may and what a function that was just made may is taken away first, and that is
  // good form
  return takes && !fresh && !everybody && site.node.text("objtype") != "OBJECT_FUNCTION" ? Hits{{}}
                                                                                         : Hits{};
}

Hits stops_replication(Site const& site) {
  for (auto const& command : site.commands) {
    if (command.type == "AT_ReplicaIdentity" && !site.is_new() &&
        command.def.text("identity_type") == "n") {
      return {{.why = "without a replica identity UPDATE and DELETE of a published table fail"}};
    }
  }
  bool const gone =
      site.node.is("DropStmt") && site.node.text("removeType") == "OBJECT_PUBLICATION";
  return gone ? Hits{{}} : Hits{};
}

Hits swallows(Site const& site) {
  bool const nothing = site.node.is("RuleStmt") && site.node.flag("instead") &&
                       site.node.list("actions").empty() && !site.node["whereClause"];
  return nothing && !site.is_new() ? Hits{{.on = to_sql(site.name_of())}} : Hits{};
}

Hits prepares(Site const& site) {
  return site.node.is("TransactionStmt") && site.node.word("kind") == "TRANS_STMT_PREPARE"
             ? Hits{{}}
             : Hits{};
}

constexpr auto rules = std::to_array<StatementRule>({
    {{.id = "security/uncovers-rows",
      .severity = Severity::warning,
      .title = "Row security or a policy is taken away",
      .why = "from here on every role with rights on the table sees and changes all of its rows",
      .fix = "make the new policy first, and take the old one away in a later phase"},
     uncovers_rows},
    {{.id = "security/powers-of-a-role",
      .severity = Severity::warning,
      .title = "A role gets a power over the whole server",
      .why = "nothing that guards tables and rows stops this role any more",
      .fix = "grant the rights on what it needs"},
     powers},
    {{.id = "break/revokes-rights",
      .severity = Severity::warning,
      .title = "Rights are taken away",
      .why = "statements of the old application that need them fail",
      .fix = "revoke them in a contract phase, when nobody uses them"},
     revokes},
    {{.id = "break/stops-replication",
      .severity = Severity::warning,
      .title = "Changes are no longer published",
      .why = "subscribers are told of no change from here on, and nothing tells them so",
      .fix = "let the subscribers leave it first"},
     stops_replication},
    {{.id = "data/rule-swallows-writes",
      .severity = Severity::warning,
      .title = "A rule that does nothing instead",
      .why = "what is written there vanishes, and whoever wrote it is told of success",
      .fix = "take the right to write away, or raise an error in a trigger"},
     swallows},
    {{.id = "transaction/prepared",
      .severity = Severity::warning,
      .title = "A prepared transaction is left behind",
      .why = "its locks are held, and vacuum is held back, until somebody commits it by its name, "
             "also across a restart",
      .fix = "COMMIT"},
     prepares},
});

}  // namespace

std::span<StatementRule const> security_rules() { return rules; }

}  // namespace runbookd::planner::lint_rules
