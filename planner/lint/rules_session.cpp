// What a script does to the session that carries it, to the server, and to rights.
#include <algorithm>
#include <array>

#include "planner/lint/site.h"
#include "planner/sql.h"
#include "planner/sql_body.h"
#include "planner/sql_expression.h"

namespace runbookd::planner::lint_rules {
namespace {

using pg::Node;

constexpr std::string_view our_schema = "runbookd";

bool is_ours(Need const& need) {
  bool const in_it = need.schema == our_schema;
  bool const itself = need.kind == Need::Kind::own_schema && need.name == our_schema;
  return (in_it && need.kind != Need::Kind::select) || itself;
}

// A DO block's body is only text, so this looks for "runbookd." in it.
bool names_our_schema(std::string const& body) {
  auto tokens = pg::scan(body);
  std::erase_if(tokens, [](pg::Token const& token) { return token.comment; });
  for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
    if (pg::same_word(tokens[i].in(body), "RUNBOOKD") && tokens[i + 1].in(body) == ".") {
      return true;
    }
  }
  return false;
}

enum class Setting { other, limits, everything, name_lookup };

Setting setting_of(Node node) {
  if (node.is("DiscardStmt")) {
    return node.text("target") == "DISCARD_ALL" ? Setting::everything : Setting::other;
  }
  if (!node.is("VariableSetStmt")) {
    return Setting::other;
  }
  if (node.text("kind") == "VAR_RESET_ALL") {
    return Setting::everything;
  }
  auto const name = node.text("name");
  if (name == "lock_timeout" || name == "statement_timeout") {
    return Setting::limits;
  }
  bool const sets = !node.flag("is_local") && !node.text("kind").starts_with("VAR_RESET");
  bool const lookup = name == "search_path" || name == "role" || name == "session_authorization";
  return sets && lookup ? Setting::name_lookup : Setting::other;
}

Hits own_schema(Site const& site) {
  return touches_own_schema(site.statement, site.node) ? Hits{{}} : Hits{};
}

Hits replaces_limits(Site const& site) {
  auto const what = site.in_plan() ? setting_of(site.node) : Setting::other;
  if (what == Setting::limits) {
    auto const name = site.node.text("name");
    return {{.why = name +
                    " set here replaces the limit that the plan gives this step, so a statement of "
                    "it can block the application for longer",
             .fix = name == "lock_timeout"
                        ? "delete it and write lock: {stall_budget: …} beside the step's sql"
                        : "delete it and write statement_timeout: … beside the step's sql"}};
  }
  if (what == Setting::everything) {
    return {{.why = site.statement.kind +
                    " ALL takes back the lock and statement timeouts of this step, so that its "
                    "statements can block the application without end",
             .fix = "delete it; each step begins with a clean session anyway"}};
  }
  return {};
}

Hits ends_with_step(Site const& site) {
  if (!site.in_plan() || setting_of(site.node) != Setting::name_lookup) {
    return {};
  }
  return {{.why = site.node.text("name") +
                  " set here holds to the end of this step; the next step begins with the role's "
                  "own settings again"}};
}

Hits replication_role(Site const& site) {
  auto const values = site.node.list("args");
  bool const sets = site.node.is("VariableSetStmt") &&
                    site.node.text("name") == "session_replication_role" && !values.empty();
  return sets && pg::literal(values.front()) != "origin" && pg::literal(values.front()) != "local"
             ? Hits{{}}
             : Hits{};
}

Hits alter_system(Site const& site) { return site.node.is("AlterSystemStmt") ? Hits{{}} : Hits{}; }

Hits disables_triggers(Site const& site) {
  for (auto const& command : site.commands) {
    if (command.type.starts_with("AT_DisableTrig") && !site.is_new()) {
      return {{.on = to_sql(site.name_of()) +
                     (command.name.empty() ? "" : ", trigger " + command.name)}};
    }
  }
  return {};
}

Hits row_security(Site const& site) {
  auto const* table = site.table();
  for (auto const& command : site.commands) {
    bool const covered = (table != nullptr && !table->policies.empty()) ||
                         std::ranges::any_of(site.known.policies, [&](auto const& one) {
                           return same_table(one, site.name_of());
                         });
    if (command.type == "AT_EnableRowSecurity" && !site.is_new() && !covered) {
      bool const certain = table != nullptr && site.before.complete;
      return {{.on = to_sql(site.name_of()),
               .why = certain ? ""
                              : "unless it has a policy already, nobody but the owner sees a "
                                "row or writes one",
               .severity = certain ? Severity::error : Severity::warning}};
    }
  }
  return {};
}

Hits grants_to_all(Site const& site) {
  if (!site.node.is("GrantStmt") || !site.node.flag("is_grant")) {
    return {};
  }
  auto const to = site.node.list("grantees");
  bool const everybody =
      std::ranges::any_of(to, [](Node role) { return role.text("roletype") == "ROLESPEC_PUBLIC"; });
  auto const rights = site.node.list("privileges");
  bool const harmless = !rights.empty() && std::ranges::all_of(rights, [](Node right) {
    constexpr std::string_view mild[] = {"select", "usage", "execute", "connect", "references"};
    return holds(mild, right.text("priv_name"));
  });
  return everybody && !harmless ? Hits{{}} : Hits{};
}

Hits definer(Site const& site) {
  bool definer = false, path = false;
  for (auto const option : site.node.list("options")) {
    auto const name = option.text("defname");
    definer = definer || (name == "security" && option["arg"].flag("boolval"));
    path = path || (name == "set" && option["arg"].text("name") == "search_path");
  }
  return site.node.is("CreateFunctionStmt") && definer && !path ? Hits{{}} : Hits{};
}

constexpr auto rules = std::to_array<StatementRule>({
    {{.id = "session/changes-runbookd-schema",
      .severity = Severity::error,
      .title = "A statement changes the schema runbookd",
      .why = "schema runbookd holds the proof of which steps have been done; after a change there "
             "a crash can no longer be settled, and a step could run twice",
      .fix = "leave it out; runbookd makes and fills that schema itself"},
     own_schema},
    {{.id = "session/replaces-limits",
      .severity = Severity::error,
      .title = "A step replaces the limits that the plan gives it",
      .why = "a limit set here replaces the one that the plan gives this step",
      .fix = "delete it and write the limit beside the step's sql"},
     replaces_limits},
    {{.id = "session/setting-ends-with-step",
      .severity = Severity::warning,
      .title = "A setting that ends with its step",
      .why = "what is set here holds to the end of this step",
      .fix = "SET LOCAL at the head of every step that needs it, or ALTER ROLE … SET before the "
             "run"},
     ends_with_step},
    {{.id = "session/replication-role",
      .severity = Severity::error,
      .title = "session_replication_role is changed",
      .why = "triggers and foreign keys do not fire in this session: what they guard is not kept",
      .fix = "leave it out; where a trigger must not fire, let the trigger itself decide"},
     replication_role},
    {{.id = "session/alter-system",
      .severity = Severity::warning,
      .title = "ALTER SYSTEM in a migration",
      .why = "it changes the whole server, every database of it, and from the next reload on",
      .fix = "change the server's settings where they are kept; or ALTER DATABASE or ROLE … SET",
      .like = "Bytebase"},
     alter_system},
    {{.id = "data/disables-trigger",
      .severity = Severity::warning,
      .title = "A trigger is switched off",
      .why = "it is off for every session until somebody switches it on again; what the "
             "application writes meanwhile goes past it",
      .fix = "let the trigger's function look at a setting of the session that does the work",
      .like = "safe-migrate, pg-migration-lint"},
     disables_triggers},
    {{.id = "security/row-security-without-policy",
      .severity = Severity::error,
      .title = "Row security is switched on for a table without a policy",
      .why = "without a policy nobody but the owner sees a row or writes one",
      .fix = "CREATE POLICY first, in an earlier statement",
      .like = "safe-migrate"},
     row_security},
    {{.id = "security/grants-to-public",
      .severity = Severity::warning,
      .title = "Rights to write for PUBLIC",
      .why = "every role of the server gets the right, those of the future as well",
      .fix = "grant it to the role that needs it",
      .like = "safe-migrate"},
     grants_to_all},
    {{.id = "security/definer-without-search-path",
      .severity = Severity::warning,
      .title = "A SECURITY DEFINER function without a search_path of its own",
      .why = "whoever calls it decides by search_path which tables and functions it finds, and it "
             "uses them with its owner's rights",
      .fix = "add SET search_path = pg_catalog, … to the function"},
     definer},
});

}  // namespace

bool touches_own_schema(Statement const& statement, Node node) {
  // few texts hold the name, and this is asked of every statement
  constexpr std::string_view name = "runbookd";
  auto const& text = statement.sql.text;
  auto const found = std::ranges::search(text, name, {}, [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  });
  if (found.empty() && text.find("U&\"") == std::string::npos) {
    return false;
  }
  auto const needs = needs_of(statement);
  return std::ranges::any_of(needs, is_ours) || names_our_schema(pg::do_body(node));
}

std::span<StatementRule const> session_rules() { return rules; }

}  // namespace runbookd::planner::lint_rules
