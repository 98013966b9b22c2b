#include "web/ctl/asking.h"

#include <nlohmann/json.hpp>

#include "web/ctl/run_facts.h"
#include "web/ctl/text.h"

namespace runbookd::ctl {

std::string body_with_reason(Session const& session, Json body) {
  if (!session.global.reason.empty()) {
    body["reason"] = session.global.reason;
  }
  return to_line(body);
}

Maybe<Json> snapshot_of(Session& session, std::string const& run, std::string const& what) {
  auto const answer = session.client.get(run_path(run), what);
  return answer ? Maybe<Json>(parse_json(answer->body)) : tl::unexpected(answer.error());
}

tl::unexpected<Failure> reason_needed(std::string const& verb, std::string const& why) {
  return fail(Exit::usage, verb, why, "the same command with --reason TEXT");
}

// The daemon's own sentence mostly ends in the command already.
void tell_next(Session& session, Json const& snapshot) {
  if (text_of(snapshot, "state_message").find("runbookctl ") == std::string::npos) {
    tell(session, "next: " + next_command(snapshot));
  }
}

void say_state(Session& session, Json const& snapshot, std::string const& document) {
  if (session.as_json()) {
    put_document(session, document);
    return;
  }
  if (session.global.output == Output::name) {
    put(session, text_of(snapshot, "run"));
    return;
  }
  if (session.global.quiet) {
    return;
  }
  auto const state = text_of(snapshot, "state");
  auto const message = clean(text_of(snapshot, "state_message"));
  Line line;
  line.add(icon_for(state, session.look), tone_for(state)).add(" ");
  line.add(text_of(snapshot, "run") + " is now ").add(state_words(snapshot), tone_for(state));
  line.add(message.empty() ? "" : ": " + message);
  put(session, line.print(session.look));
  tell_next(session, snapshot);
}

Exit ask(Session& session, Wish const& wish) {
  auto const answer = session.client.post(run_path(wish.run) + '/' + wish.verb, wish.body,
                                          wish.what(), session.global.if_revision);
  if (!answer) {
    return report(session, answer.error());
  }
  if (!session.global.wait.value_or(false)) {
    say_state(session, parse_json(answer->body), answer->body);
    return Exit::done;
  }
  auto const end = follow(session, wish.run, answer->body, wish.goal, session.global.timeout);
  if (!end) {
    return report(session, end.error());
  }
  say_state(session, parse_json(end->document), end->document);
  if (end->exit == Exit::timed_out) {
    tell(session,
         "not settled after " + short_duration(*session.global.timeout) + "; the run goes on");
  }
  return end->exit;
}

Exit ask_of(Session& session, Maybe<std::string> const& run, std::string const& verb, Json body,
            Goal goal) {
  if (!run) {
    return report(session, run.error());
  }
  return ask(session, {.verb = verb,
                       .run = *run,
                       .body = body_with_reason(session, std::move(body)),
                       .goal = std::move(goal)});
}

}  // namespace runbookd::ctl
