// Plans as documents for people: read from Markdown, without a daemon.
#include <iostream>

#include <nlohmann/json.hpp>

#include "planner/import.h"
#include "web/ctl/perform.h"
#include "web/ctl/plan_files.h"
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

void put_plan_text(Session& session, std::string text) {
  if (text.ends_with('\n')) {
    text.pop_back();
  }
  put_document(session, text);
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
    put_plan_text(session, imported.yaml);
  }
  bool const wrong = imported.yaml.empty() || planner::has_error(imported.findings);
  tell(session, wrong ? "next: mend the errors above in the document, then import it again"
                      : "next: read the plan, above all its comments; then: runbookctl plan lint "
                        "FILE");
  return wrong ? Exit::invalid : Exit::done;
}

}  // namespace runbookd::ctl
