// What people say beside the verbs of a run: remarks, and the hold.
#include <nlohmann/json.hpp>

#include "web/ctl/hold.h"
#include "web/ctl/perform.h"
#include "web/ctl/text.h"

namespace runbookd::ctl {

namespace {

constexpr auto hold_path = "/api/v1/hold";

Exit say_hold(Session& session, Maybe<Answer> const& answer, std::string const& next) {
  if (!answer) {
    return report(session, answer.error());
  }
  if (session.as_json()) {
    put_document(session, answer->body);
    return Exit::done;
  }
  auto const hold = parse_json(answer->body);
  put(session, flag_of(hold, "active") ? hold_words(hold) : "no hold stands");
  if (flag_of(hold, "active") && hold.contains("recorded") && !flag_of(hold, "recorded")) {
    tell(session, "the store takes nothing now: the hold works, and is written when it does");
  }
  tell(session, next);
  return Exit::done;
}

}  // namespace

std::string hold_words(Json const& hold) {
  return "HOLD: nothing goes forward since " + text_of(hold, "since") + ", by " +
         clean(text_of(hold, "by")) + ": " + clean(text_of(hold, "reason")) +
         (has_text(hold, "until") ? "; it ends at " + text_of(hold, "until") : "");
}

void tell_hold(Session& session) {
  auto const answer = session.client.get(hold_path, "hold show");
  auto const hold = answer ? parse_json(answer->body) : Json();
  if (flag_of(hold, "active")) {
    put(session, hold_words(hold) + "; to lift it: runbookctl hold lift");
  }
}

Exit perform(Session& session, HoldSet const& command) {
  if (session.global.reason.empty()) {
    return report(session, fail(Exit::usage, "hold set", "who stops all runs says why",
                                "runbookctl hold set --reason TEXT [--until 1h]")
                               .value());
  }
  Json body = {{"reason", session.global.reason}};
  if (!command.lasts.empty()) {
    body["for"] = command.lasts;
  }
  return say_hold(session, session.client.put_json(hold_path, to_line(body), "hold set"),
                  "all runs that were at work are being paused: runbookctl status; to lift it: "
                  "runbookctl hold lift");
}

Exit perform(Session& session, HoldLift const&) {
  return say_hold(session, session.client.remove(hold_path, "hold lift"),
                  "nothing goes on by itself; for each run: runbookctl resume RUN");
}

Exit perform(Session& session, HoldShow const&) {
  auto const answer = session.client.get(hold_path, "hold show");
  bool const active = answer && flag_of(parse_json(answer->body), "active");
  return say_hold(session, answer,
                  active ? "to lift it: runbookctl hold lift"
                         : "to stop all runs: runbookctl hold set --reason TEXT");
}

Exit perform(Session& session, NoteRun const& command) {
  auto const run = session.client.run_id(command.run);
  if (!run) {
    return report(session, run.error());
  }
  Json const body = {{"text", command.text}};
  auto const answer =
      session.client.post("/api/v1/runs/" + *run + "/notes", to_line(body), "note " + *run);
  if (!answer) {
    return report(session, answer.error());
  }
  if (session.as_json()) {
    put_document(session, answer->body);
    return Exit::done;
  }
  put(session, "noted in the history of " + *run);
  return Exit::done;
}

}  // namespace runbookd::ctl
