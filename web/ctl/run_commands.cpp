// Creating and seeing runs.
#include <iostream>

#include <nlohmann/json.hpp>

#include "web/ctl/asking.h"
#include "web/ctl/hold.h"
#include "web/ctl/perform.h"
#include "web/ctl/plan_files.h"
#include "web/ctl/render_lists.h"
#include "web/ctl/run_facts.h"
#include "web/ctl/text.h"

namespace runbookd::ctl {

namespace {

Maybe<std::string> plan_digest(Session& session, RunCreate const& command) {
  if (!command.plan.empty()) {
    return command.plan;
  }
  auto const stored = upload_plan(session, command.plan_file);
  return stored ? Maybe<std::string>(text_of(parse_json(stored->body), "digest"))
                : tl::unexpected(stored.error());
}

std::string runs_target(RunList const& command) {
  std::string target = "/api/v1/runs?limit=" + std::to_string(std::min(command.limit, 500));
  auto const add = [&target](char const* name, std::string const& value) {
    target += value.empty() ? "" : std::string("&") + name + '=' + percent_encode(value);
  };
  add("state", command.state);
  add("target", command.target);
  add("plan", command.plan);
  return target;
}

Maybe<Json> runs_up_to(Session& session, RunList const& command, std::string const& what) {
  auto rows = Json::array();
  auto const limit = static_cast<std::size_t>(command.limit);
  auto const read =
      session.client.each_row(runs_target(command), "runs", what, [&](Json const& row) {
        rows.push_back(row);
        return rows.size() < limit;
      });
  return read ? Maybe<Json>(std::move(rows)) : tl::unexpected(read.error());
}

void put_rows(Session& session, Json const& rows) {
  switch (session.global.output) {
    case Output::json:
      put(session, to_pretty({{"runs", rows}}));
      return;
    case Output::ndjson:
      for (auto const& row : rows) {
        put(session, to_line(row));
      }
      return;
    case Output::name:
      for (auto const& row : rows) {
        put(session, text_of(row, "run"));
      }
      return;
    case Output::table:
      if (rows.empty()) {
        tell(session, "no runs");
        return;
      }
      put(session, render_runs(rows, session.view()));
  }
}

Exit show_step(Session& session, std::string const& run, std::string const& label) {
  auto const slash = label.find('/');
  auto const answer =
      session.client.get(run_path(run) + "/steps/" + percent_encode(label.substr(0, slash)) + '/' +
                             percent_encode(label.substr(slash + 1)),
                         "show step " + label + " of " + run);
  if (!answer) {
    return report(session, answer.error());
  }
  session.as_json() ? put_document(session, answer->body)
                    : put(session, render_step(parse_json(answer->body), session.view()));
  return Exit::done;
}

// "phase/step" of what --phase and --step name together.
Maybe<std::string> wanted_step(Json const& snapshot, RunShow const& command) {
  auto const text = command.phase.empty() || command.step.find('/') != std::string::npos
                        ? command.step
                        : command.phase + '/' + command.step;
  auto const label = step_label(snapshot, text);
  return !label.empty()
             ? Maybe<std::string>(label)
             : fail(Exit::not_found, "show step " + text,
                    "this run has no such step, or several with this name: name it PHASE/STEP",
                    "runbookctl run show " + text_of(snapshot, "run"));
}

Exit show_run(Session& session, Json const& snapshot, std::string const& document,
              std::string const& phase) {
  if (session.as_json()) {
    put_document(session, phase.empty() ? document : to_pretty(phase_named(snapshot, phase)));
    return Exit::done;
  }
  if (session.global.output == Output::name) {
    put(session, text_of(snapshot, "run"));
    return Exit::done;
  }
  auto view = session.view();
  view.expand_all = true;
  view.only_phase = phase;
  put(session, render_run(snapshot, view));
  return Exit::done;
}

Json active_only(Json const& rows) {
  auto active = Json::array();
  for (auto const& row : rows) {
    if (!is_final(text_of(row, "state"))) {
      active.push_back(row);
    }
  }
  return active;
}

Exit status_of_one(Session& session, std::string const& run) {
  auto const answer = session.client.get(run_path(run), "status " + run);
  if (!answer) {
    return report(session, answer.error());
  }
  auto const snapshot = parse_json(answer->body);
  if (session.global.output != Output::table) {
    return show_run(session, snapshot, answer->body, "");
  }
  put(session, render_run(snapshot, session.view()));
  tell_next(session, snapshot);
  return Exit::done;
}

Exit status_of_all(Session& session) {
  auto const rows =
      runs_up_to(session, {.state = "", .target = "", .plan = "", .limit = 100'000}, "status");
  if (!rows) {
    return report(session, rows.error());
  }
  auto const active = active_only(*rows);
  if (session.global.output != Output::table) {
    put_rows(session, active);
    return Exit::done;
  }
  if (active.empty()) {
    put(session, rows->empty()
                     ? "nothing is under way; there is no run yet"
                     : "nothing is under way; " +
                           plural(static_cast<std::int64_t>(rows->size()), "run") + " ended");
    tell(session, "next: runbookctl run create --plan-file FILE --target NAME");
    return Exit::done;
  }
  if (active.size() == 1) {
    return status_of_one(session, text_of(active.front(), "run"));
  }
  put(session, render_active(active, session.view()));
  tell(session, "next: runbookctl status RUN, for all of it");
  return Exit::done;
}

}  // namespace

Exit perform(Session& session, RunCreate const& command) {
  auto const digest = plan_digest(session, command);
  if (!digest) {
    return report(session, digest.error());
  }
  Json body = {{"plan", *digest}, {"target", command.target}};
  if (!command.note.empty()) {
    body["note"] = command.note;
  }
  auto const answer = session.client.post("/api/v1/runs", to_line(body), "run create");
  if (!answer) {
    return report(session, answer.error());
  }
  auto const snapshot = parse_json(answer->body);
  if (session.global.quiet && session.global.output == Output::table) {
    put(session, text_of(snapshot, "run"));  // the one thing that a script needs
  }
  say_state(session, snapshot, answer->body);
  return Exit::done;
}

Exit perform(Session& session, RunList const& command) {
  auto const rows = runs_up_to(session, command, "run list");
  if (!rows) {
    return report(session, rows.error());
  }
  put_rows(session, *rows);
  return Exit::done;
}

Exit perform(Session& session, RunShow const& command) {
  auto const run = session.client.run_id(command.run);
  if (!run) {
    return report(session, run.error());
  }
  auto const answer = session.client.get(run_path(*run), "show " + *run);
  if (!answer) {
    return report(session, answer.error());
  }
  auto const snapshot = parse_json(answer->body);
  if (!command.step.empty()) {
    auto const label = wanted_step(snapshot, command);
    return label ? show_step(session, *run, *label) : report(session, label.error());
  }
  if (!command.phase.empty() && phase_named(snapshot, command.phase).is_null()) {
    auto const missing = fail(Exit::not_found, "show phase " + command.phase,
                              "this run has no such phase", "runbookctl run show " + *run);
    return report(session, missing.value());
  }
  return show_run(session, snapshot, answer->body, command.phase);
}

Exit perform(Session& session, Status const& command) {
  auto const run =
      command.run.empty() ? Maybe<std::string>("") : session.client.run_id(command.run);
  if (!run) {
    return report(session, run.error());
  }
  if (session.global.output == Output::table) {
    tell_hold(session);
  }
  auto const exit = run->empty() ? status_of_all(session) : status_of_one(session, *run);
  if (session.client.local_mode()) {
    tell(session, "local mode: nobody is asked for a token here (runbookctl whoami)");
  }
  return exit;
}

}  // namespace runbookd::ctl
