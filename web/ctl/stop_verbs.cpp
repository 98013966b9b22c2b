// Pause, rollback, cancel: the ways to stop and to go back.
#include <algorithm>
#include <iostream>

#include <nlohmann/json.hpp>

#include "web/ctl/asking.h"
#include "web/ctl/perform.h"
#include "web/ctl/render_lists.h"
#include "web/ctl/run_facts.h"
#include "web/ctl/text.h"
#include "web/ctl/ways.h"

namespace runbookd::ctl {

namespace {

using planner::Duration;
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

std::string extent_of(Rollback const& command) {
  if (command.all) {
    return "all";
  }
  return command.last ? "last" : command.to;
}

Maybe<Answer> preview_to(Session& session, std::string const& run, std::string const& extent) {
  return session.client.get(run_path(run) + "/rollback-preview?to=" + percent_encode(extent),
                            "rollback " + run);
}

// The command that goes back as far as steps without a way back allow; empty where there is none.
std::string farthest_way_back(Session& session, Seen const& seen) {
  std::string way;
  for (auto const& label : after_final_steps(parse_json(seen.document))) {
    auto const preview = preview_to(session, seen.run, label);
    if (!preview) {
      break;
    }
    if (auto const document = parse_json(preview->body); !child(document, "steps").empty()) {
      way = "runbookctl rollback " + seen.run + " --to " + shell_quote(label) + " --preview";
    }
  }
  return way;
}

// Where the wish leads too far, the hint names a place that can be reached.
Maybe<Answer> preview_of(Session& session, Seen const& seen, std::string const& extent) {
  auto preview = preview_to(session, seen.run, extent);
  if (preview || text_of(parse_json(preview.error().problem), "code") != "irreversible") {
    return preview;
  }
  auto failure = preview.error();
  failure.next = farthest_way_back(session, seen);
  if (failure.next.empty()) {
    failure.why += "; nothing was done after it, so there is no way back from here";
    failure.next = "runbookctl status " + seen.run;
  }
  return tl::unexpected(failure);
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
  auto wish = wish_of(session, "pause", *run, pause_body(command), goal_of_pause());
  wish.patience = pause_patience;
  auto const end = carried_out(session, wish);
  if (!end) {
    return report(session, end.error());
  }
  auto const snapshot = parse_json(end->document);
  auto const state = text_of(snapshot, "state");
  if (end->waited == Duration{}) {  // nothing was to be stopped, or nobody waits
    say_state(session, snapshot, end->document);
    return Exit::done;
  }
  if (end->exit == Exit::timed_out && state == "pausing") {
    say_still_pausing(session, snapshot, end->document);
    return end->exit;
  }
  if (state == "paused") {
    say_paused(session, snapshot, end->document, end->waited);
    return end->exit;
  }
  return say_end(session, wish, *end);
}

Exit perform(Session& session, Rollback const& command) {
  auto const seen = look_at(session, command.run, "rollback");
  if (!seen) {
    return report(session, seen.error());
  }
  auto const extent = extent_of(command);
  auto const preview = preview_of(session, *seen, extent);
  if (!preview) {
    return report(session, preview.error());
  }
  if (command.preview) {
    session.as_json() ? put_document(session, preview->body)
                      : put(session, render_preview(parse_json(preview->body)));
    return Exit::done;
  }
  Json body = {{"to", extent}};
  say_take_over(body, command.take_over);
  return ask_if_agreed(session, wish_of(session, "rollback", seen->run, body, goal_of_rollback()),
                       parse_json(seen->document), true,
                       {.impact = Impact::moderate,
                        .what = "rollback " + seen->run,
                        .summary = preview_summary(parse_json(preview->body))});
}

Exit perform(Session& session, Cancel const& command) {
  auto const seen = look_at(session, command.run, "cancel");
  if (!seen) {
    return report(session, seen.error());
  }
  auto const snapshot = parse_json(seen->document);
  auto const question = cancel_question(snapshot, command);
  Json body = Json::object();
  if (question.impact == Impact::severe || !command.confirm.empty()) {
    body["confirm"] = command.confirm.empty() ? question.name : command.confirm;
  }
  return ask_if_agreed(session,
                       wish_of(session, "cancel", seen->run, body, goal_of_until({"cancelled"})),
                       snapshot, true, question);
}

}  // namespace runbookd::ctl
