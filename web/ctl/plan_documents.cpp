// Plans as documents for people: from Markdown and into it, and compared; but for stored plans and
// runs without a daemon.
#include <iostream>

#include <nlohmann/json.hpp>

#include "planner/import.h"
#include "planner/plan_diff.h"
#include "planner/render.h"
#include "web/ctl/perform.h"
#include "web/ctl/plan_files.h"
#include "web/ctl/render_lists.h"
#include "web/ctl/run_record.h"
#include "web/ctl/schema.h"
#include "web/ctl/text.h"

namespace runbookd::ctl {

namespace {

using planner::Findings;
using planner::Severity;

Json findings_json(Findings const& findings) {
  auto list = Json::array();
  for (auto const& finding : findings) {
    list.push_back({{"file", finding.place.file},
                    {"line", finding.place.line},
                    {"column", finding.place.column},
                    {"rule", finding.rule},
                    {"severity", planner::to_text(finding.severity)},
                    {"message", finding.message},
                    {"fix", finding.fix}});
  }
  return list;
}

// What the plan file itself still lacks; its lines are those of the plan that was written.
Findings findings_of_plan(planner::ImportedPlan const& imported) {
  if (imported.yaml.empty() || planner::has_error(imported.findings)) {
    return {};  // told at the document's own lines
  }
  return planner::read_plan(imported.yaml, "the plan made of it").findings;
}

void put_text(Session& session, std::string text) {
  if (text.ends_with('\n')) {
    text.pop_back();
  }
  put_document(session, text);
}

Maybe<std::vector<Json>> load_steps(Session& session, Json const& snapshot,
                                    std::string const& what) {
  std::vector<Json> steps;
  auto const path = run_path(text_of(snapshot, "run")) + "/steps/";
  for (auto const& phase : child(snapshot, "phases")) {
    for (auto const& step : child(phase, "steps")) {
      if (number_of(step, "attempts") == 0 && text_of(step, "state") == "pending") {
        continue;  // nothing is recorded of it
      }
      auto const answer = session.client.get(path + percent_encode(text_of(phase, "name")) + "/" +
                                                 percent_encode(text_of(step, "name")),
                                             what);
      if (!answer) {
        return tl::unexpected(answer.error());
      }
      steps.push_back(parse_json(answer->body));
    }
  }
  return steps;
}

struct Told {
  planner::Plan plan;
  planner::RunRecord record;
};
Maybe<Told> load_run(Session& session, std::string const& wanted) {
  auto const what = "plan render --run " + wanted;
  auto const run = session.client.run_id(wanted);
  if (!run) {
    return tl::unexpected(run.error());
  }
  auto const answer = session.client.get(run_path(*run), what);
  if (!answer) {
    return tl::unexpected(answer.error());
  }
  auto const snapshot = parse_json(answer->body);
  auto plan = load_any_plan(session, text_of(child(snapshot, "plan"), "digest"), what);
  if (!plan) {
    return tl::unexpected(plan.error());
  }
  auto const steps = load_steps(session, snapshot, what);
  if (!steps) {
    return tl::unexpected(steps.error());
  }
  return Told{.plan = *std::move(plan), .record = record_of(snapshot, *steps)};
}

Maybe<Told> load_told(Session& session, PlanRender const& command) {
  if (command.plan.empty() == command.run.empty()) {
    return fail(Exit::usage, "plan render", "name either a plan or, with --run, a run",
                "runbookctl plan render --help");
  }
  if (!command.run.empty()) {
    return load_run(session, command.run);
  }
  auto plan = load_any_plan(session, command.plan, "plan render " + command.plan);
  return plan ? Maybe<Told>(Told{.plan = *std::move(plan), .record = {}})
              : tl::unexpected(plan.error());
}

Lines change_lines(planner::PlanChange const& change) {
  Line head;
  head.add(std::string(planner::to_text(change.kind)) + " ", Tone::dim);
  head.add(clean(change.place), Tone::strong);
  head.add(change.key.empty() ? "" : "  " + clean(change.key));
  Lines lines{head};
  for (auto const& line : change.lines) {
    auto const tone = line.sign == '+' ? Tone::good : line.sign == '-' ? Tone::bad : Tone::plain;
    lines.push_back(Line().add(std::string("  ") + line.sign + " " + clean(line.text), tone));
  }
  return lines;
}

void put_changes(Session& session, std::vector<planner::PlanChange> const& changes) {
  auto all = Json::array();
  for (auto const& change : changes) {
    switch (session.global.output) {
      case Output::json:
        all.push_back(parse_json(to_json(change)));
        break;
      case Output::ndjson:
        put(session, to_line(parse_json(to_json(change))));
        break;
      case Output::name:
        put(session, clean(change.place));
        break;
      case Output::table:
        put(session, change_lines(change));
    }
  }
  if (session.global.output == Output::json) {
    put(session, to_pretty({{"same", changes.empty()}, {"changes", all}}));
  }
}

}  // namespace

Exit perform(Session& session, PlanImport const& command) {
  auto const schema = load_schema(session, command.schema);
  if (!schema) {
    return report(session, schema.error());
  }
  auto const text = load_text(session, command.file);
  if (!text) {
    return report(session, text.error());
  }
  auto const name = command.file == "-" ? std::string("stdin") : command.file;
  auto imported = planner::import_markdown(*text, name, *schema, command.server_version);
  auto const more = findings_of_plan(imported);
  imported.findings.insert(imported.findings.end(), more.begin(), more.end());
  if (session.as_json()) {
    put_document(session, to_line({{"plan", imported.yaml},
                                   {"findings", findings_json(imported.findings)}}));
  } else {
    tell_findings(session, imported.findings);
    put_text(session, imported.yaml);
  }
  bool const wrong = imported.yaml.empty() || planner::has_error(imported.findings);
  tell(session, wrong ? "next: mend the errors above in the document, then import it again"
                      : "next: read the plan, above all its comments; then: runbookctl plan lint "
                        "FILE");
  return wrong ? Exit::invalid : Exit::done;
}

Exit perform(Session& session, PlanRender const& command) {
  auto const schema = load_schema(session, command.schema);
  if (!schema) {
    return report(session, schema.error());
  }
  auto const told = load_told(session, command);
  if (!told) {
    return report(session, told.error());
  }
  auto const text =
      planner::render_markdown(told->plan, schema->catalog, command.server_version, told->record);
  if (session.as_json()) {
    put_document(session, to_line({{"markdown", text}}));
  } else {
    put_text(session, text);
  }
  return Exit::done;
}

Exit perform(Session& session, PlanDiff const& command) {
  auto const what = "plan diff " + command.before + " " + command.after;
  auto const before = load_any_plan(session, command.before, what);
  if (!before) {
    return report(session, before.error());
  }
  auto const after = load_any_plan(session, command.after, what);
  if (!after) {
    return report(session, after.error());
  }
  auto const changes = planner::diff(*before, *after);
  put_changes(session, changes);
  if (session.global.output == Output::table && changes.empty()) {
    tell(session, "the plans are the same: one digest");
  }
  return Exit::done;
}

}  // namespace runbookd::ctl
