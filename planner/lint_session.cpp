// What a step does to the session that carries it, and to the tables that prove its steps.
#include <algorithm>

#include "planner/lint_rules.h"
#include "planner/sql.h"
#include "planner/sql_body.h"

namespace runbookd::planner::rules {
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

bool touches_ours(Statement const& statement, Node node) {
  auto const needs = needs_of(statement);
  return std::ranges::any_of(needs, is_ours) || names_our_schema(pg::do_body(node));
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

Advice for_limits(std::string const& name) {
  bool const lock = name == "lock_timeout";
  return {.rule = "session/replaces-limits",
          .why = name +
                 " set here replaces the limit that the plan gives this step, so a statement of it "
                 "can block the application for longer",
          .fix = lock ? "delete it and write lock: {stall_budget: …} beside the step's sql"
                      : "delete it and write statement_timeout: … beside the step's sql"};
}

}  // namespace

Findings judge_own_schema(Subject const& subject) {
  if (!touches_ours(subject.statement, subject.node)) {
    return {};
  }
  return {finding(subject,
                  {.rule = "session/changes-runbookd-schema",
                   .why = "schema runbookd holds the proof of which steps have been done; after a "
                          "change there a crash can no longer be settled, and a step could run "
                          "twice",
                   .fix = "leave it out; runbookd makes and fills that schema itself"})};
}

Findings judge_settings(Subject const& subject) {
  auto const node = subject.node;
  switch (setting_of(node)) {
    case Setting::other:
      return {};
    case Setting::limits:
      return {finding(subject, for_limits(node.text("name")))};
    case Setting::everything:
      return {finding(subject,
                      {.rule = "session/replaces-limits",
                       .why = subject.statement.kind +
                              " ALL takes back the lock and statement timeouts of this step, so "
                              "that its statements can block the application without end",
                       .fix = "delete it; each step begins with a clean session anyway"})};
    case Setting::name_lookup:
      return {finding(subject,
                      {.rule = "session/setting-ends-with-step",
                       .severity = Severity::warning,
                       .why = node.text("name") +
                              " set here holds to the end of this step; the next step begins with "
                              "the role's own settings again",
                       .fix = "SET LOCAL at the head of every step that needs it, or ALTER ROLE … "
                              "SET before the run"})};
  }
  __builtin_unreachable();
}

}  // namespace runbookd::planner::rules
