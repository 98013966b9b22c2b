#include "web/ctl/confirm.h"

#include <iostream>

#include "web/ctl/text.h"

namespace runbookd::ctl {

namespace {

// What is to be agreed to is told to a script, too: whoever reads its log decides for the next
// time.
void show(Session& session, Question const& question) {
  for (auto const& line : question.summary) {
    session.world.err << clean(line) << '\n';
  }
}

std::string answer_from(Session& session, Question const& question, std::string const& prompt) {
  show(session, question);
  session.world.err << prompt << std::flush;
  std::string answer;
  std::getline(session.world.in, answer);
  return answer;
}

tl::unexpected<Failure> said_no(Question const& question) {
  return fail(Exit::unexpected, question.what, "not done, because you did not agree");
}

Maybe<bool> agreed(Session& session, Question const& question) {
  if (session.global.yes) {
    return true;
  }
  if (!session.may_ask()) {
    if (!session.as_json()) {
      show(session, question);
    }
    return fail(Exit::usage, question.what, "this has to be agreed to, and there is nobody to ask",
                "the same command with --yes");
  }
  auto const answer = answer_from(session, question, "Go on? [y/N] ");
  return answer == "y" || answer == "Y" || answer == "yes" ? Maybe<bool>(true) : said_no(question);
}

Maybe<bool> typed(Session& session, Question const& question) {
  if (!question.given.empty()) {
    return question.given == question.name
               ? Maybe<bool>(true)
               : fail(Exit::usage, question.what,
                      "--confirm says '" + question.given + "', but this is about '" +
                          question.name + "'",
                      "the same command with --confirm " + shell_quote(question.name));
  }
  if (!session.may_ask()) {
    if (!session.as_json()) {
      show(session, question);
    }
    return fail(Exit::usage, question.what,
                "this cannot be taken back lightly, and there is nobody to ask",
                "the same command with --confirm " + shell_quote(question.name));
  }
  auto const answer =
      answer_from(session, question, "Type " + clean(question.name) + " to go on: ");
  return answer == question.name ? Maybe<bool>(true) : said_no(question);
}

}  // namespace

Maybe<bool> confirmed(Session& session, Question const& question) {
  switch (question.impact) {
    case Impact::mild:
      return true;
    case Impact::moderate:
      return agreed(session, question);
    case Impact::severe:
      return typed(session, question);
  }
  __builtin_unreachable();
}

}  // namespace runbookd::ctl
