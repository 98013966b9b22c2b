// Plans: checked and shown without a daemon, stored in one.
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <tuple>

#include <nlohmann/json.hpp>

#include "planner/lint.h"
#include "planner/view.h"
#include "planner/way_back.h"
#include "planner/ways_back_json.h"
#include "web/ctl/findings.h"
#include "web/ctl/perform.h"
#include "web/ctl/plan_files.h"
#include "web/ctl/render_lists.h"
#include "web/ctl/render_plan.h"
#include "web/ctl/text.h"
#include "web/plan_schema.h"

namespace runbookd::ctl {

namespace {

using planner::Findings;

Findings findings_of(PlanFile const& file, LintChoices const& choices,
                     planner::LintOptions options) {
  auto findings = file.read.findings;
  if (file.read.plan) {
    bool const asked = !choices.dsn.empty() || !choices.target.empty();
    bool const plain = choices.server_version.empty() && choices.schema.empty() && !asked;
    if (choices.server_version.empty() && !asked && file.read.plan->database.min_version > 0) {
      options.server_major = file.read.plan->database.min_version;
    }
    auto const judged = plain && choices.enable.empty()
                            ? planner::lint(*file.read.plan)
                            : planner::lint(*file.read.plan, std::move(options));
    findings.insert(findings.end(), judged.begin(), judged.end());
  }
  sort_by_place(findings);
  return findings;
}

std::string after_lint(PlanFile const& file, bool has_error) {
  auto const name = file.name == "-" ? file.name : shell_quote(file.name);
  return has_error ? "next: mend the errors, then again: runbookctl plan lint " + name
                   : "next: runbookctl run create --plan-file " + name + " --target NAME";
}

void put_plan(Session& session, planner::Plan const& plan) {
  if (session.global.output == Output::name) {
    put(session, plan.name);
    return;
  }
  put(session, render_plan(plan, session.view()));
}

// The rollbacks that are derived, and what is said of those that only a database tells.
void put_derived(Session& session, planner::Plan const& plan,
                 std::map<planner::StepRef, std::string> const& refused) {
  auto steps = Json::array();
  for (int p = 0; p < std::ssize(plan.phases); ++p) {
    for (int i = 0; i < std::ssize(plan.phases[p].steps); ++i) {
      planner::StepRef const ref{.phase = p, .step = i};
      auto const& back = plan.step(ref).backward;
      auto const* sql = std::get_if<planner::SqlAction>(&back);
      if (sql != nullptr && planner::is_derived(*sql)) {
        steps.push_back({{"step", plan.label(ref)}, {"rollback", sql->source.text}});
      } else if (std::holds_alternative<planner::AutoAction>(back)) {
        auto const why = refused.find(ref);
        steps.push_back(
            {{"step", plan.label(ref)},
             {"rollback", nullptr},
             {"note", why == refused.end() ? planner::written_later
                                           : "not from the catalog as it is now: " + why->second}});
      }
    }
  }
  if (session.as_json()) {
    put_document(session, Json{{"steps", steps}}.dump());
    return;
  }
  for (auto const& step : steps) {
    put(session, "step " + text_of(step, "step"));
    auto const text =
        step["rollback"].is_null() ? "-- " + text_of(step, "note") : text_of(step, "rollback");
    for (auto const& line : clean_lines(text)) {
      put(session, "  " + line);
    }
  }
}

Exit show_file(Session& session, std::string const& name) {
  auto const file = load_plan(session, name);
  if (!file) {
    return report(session, file.error());
  }
  if (!file->read.plan) {
    put_findings(session, file->name, file->read.findings, "");
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
  auto options = lint_options(session, command);
  if (!options) {
    return report(session, options.error());
  }
  auto const findings = findings_of(*file, command, std::move(*options));
  if (command.fix) {
    if (auto const end = fixed(session, command, findings)) {
      return *end;
    }
  }
  put_findings(session, file->name, findings, command.report);
  if (session.global.output == Output::table && command.report.empty()) {
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

namespace {

Maybe<planner::WaysBack> ask_of_dsn(Session& session, std::string const& dsn,
                                    planner::Plan const& plan) {
  auto told = session.world.ways_back(dsn, plan);
  return told ? Maybe<planner::WaysBack>(*std::move(told))
              : fail(Exit::unreachable, "ask the database of --dsn", told.error().detail,
                     "psql DSN -c 'SELECT 1'");
}

Maybe<planner::WaysBack> ask_of_target(Session& session, std::string const& target,
                                       PlanFile const& file, planner::Plan const& plan) {
  auto const what = "ask target " + target + " for ways back";
  auto const answer =
      send_plan(session, file, "/api/v1/targets/" + percent_encode(target) + "/ways-back", what);
  if (!answer) {
    return tl::unexpected(answer.error());
  }
  auto told = planner::ways_back_from_json(plan, answer->body);
  return told ? Maybe<planner::WaysBack>(*std::move(told))
              : fail(Exit::unexpected, what, told.error().detail, told.error().next);
}

// Nothing where nobody is to be asked.
Maybe<planner::WaysBack> ask_for_ways_back(Session& session, PlanDerive const& command,
                                           PlanFile const& file, planner::Plan const& plan) {
  if (!command.dsn.empty() && !command.target.empty()) {
    return fail(Exit::usage, "ask for ways back", "--dsn and --target say the same thing",
                "give one of them");
  }
  return !command.dsn.empty()      ? ask_of_dsn(session, command.dsn, plan)
         : !command.target.empty() ? ask_of_target(session, command.target, file, plan)
                                   : planner::WaysBack{};
}

}  // namespace

Exit perform(Session& session, PlanDerive const& command) {
  auto const file = load_plan(session, command.file);
  if (!file) {
    return report(session, file.error());
  }
  if (!file->read.plan) {
    put_findings(session, file->name, file->read.findings, "");
    return Exit::invalid;
  }
  auto plan = *file->read.plan;
  auto const told = ask_for_ways_back(session, command, *file, plan);
  if (!told) {
    return report(session, told.error());
  }
  plan = planner::with_ways_back(std::move(plan), told->sql);
  auto const found = planner::spelled_out(plan, file->text);
  bool const any = planner::mend(file->text, file->name, found).edits > 0;
  if (command.fix && any) {
    auto const edits = mend_files(session, found);
    return edits ? Exit::done : report(session, edits.error());
  }
  put_derived(session, plan, told->refused);
  if (any) {
    auto const asked = !command.dsn.empty()      ? std::string("--dsn DSN ")
                       : !command.target.empty() ? "--target " + shell_quote(command.target) + " "
                                                 : "";
    tell(session, "next: runbookctl plan derive --fix " + asked + shell_quote(file->name));
  } else {
    tell(session, "no step of the file says `rollback: auto` where SQL is derived");
  }
  return Exit::done;
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
