// The verbs that move a run on, and the small ones about gates and steps.
#include <nlohmann/json.hpp>

#include "web/ctl/asking.h"
#include "web/ctl/perform.h"
#include "web/ctl/run_facts.h"
#include "web/ctl/text.h"
#include "web/ctl/usage.h"

namespace runbookd::ctl {

namespace {

constexpr planner::Duration verdict_patience{30'000};

Maybe<Json> acknowledgements(std::vector<std::string> const& words) {
  auto list = Json::array();
  for (auto const& word : words) {
    auto const equals = word.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == word.size()) {
      return fail(Exit::usage, "start --acknowledge " + word,
                  "a finding is acknowledged by its rule and a reason of your own",
                  "runbookctl start RUN --acknowledge 'RULE=REASON'");
    }
    list.push_back({{"rule", word.substr(0, equals)}, {"reason", word.substr(equals + 1)}});
  }
  return list;
}

std::vector<std::string> phase_summary(Json const& snapshot, Json const& phase) {
  auto const steps = static_cast<std::int64_t>(child(phase, "steps").size());
  auto const goal = text_of(phase, "goal");
  std::vector<std::string> lines{"Enters phase " + text_of(phase, "name") + " (" +
                                 text_of(phase, "kind") + ", " + plural(steps, "step") + ") of " +
                                 text_of(child(snapshot, "plan"), "name") + " on target " +
                                 text_of(snapshot, "target") + "."};
  if (!goal.empty()) {
    lines.push_back(goal);
  }
  std::vector<std::string> final_steps;
  for (auto const& step : child(phase, "steps")) {
    if (has_no_way_back(step)) {
      final_steps.push_back(text_of(step, "name"));
    }
  }
  if (!final_steps.empty()) {
    lines.push_back("There is no way back after: " + joined(final_steps, ", "));
  }
  return lines;
}

Question advance_question(Json const& snapshot, Advance const& command, std::string const& what) {
  auto const& phase = phase_named(snapshot, command.to);
  auto const severe = text_of(phase, "kind") == "contract";
  return {.impact = severe ? Impact::severe : Impact::moderate,
          .what = what,
          .summary = phase_summary(snapshot, phase),
          .name = command.to,
          .given = command.confirm};
}

std::vector<std::string> skip_summary(std::string const& step, bool backward, bool reversed) {
  if (reversed) {
    return {"Takes the schema as it is: step " + step +
            " was taken back, but what was there before it did not come back whole."};
  }
  if (backward) {
    return {"Leaves out the way back of step " + step + ": what it did stays in the database."};
  }
  return {"Leaves out step " + step + "; it will for ever show as skipped.",
          "Later steps and checks may need what it would have done."};
}

// The phase whose gate waits, for people who do not name it.
std::string waiting_phase(Json const& snapshot) {
  auto phase = gate_phase(snapshot, "approval");
  return phase.empty() ? gate_phase(snapshot) : phase;
}

Exit decide_gate(Session& session, std::string const& verb, std::string const& run_text,
                 std::string const& named) {
  auto const seen = look_at(session, run_text, verb);
  if (!seen) {
    return report(session, seen.error());
  }
  auto const phase = named.empty() ? waiting_phase(parse_json(seen->document)) : named;
  if (phase.empty()) {
    return report(session, fail(Exit::conflict, verb + ' ' + seen->run,
                                "no gate of this run waits now", "runbookctl status " + seen->run)
                               .value());
  }
  Json body = {{"phase", phase}};
  // what is signed is what was seen
  if (auto const& gate = child(parse_json(seen->document), "gate");
      verb == "approve" && !gate.is_null()) {
    body["gate"] = gate;
  }
  auto const exit = ask_of(session, seen->run, verb, body);
  auto const group =
      text_of(child(phase_named(parse_json(seen->document), phase), "approvals"), "from");
  if (verb == "approve" && exit == Exit::done && !group.empty()) {
    tell(session, "signed for " + group + ", a name for people: who may sign is said by roles");
  }
  return exit;
}

// The phase that the run stands at is the only one that can be meant.
Exit decide_override(Session& session, std::string const& verb, std::string const& run_text,
                     std::string const& named, Json body) {
  auto const seen = look_at(session, run_text, verb);
  if (!seen) {
    return report(session, seen.error());
  }
  auto const snapshot = parse_json(seen->document);
  auto const asked = text_of(child(snapshot, "override_asked"), "phase");
  auto const here = asked.empty() ? text_of(snapshot, "phase") : asked;
  body["phase"] = named.empty() ? here : named;
  return ask_of(session, seen->run, verb, std::move(body));
}

}  // namespace

Exit perform(Session& session, Start const& command) {
  auto const list = acknowledgements(command.acknowledge);
  if (!list) {
    return report(session, list.error());
  }
  Json body = Json::object();
  if (!list->empty()) {
    body["acknowledge"] = *list;
  }
  say_take_over(body, command.take_over);
  auto const run = session.client.run_id(command.run);
  if (run) {
    tell_weather(session, *run, "");
  }
  return ask_of(session, run, "start", body, goal_of_start());
}

Exit perform(Session& session, Advance const& command) {
  auto const seen = look_at(session, command.run, "advance");
  if (!seen) {
    return report(session, seen.error());
  }
  auto const snapshot = parse_json(seen->document);
  auto const question = advance_question(snapshot, command, "advance " + seen->run);
  Json body = {{"to_phase", command.to}};
  if (question.impact == Impact::severe || !command.confirm.empty()) {
    body["confirm"] = question.impact == Impact::severe ? command.to : command.confirm;
  }
  auto const next = gate_phase(snapshot, "advance");
  if (next == command.to) {
    tell_weather(session, seen->run, command.to);
  }
  return ask_if_agreed(session,
                       wish_of(session, "advance", seen->run, body, goal_of_advance(command.to)),
                       snapshot, next.empty() || next == command.to, question);
}

Exit perform(Session& session, Approve const& command) {
  return decide_gate(session, "approve", command.run, command.phase);
}

Exit perform(Session& session, Reject const& command) {
  if (session.global.reason.empty()) {
    return report(session, reason_needed(session, "reject", "who refuses a gate says why").value());
  }
  return decide_gate(session, "reject", command.run, command.phase);
}

Exit perform(Session& session, Withdraw const& command) {
  return decide_gate(session, "withdraw", command.run, command.phase);
}

Exit perform(Session& session, Countersign const& command) {
  return decide_override(session, "countersign", command.run, command.phase, Json::object());
}

Exit perform(Session& session, Override const& command) {
  if (session.global.reason.empty()) {
    return report(session,
                  reason_needed(session, "override", "who goes past a gate says why").value());
  }
  Json body = Json::object();
  if (!command.confirm.empty()) {
    body["confirm"] = command.confirm;
  }
  return decide_override(session, "override", command.run, command.phase, body);
}

// Whoever asks for the checks wants to know what they say.
Exit perform(Session& session, Evaluate const& command) {
  auto const seen = look_at(session, command.run, "evaluate");
  if (!seen) {
    return report(session, seen.error());
  }
  auto const before = parse_json(seen->document);
  auto const settled = session.global.wait.value_or(false);
  auto wish = wish_of(session, "evaluate", seen->run, Json::object(),
                      settled ? goal_of_settling() : goal_of_verdict(before));
  wish.patience = verdict_patience;
  auto const end = carried_out(session, wish);
  if (!end) {
    return report(session, end.error());
  }
  if (session.global.output == Output::table && !session.global.quiet) {
    auto const judged = judged_since(before, parse_json(end->document));
    put(session, render_checks(judged, 0, session.view()));
  }
  return say_end(session, wish, *end);
}

Exit perform(Session& session, ConfirmStep const& command) {
  return ask_of(session, session.client.run_id(command.run), "confirm", {{"step", command.step}});
}

Exit perform(Session& session, Throttle const& command) {
  if (command.exempt && session.global.reason.empty()) {
    return report(
        session,
        reason_needed(session, "throttle", "who lets no signal slow a backfill says why").value());
  }
  Json body = Json::object();
  if (auto const percent = percent_of(command.ratio)) {
    body["ratio"] = *percent / 100.0;
  } else {
    body[command.stop ? "stop" : command.exempt ? "exempt" : "off"] = true;
  }
  if (!command.lasts.empty()) {
    body["for"] = command.lasts;
  }
  return ask_of(session, session.client.run_id(command.run), "throttle", body);
}

Exit perform(Session& session, Resume const& command) {
  Json body = Json::object();
  say_take_over(body, command.take_over);
  return ask_of(session, session.client.run_id(command.run), "resume", body);
}

Exit perform(Session& session, Retry const& command) {
  Json body = Json::object();
  if (!command.step.empty()) {
    body["step"] = command.step;
  }
  say_take_over(body, command.take_over);
  return ask_of(session, session.client.run_id(command.run), "retry", body);
}

Exit perform(Session& session, Skip const& command) {
  if (session.global.reason.empty()) {
    return report(session,
                  reason_needed(session, "skip", "who leaves a step out says why", true).value());
  }
  auto const seen = look_at(session, command.run, "skip");
  if (!seen) {
    return report(session, seen.error());
  }
  auto const snapshot = parse_json(seen->document);
  auto const backward = text_of(snapshot, "direction") == "backward";
  return ask_if_agreed(
      session, wish_of(session, "skip", seen->run, {{"step", command.step}}, goal_of_settling()),
      snapshot, !step_label(snapshot, command.step).empty(),
      {.impact = Impact::moderate,
       .what = "skip " + seen->run,
       .summary = skip_summary(command.step, backward, child(snapshot, "mismatch").is_object())});
}

Exit perform(Session& session, Resolve const& command) {
  Json body = {{"step", command.step}, {"as", command.as}, {"evidence", command.evidence}};
  body["reason"] = command.evidence;  // --reason replaces it
  return ask_of(session, session.client.run_id(command.run), "resolve", body);
}

}  // namespace runbookd::ctl
