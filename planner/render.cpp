#include "planner/render.h"

#include <algorithm>

#include "planner/effects.h"
#include "planner/markdown.h"
#include "planner/plan_reader.h"
#include "planner/sql.h"
#include "planner/variables.h"
#include "planner/words.h"
#include "planner/yaml_text.h"

namespace runbookd::planner {
namespace {

// Whether a reader may take it for what it says; what opens with a bracket is a form's blank.
bool is_readable(std::string const& text) {
  return markdown::is_tame(text) && !text.starts_with('[');
}

std::string code(std::string const& text) {
  std::size_t longest = 0;
  std::size_t row = 0;
  for (char const c : text) {
    row = c == '`' ? row + 1 : 0;
    longest = std::max(longest, row);
  }
  std::string const ticks(longest + 1, '`');
  return ticks + text + ticks;
}

// A JSON string in code means exactly itself, also where Markdown would change it.
std::string exact(std::string const& text) {
  auto json = Draft(text).dump();
  for (auto at = json.find('|'); at != std::string::npos; at = json.find('|', at)) {
    json.replace(at, 1, "\\u007c");  // would end the cell of a table
  }
  return code(json);
}

std::string value(std::string const& text) {
  return is_readable(text) ? markdown::escaped(text) : exact(text);
}
std::string cell(std::string const& text) {
  bool const one_line = text.find('\n') == std::string::npos;
  return text.empty() ? "" : one_line ? value(text) : exact(text);
}

bool fits_in_fence(std::string const& sql) {
  return std::ranges::none_of(sql, [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') || c == '\x7f';
  });
}

class Document {
 public:
  Document(Plan const& plan, RunRecord const& record)
      : plan_(plan), record_(record), json_(Draft::parse(canonical_json(plan))) {}

  std::string text(Catalog const& catalog, int server_major) && {
    put_head();
    put_compatibility();
    put_phases();
    put_validation();
    put_performance(catalog, server_major);
    put_runbook();
    return std::move(text_);
  }

 private:
  void line(std::string const& words = "") { text_ += words + "\n"; }
  void field(std::string const& label, std::string const& words) {
    if (!words.empty()) {
      line("**" + label + ":** " + value(words) + "\n");
    }
  }
  // As the plan file spells it.
  void spelled(std::string const& label, Draft const& json) {
    line("**" + label + ":** " + code(yaml_line(json)) + "\n");
  }

  void put_lines(std::vector<std::string> const& lines) {
    for (auto const& words : lines) {
      line("**Recorded:** " + words + "\n");
    }
  }
  void put_record(std::string const& key) {
    if (auto const found = record_.lines.find(key); found != record_.lines.end()) {
      put_lines(found->second);
    }
  }

  void put_head() {
    line("# Database Migration Plan:" + (plan_.title.empty() ? "" : " " + cell(plan_.title)) +
         "\n");
    line("**Plan:** " + code(plan_.name) + " | **Digest:** " +
         code(digest_of(canonical_json(plan_)).text) + "\n");
    auto const& who = plan_.metadata;
    field("Service", who.service);
    field("Team", who.team);
    field("Author", who.author);
    put_reviewers();
    field("Target deploy date", who.target_deploy_date);
    auto const least = plan_.database.min_version;
    line("**Database engine:** PostgreSQL" + (least > 0 ? " " + std::to_string(least) : "") + "\n");
    field("Ticket", who.ticket);
    field("On failure", plan_.on_failure == OnFailure::pause ? "pause" : "rollback");
    field("On restart", plan_.on_restart == OnRestart::pause ? "pause" : "resume");
    if (plan_.oncall_rollback) {
      field("On-call rollback", "yes");
    }
    put_lines(record_.head);
    auto const& about = plan_.overview;
    line("---\n\n## 1. Migration Overview\n");
    field("What is changing", about.what);
    field("Why", about.why);
    field("Migration type", about.type);
    field("Zero-downtime", about.zero_downtime ? "Yes" : "No");
    field("Rollback window", about.rollback_window);
    field("Estimated duration", about.estimated_duration);
  }

  void put_reviewers() {
    auto const& names = plan_.metadata.reviewers;
    if (names.empty()) {
      return;
    }
    bool const plain = std::ranges::all_of(names, [](std::string const& name) {
      return is_readable(name) && name.find_first_of(",`\n") == std::string::npos;
    });
    std::string list;
    for (auto const& name : names) {
      list += (list.empty() ? "" : ", ") + markdown::escaped(name);
    }
    line("**Reviewed by:** " + (plain ? list : code(json_["metadata"]["reviewers"].dump())) + "\n");
  }

  void row(std::vector<std::string> const& cells) {
    std::string words = "|";
    for (auto const& one : cells) {
      words += " " + one + " |";
    }
    line(words);
  }

