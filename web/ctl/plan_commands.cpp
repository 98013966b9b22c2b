// Plans: checked and shown without a daemon, stored in one.
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <tuple>

#include <nlohmann/json.hpp>

#include "planner/lint.h"
#include "planner/view.h"
#include "web/ctl/perform.h"
#include "web/ctl/plan_files.h"
#include "web/ctl/render_lists.h"
#include "web/ctl/render_plan.h"
#include "web/ctl/text.h"
#include "web/plan_schema.h"

namespace runbookd::ctl {

namespace {

using planner::Finding;
using planner::Findings;
using planner::Severity;

Findings findings_of(PlanFile const& file) {
  auto findings = file.read.findings;
  if (file.read.plan) {
    auto const judged = planner::lint(*file.read.plan);
    findings.insert(findings.end(), judged.begin(), judged.end());
  }
  auto const place = [](Finding const& f) {
    return std::tie(f.place.file, f.place.line, f.place.column);
  };
  std::stable_sort(findings.begin(), findings.end(),
                   [place](auto const& a, auto const& b) { return place(a) < place(b); });
  return findings;
}

// The shape that the API gives findings.
Json finding_json(Finding const& finding) {
  return {{"file", finding.place.file},
          {"line", finding.place.line},
          {"column", finding.place.column},
          {"rule", finding.rule},
          {"severity", planner::to_text(finding.severity)},
          {"message", finding.message},
          {"fix", finding.fix},
          {"step", finding.step}};
}

Json list_of(Findings const& findings) {
  auto list = Json::array();
  for (auto const& finding : findings) {
    list.push_back(finding_json(finding));
  }
  return list;
}

std::int64_t count(Findings const& findings, Severity severity) {
  return std::count_if(findings.begin(), findings.end(),
                       [severity](Finding const& f) { return f.severity == severity; });
}

std::string summary(PlanFile const& file, Findings const& findings) {
  if (findings.empty()) {
    return file.name + ": no findings";
  }
  return file.name + ": " + plural(count(findings, Severity::error), "error") + ", " +
         plural(count(findings, Severity::warning), "warning") + ", " +
         plural(count(findings, Severity::note), "note");
}

std::string after_lint(PlanFile const& file, bool has_error) {
  auto const name = file.name == "-" ? file.name : shell_quote(file.name);
  return has_error ? "next: mend the errors, then again: runbookctl plan lint " + name
                   : "next: runbookctl run create --plan-file " + name + " --target NAME";
}

void put_finding(Session& session, Finding const& finding) {
  auto const tone = finding.severity == Severity::error     ? Tone::bad
                    : finding.severity == Severity::warning ? Tone::waiting
                                                            : Tone::dim;
  bool first = true;
  for (auto const& text : clean_lines(planner::to_text(finding))) {
    put(session, Line().add(text, first ? tone : Tone::plain).print(session.look));
    first = false;
  }
}

void put_findings(Session& session, PlanFile const& file, Findings const& findings) {
  switch (session.global.output) {
    case Output::json:
      put(session,
          to_pretty({{"valid", !planner::has_error(findings)}, {"findings", list_of(findings)}}));
      return;
    case Output::ndjson:
      for (auto const& finding : findings) {
        put(session, to_line(finding_json(finding)));
      }
      return;
    case Output::name:
    case Output::table:
      for (auto const& finding : findings) {
        put_finding(session, finding);
      }
      tell(session, summary(file, findings));
  }
}

void put_plan(Session& session, planner::Plan const& plan) {
  if (session.global.output == Output::name) {
    put(session, plan.name);
    return;
  }
  put(session, render_plan(plan, session.view()));
}

Exit show_file(Session& session, std::string const& name) {
  auto const file = load_plan(session, name);
  if (!file) {
    return report(session, file.error());
  }
  if (!file->read.plan) {
    put_findings(session, *file, file->read.findings);
    return Exit::invalid;
  }
  if (session.as_json()) {
    auto const canonical = planner::canonical_json(*file->read.plan);
    put_document(session,
                 planner::plan_json(*file->read.plan, planner::digest_of(canonical), canonical));
  } else {
    put_plan(session, *file->read.plan);
  }
  return Exit::done;
}

Exit show_stored(Session& session, std::string const& digest) {
  auto const answer =
      session.client.get("/api/v1/plans/" + percent_encode(digest), "plan show " + digest);
  if (!answer) {
    return report(session, answer.error());
  }
  auto const plan = session.as_json() ? std::nullopt : plan_in(parse_json(answer->body));
  if (plan) {
    put_plan(session, *plan);
  } else {
    put_document(session, answer->body);
  }
  return Exit::done;
}

}  // namespace

Exit perform(Session& session, PlanLint const& command) {
  auto const file = load_plan(session, command.file);
  if (!file) {
    return report(session, file.error());
  }
  auto const findings = findings_of(*file);
  put_findings(session, *file, findings);
  if (session.global.output == Output::table) {
    tell(session, after_lint(*file, planner::has_error(findings)));
  }
  return planner::has_error(findings) ? Exit::invalid : Exit::done;
}

Exit perform(Session& session, PlanShow const& command) {
  std::error_code error;
  auto const is_file = command.plan == "-" || std::filesystem::exists(command.plan, error);
  if (!is_file && looks_like_digest(command.plan)) {
    return show_stored(session, command.plan);
  }
  if (!is_file) {
    auto const missing =
        fail(Exit::not_found, "plan show " + command.plan,
             "this is neither a file nor the digest of a stored plan", "runbookctl plan list");
    return report(session, missing.value());
  }
  return show_file(session, command.plan);
}

Exit perform(Session& session, PlanSchema const&) {
  put_document(session, std::string(web::plan_schema()));
  return Exit::done;
}

Exit perform(Session& session, PlanUpload const& command) {
  auto const answer = upload_plan(session, command.file);
  if (!answer) {
    return report(session, answer.error());
  }
  auto const plan = parse_json(answer->body);
  auto const digest = text_of(plan, "digest");
  if (session.as_json()) {
    put_document(session, answer->body);
    return Exit::done;
  }
  if (session.global.output == Output::name || session.global.quiet) {
    put(session, digest);
    return Exit::done;
  }
  put(session, clean(text_of(plan, "name")) +
                   (answer->status == 201 ? " stored as " : " was stored before as ") + digest);
  for (auto const& finding : child(plan, "findings")) {
    put(session, "  " + clean(text_of(finding, "severity")) + ": " +
                     clean(text_of(finding, "message")) + " [" + clean(text_of(finding, "rule")) +
                     "]");
  }
  tell(session, "next: runbookctl run create --plan " + digest + " --target NAME");
  return Exit::done;
}

Exit perform(Session& session, PlanList const&) {
  auto rows = Json::array();
  auto const read = session.client.each_row("/api/v1/plans?limit=500", "plans", "plan list",
                                            [&rows](Json const& row) {
                                              rows.push_back(row);
                                              return true;
                                            });
  if (!read) {
    return report(session, read.error());
  }
  if (session.global.output == Output::json) {
    put(session, to_pretty({{"plans", rows}}));
  } else if (session.global.output == Output::table) {
    put(session, render_plans(rows, session.view()));
  } else {
    for (auto const& row : rows) {
      put(session, session.as_json() ? to_line(row) : text_of(row, "digest"));
    }
  }
  return Exit::done;
}

}  // namespace runbookd::ctl
