#include "planner/import.h"

#include <algorithm>
#include <array>
#include <tuple>

#include "planner/document.h"
#include "planner/import_document.h"
#include "planner/import_ways_back.h"
#include "planner/source_text.h"
#include "planner/variables.h"

namespace runbookd::planner {
namespace import {
namespace {

Draft list_of(std::vector<Draft> const& entries) {
  auto list = Draft::array();
  for (auto const& entry : entries) {
    list.push_back(entry);
  }
  return list;
}

void put_text(Draft& object, char const* key, std::string const& text) {
  if (!text.empty()) {
    object[key] = escape(text);
  }
}

std::string lines_of(std::vector<std::string> const& texts, std::string const& head) {
  std::string all;
  for (auto const& text : texts) {
    all += "\n  " + text;
  }
  return texts.empty() ? "" : head + all;
}

void append_line(std::string& text, std::string const& more) {
  text += (text.empty() || more.empty() ? "" : "\n") + more;
}

// A plan file from what was gathered.
class Builder {
 public:
  Builder(Report& report, DocumentText const& document, Explanation const& schema, int server_major)
      : report_(report),
        document_(document),
        schema_(schema),
        server_major_(server_major),
        ways_back_(report, document.ways_back) {}

  Draft plan() && {
    Draft plan{{"runbook", 1}};
    plan["name"] = document_.name.empty() ? Names().free(slug(document_.title)) : document_.name;
    put_text(plan, "title", document_.title);
    for (auto const* key : {"metadata", "database", "overview", "compatibility", "performance"}) {
      if (document_.head.contains(key) && !document_.head[key].empty()) {
        plan[key] = document_.head[key];
      }
    }
    auto baselines = document_.exact_baselines;
    for (Code const& code : document_.baselines) {
      put_baselines(report_, code, baselines);
    }
    for (auto const& [name, sql] : baselines.items()) {
      if (!name.starts_with('#')) {
        baseline_names_.push_back(name);
      }
    }
    auto phases = Draft::array();
    for (PhaseText const& phase : document_.phases) {
      phases.push_back(phase.is_exact() ? exact_phase(phase) : built_phase(phase));
      last_phase_ = phases.back().value("name", "");
    }
    ways_back_.tell_unused(statements_);
    judge_undone(report_, document_.phases);
    put_checklist(plan);
    for (auto const* key : {"on_failure", "on_restart", "oncall_rollback"}) {
      if (document_.head.contains(key)) {
        plan[key] = document_.head[key];
      }
    }
    if (!baselines.empty()) {
      plan["baselines"] = std::move(baselines);
    }
    plan["phases"] = std::move(phases);
    put_final_checks(plan);
    judge_locks(report_, document_.claims, statements_, schema_.catalog, server_major_);
    return plan;
  }

 private:
  static Draft exact_phase(PhaseText const& phase) {
    Draft made{{"name", phase.name}};
    for (auto const* key : {"kind", "goal", "application", "deploy_order", "approval", "not_before",
                            "requires", "steps", "validate", "soak", "watch"}) {
      if (phase.exact.contains(key)) {
        made[key] = phase.exact[key];
      }
    }
    return made;
  }

  Draft built_phase(PhaseText const& phase) {
    Names names;
    auto const work = hand_work(phase, names);
    auto steps = work.before;
    put_application_step(phase, names, steps);
    auto const sql = sql_steps(report_, phase, names, {schema_, ways_back_, statements_});
    steps.insert(steps.end(), sql.begin(), sql.end());
    steps.insert(steps.end(), work.after.begin(), work.after.end());
    for (auto const& note : work.notes) {
      notes_.push_back({{"when", phase.name}, {"item", escape(note.text)}});
    }
    Draft made = Draft::object();
    auto comment = remarks_of(phase, work);
    if (!comment.empty()) {
      made["#"] = comment;
    }
    made["name"] = phase.name;
    made["kind"] = to_text(phase.kind);
    put_text(made, "goal", phase.goal);
    put_text(made, "application", phase.application);
    put_text(made, "deploy_order", phase.deploy_order);
    put_window(made, phase, work);
    Names checks;
    put_checks(made, "requires", phase, Role::requirement, checks);
    if (steps.empty()) {
      steps.push_back(empty_phase(phase));
    }
    made["steps"] = list_of(steps);
    put_checks(made, "validate", phase, Role::validation, checks);
    auto const soak = std::max(work.soak.value_or(Duration{0}), phase.soak.value_or(Duration{0}));
    if (soak > Duration{0}) {
      made["soak"] = to_text(soak);
    }
    return made;
  }

  static std::string remarks_of(PhaseText const& phase, HandWork const& work) {
    std::string text;
    append_line(text,
                lines_of(work.left_out, "The daemon does by itself what the checklist says of:"));
    if (!phase.prerequisites.empty()) {
      append_line(text, "Prerequisites, in the document's words: " + phase.prerequisites);
    }
    append_line(text, lines_of(phase.remarks, "In the document's words:"));
    std::vector<std::string> back;
    for (auto const& item : phase.rollback_items) {
      back.push_back(item.text);
    }
    append_line(text, lines_of(back, "The way back, in the document's words:"));
    return text;
  }

