#include "web/ctl/asking.h"

#include <nlohmann/json.hpp>

#include "web/ctl/run_facts.h"
#include "web/ctl/text.h"
#include "web/ctl/ways.h"

namespace runbookd::ctl {

void say_take_over(Json& body, bool take_over) {
  if (take_over) {
    body["take_over"] = true;
  }
}

std::string body_with_reason(Session const& session, Json body) {
  if (!session.global.reason.empty()) {
    body["reason"] = session.global.reason;
  }
  return to_line(body);
}

Maybe<Seen> look_at(Session& session, std::string const& run_text, std::string const& verb) {
  auto const run = session.client.run_id(run_text);
  if (!run) {
    return tl::unexpected(run.error());
  }
  auto answer = session.client.get(run_path(*run), verb + ' ' + *run);
  return answer ? Maybe<Seen>(Seen{*run, std::move(answer->body)}) : tl::unexpected(answer.error());
}

tl::unexpected<Failure> reason_needed(Session const& session, std::string const& verb,
                                      std::string const& why, bool is_asked) {
  bool const agreement = is_asked && !session.global.yes && !session.may_ask();
  return fail(Exit::usage, verb,
              why + (agreement ? ", and this has to be agreed to, and there is nobody to ask" : ""),
              std::string("the same command with --reason TEXT") + (agreement ? " --yes" : ""));
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
  if (flag_of(snapshot, "dry_run")) {
    put(session, "nothing was done; it would be taken, and " + text_of(snapshot, "run") +
                     " would be " + text_of(snapshot, "would_be"));
    return;
  }
  auto const state = text_of(snapshot, "state");
  auto const message = clean(text_of(snapshot, "state_message"));
  Line line;
  line.add(icon_for(state, session.look), tone_for(state)).add(" ");
  line.add(text_of(snapshot, "run") + " is now ").add(state_words(snapshot), tone_for(state));
  line.add(message.empty() ? "" : ": " + message);
  put(session, line.print(session.look));
  for (auto const& detail : child(snapshot, "details")) {
    put(session, clean(detail.get<std::string>()));
  }
  tell_next(session, snapshot);
  for (auto const& way : other_ways(snapshot)) {
    tell(session, way);
  }
}

void say_why_left(Session& session, std::string const& run, Exit exit, planner::Duration waited) {
  auto const goes_on = run + " goes on without you (runbookctl watch " + run + ")";
  if (exit == Exit::interrupted) {
    tell(session, "detached; " + goes_on);
  } else if (exit == Exit::timed_out) {
    tell(session, "not there after " + short_duration(waited) + "; " + goes_on);
  }
}

Wish wish_of(Session const& session, std::string const& verb, std::string const& run, Json body,
             Goal goal) {
  return {.verb = verb,
          .run = run,
          .body = body_with_reason(session, std::move(body)),
          .goal = std::move(goal),
          .if_revision = session.global.if_revision,
          .patience = {}};
}

Maybe<Followed> carried_out(Session& session, Wish const& wish) {
  bool const tries = session.global.dry_run;
  auto answer =
      session.client.post(run_path(wish.run) + '/' + wish.verb + (tries ? "?dry_run=true" : ""),
                          wish.body, wish.what(), wish.if_revision);
  if (!answer) {
    return tl::unexpected(answer.error());
  }
  auto const wanted = session.global.wait;
  if (tries || !wanted.value_or(wish.patience.has_value())) {
    return Followed{std::move(answer->body)};
  }
  auto const patience = wanted || session.global.timeout ? session.global.timeout : wish.patience;
  return follow(session, wish.run, std::move(answer->body), wish.goal, patience);
}

Exit say_end(Session& session, Wish const& wish, Followed const& end) {
  if (end.exit != Exit::interrupted) {
    say_state(session, parse_json(end.document), end.document);
  }
  say_why_left(session, wish.run, end.exit, end.waited);
  return end.exit;
}

Exit ask(Session& session, Wish const& wish) {
  auto const end = carried_out(session, wish);
  return end ? say_end(session, wish, *end) : report(session, end.error());
}

Exit ask_of(Session& session, Maybe<std::string> const& run, std::string const& verb, Json body,
            Goal goal) {
  return run ? ask(session, wish_of(session, verb, *run, std::move(body), std::move(goal)))
             : report(session, run.error());
}

Exit ask_if_agreed(Session& session, Wish wish, Json const& snapshot, bool fits,
                   Question const& question) {
  auto const revision = number_of(snapshot, "revision");
  auto const seen = wish.if_revision.value_or(revision);
  if (!fits || !is_allowed(snapshot, wish.verb.c_str()) || seen != revision) {
    wish.if_revision = seen;
    return ask(session, wish);
  }
  if (session.global.dry_run) {
    return ask(session, wish);
  }
  auto const agreed = confirmed(session, question);
  return agreed ? ask(session, wish) : report(session, agreed.error());
}

}  // namespace runbookd::ctl