  void put_compatibility() {
    line("---\n\n## 2. Backward Compatibility Analysis\n");
    if (plan_.compatibility.empty()) {
      return line("No change is listed.\n");
    }
    row({"Change", "Backward compatible?", "Risk", "Notes"});
    row({"---", "---", "---", "---"});
    for (auto const& one : plan_.compatibility) {
      row({cell(one.change), one.backward_compatible ? "Yes" : "**No**", cell(one.risk),
           cell(one.notes)});
    }
    line();
  }

  std::string phase_title(std::size_t i) const {
    return "Phase " + std::to_string(i + 1) + " — " + plan_.phases[i].name;
  }

  void put_overview() {
    std::string drawing;
    for (std::size_t i = 0; i < plan_.phases.size(); ++i) {
      auto const& phase = plan_.phases[i];
      drawing += i == 0 ? "" : "\n       │\n       ▼\n\n";
      drawing += phase_title(i) + " (" + std::string(to_text(phase.kind)) + ")";
      for (auto const& step : phase.steps) {
        drawing += "\n  " + step.name + (step.reversible() ? "" : "   no way back");
      }
    }
    line("### Phase Overview\n");
    line(markdown::fenced(drawing, "text"));
  }

  void put_phases() {
    line("---\n\n## 3. Expand/Contract Phases\n");
    put_overview();
    for (std::size_t i = 0; i < plan_.phases.size(); ++i) {
      put_phase(i);
    }
  }

  void put_phase(std::size_t i) {
    auto const& phase = plan_.phases[i];
    auto const& json = json_["phases"][i];
    line("---\n\n### Phase " + std::to_string(i + 1) + " — " + code(phase.name) + "\n");
    field("Kind", std::string(to_text(phase.kind)));
    field("Goal", phase.goal);
    field("Deploy order", phase.deploy_order);
    field("Application state", phase.application);
    for (auto const& [label, key] :
         {std::pair{"Approval", "approval"}, std::pair{"Not before", "not_before"}}) {
      if (json.contains(key)) {
        spelled(label, json[key]);
      }
    }
    if (phase.soak > Duration{0}) {
      field("Soak", to_text(phase.soak));
    }
    put_record("phase " + phase.name);
    put_checks("Requirement", phase.requirements, json["requires"], phase.name);
    for (std::size_t s = 0; s < phase.steps.size(); ++s) {
      put_step(phase, phase.steps[s], json["steps"][s]);
    }
    put_checks("Check", phase.validate, json["validate"], phase.name);
    put_checks("Watch", phase.watch, json["watch"], phase.name);
  }

  void put_sql(std::string const& sql) {
    line(fits_in_fence(sql) ? markdown::fenced(sql, "sql")
                            : markdown::fenced(yaml_line(Draft{{"sql", escape(sql)}}), "yaml"));
  }

  void put_checks(std::string const& word, std::vector<Check> const& checks, Draft const& json,
                  std::string const& phase = "") {
    auto const of = lower(word) + " " + (phase.empty() ? "" : phase + "/");
    for (std::size_t i = 0; i < checks.size(); ++i) {
      auto const& check = checks[i];
      line("#### " + word + " " + code(check.name) + "\n");
      field("Description", check.description);
      put_sql(check.sql.text);
      spelled("Expected", json[i]["expect"]);
      if (check.every != Check{}.every) {
        field("Every", to_text(check.every));
      }
      if (check.timeout != Check{}.timeout) {
        field("Timeout", to_text(check.timeout));
      }
      put_record(of + check.name);
    }
  }

  void put_step(Phase const& phase, Step const& step, Draft const& json) {
    line("#### Step " + code(step.name) + "\n");
    field("Description", step.description);
    put_action(step.forward, json, false);
    if (step.skippable) {
      spelled("Skippable", true);
    }
    LockPolicy const usual;
    Draft const usual_lock{{"give_up_after", to_text(usual.give_up_after)},
                           {"stall_budget", to_text(usual.stall_budget)}};
    if (json.contains("lock") && json["lock"] != usual_lock) {
      spelled("Lock", json["lock"]);
    }
    if (json.value("statement_timeout", "30s") != "30s") {
      field("Statement timeout", json["statement_timeout"].get<std::string>());
    }
    if (step.reversible()) {
      put_action(step.backward, json["rollback"], true);
    } else {
      field("Irreversible", step.irreversible);
    }
    put_record("step " + phase.name + "/" + step.name);
  }

  void put_action(Action const& action, Draft const& json, bool back) {
    if (auto const* manual = std::get_if<ManualAction>(&action)) {
      return field(back ? "Rollback by hand" : "By hand", manual->text);
    }
    if (auto const* nothing = std::get_if<NoAction>(&action)) {
      return field("Rollback, nothing to do", nothing->reason);
    }
    if (auto const* wait = std::get_if<WaitAction>(&action)) {
      return field("Wait", to_text(wait->duration));
    }
    if (back) {
      line("**Rollback:**\n");
    }
    if (auto const* sql = std::get_if<SqlAction>(&action)) {
      return put_sql(sql->source.text);
    }
    auto text = yaml_text(Draft{{"backfill", json["backfill"]}});
    text.pop_back();
    line(markdown::fenced(text, "yaml"));
  }