  Draft empty_phase(PhaseText const& phase) {
    report_.say(Severity::warning, phase.line, "import/no-steps",
                "the phase \"" + phase.title + "\" says nothing to do; it became a manual step",
                "write its SQL in a ```sql block");
    return {{"name", "carry-out"},
            {"manual", escape("Carry out: " + (phase.goal.empty() ? phase.title : phase.goal))},
            {"rollback", {{"nothing", "the document gives no way back"}}}};
  }

  // "Application state: Deploy the version that writes both", where no checklist has it.
  void put_application_step(PhaseText const& phase, Names& names, std::vector<Draft>& steps) const {
    auto const low = lower(phase.application);
    if (document_.deploys_listed || !low.starts_with("deploy")) {
      return;
    }
    steps.push_back({{"name", names.free("deploy")},
                     {"manual", escape(phase.application)},
                     {"#rollback_manual", "Guessed: the document does not say how to go back."},
                     {"rollback_manual", "Deploy the version that ran before."}});
  }

  std::string counted_from(PhaseText const& phase) const {
    for (PhaseText const& other : document_.phases) {
      if (phase.after > 0 && other.number == phase.after && other.line < phase.line) {
        return other.name;
      }
    }
    return last_phase_;
  }

  void put_window(Draft& made, PhaseText const& phase, HandWork const& work) const {
    auto const said = duration_in(phase.prerequisites);
    auto const wait = std::max({said.value_or(Duration{0}), work.not_before.value_or(Duration{0}),
                                phase.not_before.value_or(Duration{0})});
    if (wait > Duration{0} && !last_phase_.empty()) {
      made["not_before"] = {{"after", counted_from(phase)}, {"wait", to_text(wait)}};
    } else if (wait > Duration{0}) {
      report_.say(Severity::warning, phase.line, "import/not-in-plan",
                  "the first phase begins when the run does, so there is nothing from which to "
                  "wait " +
                      to_text(wait),
                  "start the run later, or write a `wait:` step");
    }
    if (!phase.approver.empty()) {
      made["approval"] = {{"from", phase.approver}};
    }
    if (phase.kind == PhaseKind::contract && wait == Duration{0} && !last_phase_.empty()) {
      report_.say(
          Severity::warning, phase.line, "import/no-rollback-window",
          "the phase cannot be taken back, and the document does not say for how long the one "
          "before it has to stand first",
          "write it: **Prerequisites:** stable for at least 72 hours; or `not_before:`");
    }
  }

  void put_checks(Draft& made, char const* key, PhaseText const& phase, Role role, Names& names) {
    std::vector<Draft> checks;
    for (Code const& code : phase.code) {
      if (code.role == role) {
        auto more = checks_in(report_, code, names, baseline_names_);
        checks.insert(checks.end(), more.begin(), more.end());
      }
    }
    if (!checks.empty()) {
      made[key] = list_of(checks);
    }
  }

  void put_checklist(Draft& plan) const {
    auto list = document_.checklist;
    list.insert(list.end(), notes_.begin(), notes_.end());
    if (!list.empty()) {
      plan["checklist"] = list_of(list);
    }
  }

  void put_final_checks(Draft& plan) {
    Names names;
    auto checks = document_.exact_final_checks;
    for (Code const& code : document_.final_checks) {
      auto more = checks_in(report_, code, names, baseline_names_);
      checks.insert(checks.end(), more.begin(), more.end());
    }
    if (!checks.empty()) {
      plan["final_checks"] = list_of(checks);
    }
  }

  Report& report_;
  DocumentText const& document_;
  Explanation const& schema_;
  int server_major_;
  WaysBack ways_back_;
  Statements statements_;
  std::vector<std::string> baseline_names_;
  std::vector<Draft> notes_;
  std::string last_phase_;
};

}  // namespace
}  // namespace import

ImportedPlan import_markdown(std::string_view text, std::string const& file,
                             Explanation const& schema, int server_major) {
  if (auto problems = text_findings(text, file); !problems.empty()) {
    return {.yaml = {}, .findings = std::move(problems)};
  }
  import::Report report{.file = file, .findings = {}};
  auto const source = SourceText(text).text();
  auto const document = import::read_document_text(report, source);
  ImportedPlan imported;
  if (document.phases.empty()) {
    report.say(
        Severity::error, 1, "import/no-phase",
        "there is no heading with SQL below it that could be a phase",
        "give each phase a heading such as \"### Phase 1 — Expand\", and its SQL a ```sql block");
  } else {
    auto const plan = import::Builder(report, document, schema, server_major).plan();
    imported.yaml = yaml_text(plan);
  }
  imported.findings = std::move(report.findings);
  std::ranges::stable_sort(imported.findings, [](Finding const& a, Finding const& b) {
    return std::tie(a.place.line, a.place.column) < std::tie(b.place.line, b.place.column);
  });
  return imported;
}

}  // namespace runbookd::planner
