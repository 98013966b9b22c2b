// Pause, rollback, cancel: the ways to stop and to go back.
#include <algorithm>
#include <iostream>

#include <nlohmann/json.hpp>

#include "web/ctl/asking.h"
#include "web/ctl/perform.h"
#include "web/ctl/render_lists.h"
#include "web/ctl/run_facts.h"
#include "web/ctl/text.h"

namespace runbookd::ctl {

namespace {

using planner::Duration;
using std::chrono::steady_clock;
constexpr Duration pause_patience{30'000};

Json pause_body(Pause const& command) {
  Json body = {{"mode", command.now ? "now" : "safe_point"}};
  if (!command.escalate_after.empty()) {
    body["escalate_after"] = command.escalate_after;
  }
  return body;
}

void say_paused(Session& session, Json const& snapshot, std::string const& document,
                Duration took) {
  auto const plain = session.global.output == Output::table && !session.global.quiet;
  if (!plain) {
    say_state(session, snapshot, document);
    return;
  }
  Line line;
  line.add(icon_for("paused", session.look), tone_for("paused")).add(" ");
  line.add(text_of(snapshot, "run") + " paused after " + short_duration(took));
  put(session, line.print(session.look));
  tell(session, "next: " + next_command(snapshot));
}

void say_still_pausing(Session& session, Json const& snapshot, std::string const& document) {
  say_state(session, snapshot, document);
  auto const escalation = moment_of(snapshot, "escalate_at");
  if (escalation != planner::Moment{}) {
    tell(session, "will interrupt in " + short_duration(escalation - session.world.now()));
  } else {
    tell(session,
         "to interrupt what is executing: runbookctl pause " + text_of(snapshot, "run") + " --now");
  }
}

Exit wait_for_pause(Session& session, std::string const& run, std::string const& document,
                    steady_clock::time_point asked) {
  auto const end = follow(session, run, document, goal_of_pause(),
                          session.global.timeout.value_or(pause_patience));
  if (!end) {
    return report(session, end.error());
  }
  auto const snapshot = parse_json(end->document);
  if (text_of(snapshot, "state") == "pausing") {
    say_still_pausing(session, snapshot, end->document);
  } else if (text_of(snapshot, "state") == "paused") {
    say_paused(session, snapshot, end->document,
               std::chrono::duration_cast<Duration>(steady_clock::now() - asked));
  } else {
    say_state(session, snapshot, end->document);
  }
  return end->exit;
}

std::string extent_of(Rollback const& command) {
  if (command.all) {
    return "all";
  }
  return command.last ? "last" : command.to;
}

std::vector<std::string> preview_summary(Json const& preview) {
  std::vector<std::string> lines;
  for (auto const& line : render_preview(preview)) {
    lines.push_back(line.print({}));
  }
  return lines;
}

Question cancel_question(Json const& snapshot, Cancel const& command) {
  auto const name = text_of(child(snapshot, "plan"), "name");
  return {
      .impact = has_progress(snapshot) ? Impact::severe : Impact::mild,
      .what = "cancel " + text_of(snapshot, "run"),
      .summary = {"Gives up " + name + " on target " + text_of(snapshot, "target") +
                      "; this run cannot be taken up again.",
                  "The database stays as it is: nothing is rolled back. (To go back: runbookctl "
                  "rollback.)"},
      .name = name,
      .given = command.confirm};
}

}  // namespace

Exit perform(Session& session, Pause const& command) {
  auto const run = session.client.run_id(command.run);
  if (!run) {
    return report(session, run.error());
  }
  auto const asked = steady_clock::now();
  auto const answer =
      session.client.post(run_path(*run) + "/pause", body_with_reason(session, pause_body(command)),
                          "pause " + *run, session.global.if_revision);
  if (!answer) {
    return report(session, answer.error());
  }
  auto const snapshot = parse_json(answer->body);
  if (session.global.wait.value_or(true) && text_of(snapshot, "state") == "pausing") {
    return wait_for_pause(session, *run, answer->body, asked);
  }
  say_state(session, snapshot, answer->body);
  return Exit::done;
}

Exit perform(Session& session, Rollback const& command) {
  auto const run = session.client.run_id(command.run);
  if (!run) {
    return report(session, run.error());
  }
  auto const extent = extent_of(command);
  auto const preview = session.client.get(
      run_path(*run) + "/rollback-preview?to=" + percent_encode(extent), "rollback " + *run);
  if (!preview) {
    return report(session, preview.error());
  }
  if (command.preview) {
    session.as_json() ? put_document(session, preview->body)
                      : put(session, render_preview(parse_json(preview->body)));
    return Exit::done;
  }
  auto const agreed = confirmed(session, {.impact = Impact::moderate,
                                          .what = "rollback " + *run,
                                          .summary = preview_summary(parse_json(preview->body))});
  return agreed ? ask_of(session, run, "rollback", {{"to", extent}}, goal_of_rollback())
                : report(session, agreed.error());
}

Exit perform(Session& session, Cancel const& command) {
  auto const run = session.client.run_id(command.run);
  if (!run) {
    return report(session, run.error());
  }
  auto const snapshot = snapshot_of(session, *run, "cancel " + *run);
  if (!snapshot) {
    return report(session, snapshot.error());
  }
  auto const question = cancel_question(*snapshot, command);
  if (is_allowed(*snapshot, "cancel")) {
    if (auto const agreed = confirmed(session, question); !agreed) {
      return report(session, agreed.error());
    }
  }
  Json body = Json::object();
  if (question.impact == Impact::severe || !command.confirm.empty()) {
    body["confirm"] = command.confirm.empty() ? question.name : command.confirm;
  }
  return ask_of(session, run, "cancel", body, goal_of_until({"cancelled"}));
}

}  // namespace runbookd::ctl
