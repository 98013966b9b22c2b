#include "planner/lint/rule.h"

#include <algorithm>

#include "planner/lint/plan_site.h"

namespace runbookd::planner {
namespace {

std::vector<LintRule> collected() {
  using namespace lint_rules;
  std::vector<LintRule> all;
  for (auto const family :
       {index_rules(), constraint_rules(), column_rules(), table_rules(), transaction_rules(),
        session_rules(), security_rules(), data_rules(), type_rules(), old_application_rules(),
        catalog_rules(), policy_rules()}) {
    std::ranges::transform(family, std::back_inserter(all), &StatementRule::rule);
  }
  for (auto const rows :
       {script_rules(), check_rules(), plan_rules(), way_back_rules(), reading_rules()}) {
    all.insert(all.end(), rows.begin(), rows.end());
  }
  std::ranges::sort(all, {}, &LintRule::id);
  return all;
}

std::string_view group_of(std::string_view id) { return id.substr(0, id.find('/')); }

std::string_view group_words(std::string_view group) {
  constexpr std::pair<std::string_view, std::string_view> words[] = {
      {"break", "What the running application trips over"},
      {"check", "Checks that guard nothing, or do something"},
      {"constraint", "Constraints that the server refuses"},
      {"data", "Rows that are changed at once, or lost"},
      {"index", "Indexes"},
      {"lint", "Acknowledgements"},
      {"lock", "Locks that people wait for"},
      {"name", "Names"},
      {"plan", "The plan as a whole"},
      {"policy", "House rules, off unless asked for"},
      {"rollback", "The way back"},
      {"security", "Rights"},
      {"session", "Sessions and timeouts"},
      {"sql", "Statements that fail, or cannot be judged"},
      {"throttle", "Limits of a backfill"},
      {"transaction", "Transactions"},
      {"type", "Types of columns"},
      {"version", "Server versions"},
  };
  auto const found = std::ranges::find(words, group, [](auto const& pair) { return pair.first; });
  return found == std::end(words) ? group : found->second;
}

std::string entry(LintRule const& rule) {
  std::string text = "### " + std::string(rule.id) + "\n\n" + std::string(rule.title) + ".\n\n";
  text += "- Severity: " + std::string(to_text(rule.severity));
  if (rule.weight == LintRule::Weight::by_size) {
    text +=
        "; a note on a table of up to 16 MB (`--small-table`), a warning becomes an error from 8 "
        "GB "
        "on (`--large-table`) or where the lock would be held for half a minute";
  }
  if (rule.use == LintRule::Use::optional) {
    text += "; off unless `--enable` names it";
  }
  text += "\n- Why: " + std::string(rule.why) + ".\n- Instead: " + std::string(rule.fix) + ".\n";
  if (!rule.like.empty()) {
    text += "- Elsewhere: " + std::string(rule.like) + ".\n";
  }
  return text + "\n";
}

}  // namespace

std::vector<LintRule> const& all_rules() {
  static std::vector<LintRule> const all = collected();
  return all;
}

LintRule const* find_rule(std::string_view id) {
  auto const& all = all_rules();
  auto const found = std::ranges::lower_bound(all, id, {}, &LintRule::id);
  return found != all.end() && found->id == id ? &*found : nullptr;
}

bool wanted(LintRule const& rule, std::vector<std::string> const& optional) {
  return rule.use == LintRule::Use::always ||
         std::ranges::any_of(optional, [&](std::string const& name) {
           return name == "all" || name == rule.id || name == group_of(rule.id);
         });
}

std::string rules_page() {
  std::string text =
      "# Rules of lint\n\nGenerated from the code by runbookd_planner_tests "
      "(RUNBOOKD_WRITE_RULES=1 writes it anew). `runbookctl plan lint` applies all of them, "
      "`runbookctl sql lint` those that need no plan. A finding is acknowledged with a reason: "
      "`acknowledge:` in a plan, `-- runbookd:ignore RULE: REASON` above a statement, "
      "`--acknowledge RULE=REASON` at the start of a run.\n\n";
  std::string_view group;
  for (auto const& rule : all_rules()) {
    if (group_of(rule.id) != group) {
      group = group_of(rule.id);
      text += "## " + std::string(group_words(group)) + "\n\n";
    }
    text += entry(rule);
  }
  while (text.ends_with("\n\n")) {
    text.pop_back();
  }
  return text;
}

}  // namespace runbookd::planner
