// The way of every verb: find the run, ask the person where that is due, ask the daemon, say what
// is now true.
#pragma once

#include <string>

#include "web/ctl/confirm.h"
#include "web/ctl/follow.h"
#include "web/ctl/session.h"

namespace runbookd::ctl {

struct Wish {
  std::string verb;
  std::string run;   // full id
  std::string body;  // JSON
  Goal goal;         // what --wait waits for
  std::string what() const { return verb + ' ' + run; }
};

// The body with the reason of --reason, if there is one.
std::string body_with_reason(Session const& session, Json body);
Maybe<Json> snapshot_of(Session& session, std::string const& run, std::string const& what);
// Sends it and reports; follows with --wait.
Exit ask(Session& session, Wish const& wish);
// The same with a failure in place of the run's id.
Exit ask_of(Session& session, Maybe<std::string> const& run, std::string const& verb, Json body,
            Goal goal = goal_of_settling());
// One line of what is now true, and the command that moves the run on.
void tell_next(Session& session, Json const& snapshot);
void say_state(Session& session, Json const& snapshot, std::string const& document);
// "the reason" missing where a verb demands one.
tl::unexpected<Failure> reason_needed(std::string const& verb, std::string const& why);

}  // namespace runbookd::ctl
