// The verbs that move a run on, and the small ones about gates and steps.
#include <nlohmann/json.hpp>

#include "web/ctl/asking.h"
#include "web/ctl/perform.h"
#include "web/ctl/run_facts.h"
#include "web/ctl/text.h"

namespace runbookd::ctl {

namespace {

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
    if (child(step, "reversible").is_boolean() && !flag_of(step, "reversible")) {
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

// The confirmation to send. A phase that does not exist or does not fit is the daemon's to refuse:
// it names what fits.
Maybe<std::string> advance_agreed(Session& session, std::string const& run,
                                  Advance const& command) {
  auto const what = "advance " + run;
  auto const snapshot = snapshot_of(session, run, what);
  if (!snapshot) {
    return tl::unexpected(snapshot.error());
  }
  if (phase_named(*snapshot, command.to).is_null() || !is_allowed(*snapshot, "advance")) {
    return command.confirm;
  }
  auto const question = advance_question(*snapshot, command, what);
  if (auto const agreed = confirmed(session, question); !agreed) {
    return tl::unexpected(agreed.error());
  }
  return question.impact == Impact::severe ? command.to : command.confirm;
}

// The phase named, or the one whose gate waits.
Maybe<std::string> phase_of(Session& session, std::string const& run, std::string const& named,
                            std::string const& verb) {
  if (!named.empty()) {
    return named;
  }
  auto const snapshot = snapshot_of(session, run, verb + ' ' + run);
  if (!snapshot) {
    return tl::unexpected(snapshot.error());
  }
  auto phase = gate_phase(*snapshot, "approval");
  if (phase.empty()) {
    phase = gate_phase(*snapshot);
  }
  return !phase.empty() ? Maybe<std::string>(phase)
                        : fail(Exit::conflict, verb + ' ' + run, "no gate of this run waits now",
                               "runbookctl status " + run);
}

Exit decide_gate(Session& session, std::string const& verb, std::string const& run_text,
                 std::string const& phase_text) {
  auto const run = session.client.run_id(run_text);
  if (!run) {
    return report(session, run.error());
  }
  auto const phase = phase_of(session, *run, phase_text, verb);
  return phase ? ask_of(session, run, verb, {{"phase", *phase}}) : report(session, phase.error());
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
  return ask_of(session, session.client.run_id(command.run), "start", body, goal_of_start());
}

Exit perform(Session& session, Advance const& command) {
  auto const run = session.client.run_id(command.run);
  if (!run) {
    return report(session, run.error());
  }
  auto const confirmation = advance_agreed(session, *run, command);
  if (!confirmation) {
    return report(session, confirmation.error());
  }
  Json body = {{"to_phase", command.to}};
  if (!confirmation->empty()) {
    body["confirm"] = *confirmation;
  }
  return ask_of(session, run, "advance", body, goal_of_advance(command.to));
}

Exit perform(Session& session, Approve const& command) {
  return decide_gate(session, "approve", command.run, command.phase);
}

Exit perform(Session& session, Reject const& command) {
  if (session.global.reason.empty()) {
    return report(session, reason_needed("reject", "who refuses a gate says why").value());
  }
  return decide_gate(session, "reject", command.run, command.phase);
}

Exit perform(Session& session, Evaluate const& command) {
  return ask_of(session, session.client.run_id(command.run), "evaluate", Json::object());
}

Exit perform(Session& session, ConfirmStep const& command) {
  return ask_of(session, session.client.run_id(command.run), "confirm", {{"step", command.step}});
}

Exit perform(Session& session, Resume const& command) {
  return ask_of(session, session.client.run_id(command.run), "resume", Json::object());
}

Exit perform(Session& session, Retry const& command) {
  Json body = Json::object();
  if (!command.step.empty()) {
    body["step"] = command.step;
  }
  return ask_of(session, session.client.run_id(command.run), "retry", body);
}

Exit perform(Session& session, Skip const& command) {
  if (session.global.reason.empty()) {
    return report(session, reason_needed("skip", "who leaves a step out says why").value());
  }
  auto const run = session.client.run_id(command.run);
  if (!run) {
    return report(session, run.error());
  }
  auto const agreed = confirmed(
      session,
      {.impact = Impact::moderate,
       .what = "skip " + *run,
       .summary = {"Leaves out step " + command.step + "; it will for ever show as skipped.",
                   "Later steps and checks may need what it would have done."}});
  return agreed ? ask_of(session, run, "skip", {{"step", command.step}})
                : report(session, agreed.error());
}

Exit perform(Session& session, Resolve const& command) {
  Json body = {{"step", command.step}, {"as", command.as}, {"evidence", command.evidence}};
  body["reason"] = command.evidence;  // --reason replaces it
  return ask_of(session, session.client.run_id(command.run), "resolve", body);
}

}  // namespace runbookd::ctl