  void put_validation() {
    line("---\n\n## 4. Data Validation Plan\n");
    line("Baselines are recorded before the first step; final checks run after the last.\n");
    for (auto const& baseline : plan_.baselines) {
      line("#### Baseline " + code(baseline.name) + "\n");
      put_sql(baseline.sql.text);
      put_record("baseline " + baseline.name);
    }
    put_checks("Final check", plan_.final_checks, json_["final_checks"]);
  }

  void put_performance(Catalog const& catalog, int server_major) {
    line("---\n\n## 5. Performance Impact Assessment\n");
    if (!plan_.performance.empty()) {
      row({"Step", "Lock type", "Lock duration", "Traffic impact"});
      row({"---", "---", "---", "---"});
      for (auto const& one : plan_.performance) {
        row({cell(one.step), cell(one.lock), cell(one.duration), cell(one.impact)});
      }
      line();
    }
    line("What each statement asks for, as PostgreSQL " + std::to_string(server_major) +
         " takes its locks:\n");
    row({"Foretold for", "Lock", "Who waits", "At least"});
    row({"---", "---", "---", "---"});
    Catalog now = catalog;
    for (auto const& phase : plan_.phases) {
      for (auto const& step : phase.steps) {
        put_effects(phase.name + "/" + step.name, step.forward, now, server_major);
      }
    }
    line();
  }

  void put_effects(std::string const& label, Action const& action, Catalog& now, int server_major) {
    for (auto const& statement : statements_of(action)) {
      auto const effects = effects_of(statement, now, server_major);
      auto const held = effects.hold_ms <= 0 ? "" : to_text(Duration{effects.hold_ms});
      if (!effects.analysed) {
        row({cell(label), cell("not known: " + effects.not_analysed), "", ""});
      }
      for (auto const& lock : effects.locks) {
        row({cell(label), cell(std::string(lock_words(lock.mode)) + " on " + lock.name),
             blocks_reads(lock.mode)    ? "readers and writers"
             : blocks_writes(lock.mode) ? "writers"
                                        : "nobody",
             held});
      }
      now = apply(std::move(now), statement);
    }
  }

  static std::vector<Statement> statements_of(Action const& action) {
    if (auto const* sql = std::get_if<SqlAction>(&action)) {
      return sql->statements;
    }
    auto const* backfill = std::get_if<BackfillAction>(&action);
    auto const update = backfill == nullptr ? std::nullopt : update_of(*backfill);
    return update ? std::vector{*update} : std::vector<Statement>{};
  }

  // Who does what, in order; then what people tick off.
  void put_runbook() {
    line("---\n\n## 6. Deployment Runbook\n");
    for (std::size_t i = 0; i < plan_.phases.size(); ++i) {
      put_order(i);
    }
    if (!plan_.checklist.empty()) {
      line("### Checklist");
    }
    std::string group = "\n";
    for (auto const& item : plan_.checklist) {
      if (item.when != group) {
        group = item.when;
        auto const phase = plan_.phase_index(group);
        line("\n**" + (phase < 0 ? group : phase_title(static_cast<std::size_t>(phase))) + ":**\n");
      }
      line("- [ ] " + owner(item.owner) + value(item.item));
    }
  }

  static std::string owner(std::string const& name) {
    if (name.empty()) {
      return "";
    }
    bool const plain = is_readable(name) && name.find_first_of(":\n`") == std::string::npos;
    return plain ? "**" + markdown::escaped(name) + ":** " : exact(name) + ": ";
  }

  void put_order(std::size_t i) {
    auto const& phase = plan_.phases[i];
    line("**" + phase_title(i) + ":**\n");
    int number = 0;
    auto const entry = [&](std::string const& words) {
      line(std::to_string(++number) + ". " + words);
    };
    if (phase.approval) {
      entry(std::to_string(phase.approval->count) + " of " + cell(phase.approval->from) +
            " approves");
    }
    entry("the operator lets the phase begin" +
          std::string(phase.requirements.empty() ? "" : "; runbookd proves its requirements"));
    for (auto const& step : phase.steps) {
      bool const by_hand = std::holds_alternative<ManualAction>(step.forward);
      entry((by_hand ? "a person does and confirms " : "runbookd carries out ") +
            code(phase.name + "/" + step.name));
    }
    if (!phase.validate.empty()) {
      entry("runbookd proves what must hold afterwards");
    }
    if (phase.soak > Duration{0}) {
      entry("runbookd watches for " + to_text(phase.soak));
    }
    line();
  }

  Plan const& plan_;
  RunRecord const& record_;
  Draft json_;
  std::string text_;
};

}  // namespace

std::string markdown_text(std::string const& text) { return text.empty() ? "" : value(text); }

std::string render_markdown(Plan const& plan, Catalog const& catalog, int server_major,
                            RunRecord const& record) {
  return Document(plan, record).text(catalog, server_major);
}

}  // namespace runbookd::planner
