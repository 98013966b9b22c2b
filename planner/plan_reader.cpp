#include "planner/plan_reader.h"

#include <algorithm>
#include <array>

#include "planner/digest.h"
#include "planner/plan_reading.h"
#include "planner/sql.h"

namespace runbookd::planner {
namespace {

void ignore(Reading&, Node const&, Plan&) {}

constexpr std::array metadata_keys{
    Key<Metadata>{"service", read_text<&Metadata::service>},
    Key<Metadata>{"team", read_text<&Metadata::team>},
    Key<Metadata>{"author", read_text<&Metadata::author>},
    Key<Metadata>{"reviewers", read_texts<&Metadata::reviewers>},
    Key<Metadata>{"ticket", read_text<&Metadata::ticket>},
    Key<Metadata>{"target_deploy_date", read_text<&Metadata::target_deploy_date>},
};
constexpr Table<Metadata> metadata_table{"metadata", "`metadata`", metadata_keys};

constexpr std::array overview_keys{
    Key<Overview>{"what", read_text<&Overview::what>},
    Key<Overview>{"why", read_text<&Overview::why>},
    Key<Overview>{"type", read_text<&Overview::type>},
    Key<Overview>{"zero_downtime", read_flag<&Overview::zero_downtime>},
    Key<Overview>{"rollback_window", read_text<&Overview::rollback_window>},
    Key<Overview>{"estimated_duration", read_text<&Overview::estimated_duration>},
};
constexpr Table<Overview> overview_table{"overview", "`overview`", overview_keys};

constexpr std::array compatibility_keys{
    Key<Compatibility>{"change", read_text<&Compatibility::change>, Presence::required},
    Key<Compatibility>{"backward_compatible", read_flag<&Compatibility::backward_compatible>,
                       Presence::required},
    Key<Compatibility>{"risk", read_text<&Compatibility::risk>},
    Key<Compatibility>{"notes", read_text<&Compatibility::notes>},
};
constexpr Table<Compatibility> compatibility_table{"compatibility", "an entry of `compatibility`",
                                                   compatibility_keys};

constexpr std::array performance_keys{
    Key<PerformanceNote>{"step", read_text<&PerformanceNote::step>, Presence::required},
    Key<PerformanceNote>{"lock", read_text<&PerformanceNote::lock>},
    Key<PerformanceNote>{"duration", read_text<&PerformanceNote::duration>},
    Key<PerformanceNote>{"impact", read_text<&PerformanceNote::impact>},
};
constexpr Table<PerformanceNote> performance_table{"performance", "an entry of `performance`",
                                                   performance_keys};

void read_when(Reading& reading, Node const& node, ChecklistItem& item) {
  item.when = reading.text(node).value_or("");
  std::vector<std::string> known = reading.phase_names;
  known.insert(known.end(), {"before", "after"});
  if (!item.when.empty() && std::find(known.begin(), known.end(), item.when) == known.end()) {
    reading.unknown(node, item.when, "phase", known);
  }
}
constexpr std::array checklist_keys{
    Key<ChecklistItem>{"when", read_when, Presence::required},
    Key<ChecklistItem>{"item", read_text<&ChecklistItem::item>, Presence::required},
    Key<ChecklistItem>{"owner", read_text<&ChecklistItem::owner>},
};
constexpr Table<ChecklistItem> checklist_table{"checklist", "an entry of `checklist`",
                                               checklist_keys};

void read_engine(Reading& reading, Node const& node, DatabaseNeed& need) {
  reading.one_of(node, {"postgresql"});
  need.engine = "postgresql";
}
void read_version(Reading& reading, Node const& node, DatabaseNeed& need) {
  std::string const text = reading.text(node).value_or("");
  std::string const digits = text.starts_with(">=") ? text.substr(2) : "";
  bool const number = !digits.empty() && digits.size() <= 3 &&
                      digits.find_first_not_of("0123456789") == std::string::npos;
  if (!number) {
    return reading.error(node.spot, "plan/bad-value",
                         "`version` must name the oldest major version that will do",
                         "write \">=13\", in quotation marks");
  }
  need.min_version = std::stoi(digits);
  reading.oldest_server = need.min_version;
}
constexpr std::array database_keys{
    Key<DatabaseNeed>{"engine", read_engine},
    Key<DatabaseNeed>{"version", read_version},
};
constexpr Table<DatabaseNeed> database_table{"database", "`database`", database_keys};

void read_default_lock(Reading& reading, Node const& node, Defaults& defaults) {
  defaults.timing.lock = read_lock(reading, node, defaults.timing.lock);
}
void read_default_timeout(Reading& reading, Node const& node, Defaults& defaults) {
  auto& timeout = defaults.timing.statement_timeout;
  timeout = reading.duration(node, Duration{0}).value_or(timeout);
}
constexpr std::array defaults_keys{
    Key<Defaults>{"lock", read_default_lock},
    Key<Defaults>{"statement_timeout", read_default_timeout},
    Key<Defaults>{"check_timeout", read_duration<&Defaults::check_timeout, 1>},
};
constexpr Table<Defaults> defaults_table{"defaults", "`defaults`", defaults_keys};

void read_runbook(Reading& reading, Node const& node, Plan&) {
  auto const version = reading.number(node, 0);
  if (version && *version != 1) {
    reading.error(node.spot, "plan/bad-value",
                  "this version of the program reads plans of form 1 only", "write `runbook: 1`");
  }
}

void read_variables(Reading& reading, Node const& node, Plan&) {
  if (!reading.is_mapping(node, "names and their text")) {
    return;
  }
  Variables declared;  // the text of a variable is literal: no variables inside
  for (Node const& child : node.children) {
    if (!is_variable_name(child.key)) {
      reading.error(child.key_spot, "plan/bad-name",
                    "`" + child.key + "` cannot be the name of a variable",
                    "use letters, digits and _, beginning with a letter");
    } else if (reading.text(child)) {
      declared.emplace(child.key, child.text);
    }
  }
  reading.variables = std::move(declared);
}

void read_defaults(Reading& reading, Node const& node, Plan&) {
  reading.defaults = read_mapping(reading, node, defaults_table, reading.defaults);
}

void read_on_failure(Reading& reading, Node const& node, Plan& plan) {
  auto const choice = reading.one_of(node, {"pause", "rollback"});
  plan.on_failure = choice == 1U ? OnFailure::rollback : OnFailure::pause;
}
void read_on_restart(Reading& reading, Node const& node, Plan& plan) {
  auto const choice = reading.one_of(node, {"pause", "resume"});
  plan.on_restart = choice == 1U ? OnRestart::resume : OnRestart::pause;
}

void read_oncall_rollback(Reading& reading, Node const& node, Plan& plan) {
  plan.oncall_rollback = reading.flag(node).value_or(false);
}

void read_baselines(Reading& reading, Node const& node, Plan& plan) {
  if (!reading.is_mapping(node, "names and their SQL")) {
    return;
  }
  for (Node const& child : node.children) {
    reading.is_good_name(child.key, child.key_spot);
    if (auto sql = reading.sql(child)) {
      reading.merge(check_query_findings(*sql, false, reading.oldest_server));
      plan.baselines.push_back({.name = child.key, .sql = std::move(*sql)});
    }
  }
  // a mapping has no order of its own; one order makes one digest
  std::sort(plan.baselines.begin(), plan.baselines.end(),
            [](Baseline const& a, Baseline const& b) { return a.name < b.name; });
}

void read_phases(Reading& reading, Node const& node, Plan& plan) {
  if (!reading.is_list(node)) {
    return;
  }
  if (node.children.empty()) {
    reading.error(node.spot, "plan/missing-key", "the plan has no phases", "add one to `phases:`");
  }
  reading.check_unique(node, "phase");
  for (Node const& child : node.children) {
    plan.phases.push_back(read_phase(reading, child));
    ++reading.phase_index;
  }
}

void read_final_checks(Reading& reading, Node const& node, Plan& plan) {
  plan.final_checks = read_checks(reading, node);
}

void read_reason(Reading& reading, Node const& node, Acknowledgement& word) {
  word.reason = reading.text(node).value_or("");
  if (word.reason.empty()) {
    reading.error(node.spot, "plan/bad-value", "`reason` says why the finding may stand",
                  "write the reason, for those who read the run later");
  }
}
constexpr std::array acknowledgement_keys{
    Key<Acknowledgement>{"rule", read_text<&Acknowledgement::rule>, Presence::required},
    Key<Acknowledgement>{"reason", read_reason, Presence::required},
};
constexpr Table<Acknowledgement> acknowledgement_table{
    "acknowledgement", "an entry of `acknowledge`", acknowledgement_keys};

// Variables and defaults stand first: what follows is read with them.
constexpr std::array plan_keys{
    Key<Plan>{"$schema", ignore},
    Key<Plan>{"runbook", read_runbook, Presence::required},
    Key<Plan>{"variables", read_variables},
    Key<Plan>{"defaults", read_defaults},
    Key<Plan>{"name", read_name<&Plan::name>, Presence::required},
    Key<Plan>{"title", read_text<&Plan::title>},
    Key<Plan>{"metadata", read_part<&Plan::metadata, metadata_table>},
    Key<Plan>{"database", read_part<&Plan::database, database_table>},
    Key<Plan>{"overview", read_part<&Plan::overview, overview_table>},
    Key<Plan>{"compatibility", read_list<&Plan::compatibility, compatibility_table>},
    Key<Plan>{"performance", read_list<&Plan::performance, performance_table>},
    Key<Plan>{"checklist", read_list<&Plan::checklist, checklist_table>},
    Key<Plan>{"on_failure", read_on_failure},
    Key<Plan>{"on_restart", read_on_restart},
    Key<Plan>{"oncall_rollback", read_oncall_rollback},
    Key<Plan>{"baselines", read_baselines},
    Key<Plan>{"phases", read_phases, Presence::required},
    Key<Plan>{"final_checks", read_final_checks},
    Key<Plan>{"acknowledge", read_list<&Plan::acknowledged, acknowledgement_table>},
};
constexpr Table<Plan> plan_table{"plan", "the plan", plan_keys};

// Names that may be referred to before the reading has come to them.
void collect_names(Reading& reading, Node const& root) {
  if (Node const* phases = root.find("phases")) {
    for (Node const& phase : phases->children) {
      Node const* name = phase.find("name");
      reading.phase_names.push_back(name == nullptr ? "" : name->text);
    }
  }
  if (Node const* baselines = root.find("baselines")) {
    for (Node const& baseline : baselines->children) {
      reading.baseline_names.push_back(baseline.key);
    }
  }
}

}  // namespace

std::vector<KeySet> known_keys() {
  std::vector<KeySet> all{
      key_set(plan_table),      key_set(metadata_table),      key_set(database_table),
      key_set(overview_table),  key_set(compatibility_table), key_set(performance_table),
      key_set(checklist_table), key_set(defaults_table),      key_set(acknowledgement_table)};
  for (auto const& part : {phase_keys(), step_keys(), backfill_keys(), check_keys()}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

ReadPlan read_plan(std::string_view text, std::string const& file_name, FileLookup const& lookup) {
  Document document = read_document(text, file_name);
  if (!document.root) {
    return {.plan = {}, .findings = std::move(document.findings)};
  }
  Reading reading(file_name, lookup);
  reading.merge(std::move(document.findings));
  if (document.root->kind != Node::Kind::mapping) {
    reading.error(
        document.root->spot, "plan/wrong-type",
        "a plan is a mapping of keys, but here is " + std::string(to_text(document.root->kind)),
        "begin with `runbook: 1`");
    return {.plan = {}, .findings = reading.sorted_findings()};
  }
  collect_names(reading, *document.root);
  Plan plan = read_mapping(reading, *document.root, plan_table);
  ReadPlan result{.plan = {}, .findings = reading.sorted_findings()};
  if (!has_error(result.findings)) {
    result.plan = std::move(plan);
  }
  return result;
}

}  // namespace runbookd::planner
