// The way of every verb: find the run, ask the person where that is due, ask the daemon, say what
// is now true.
#pragma once

#include <optional>
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
  std::optional<std::int64_t> if_revision;
  std::optional<planner::Duration> patience;  // a verb that waits unasked does so for this long
  std::string what() const { return verb + ' ' + run; }
};

// Only where it is said: an older daemon does not know the word.
void say_take_over(Json& body, bool take_over);
// The body with the reason of --reason, if there is one.
std::string body_with_reason(Session const& session, Json body);
Wish wish_of(Session const& session, std::string const& verb, std::string const& run, Json body,
             Goal goal);
// A run as it is before anything is asked of it.
struct Seen {
  std::string run;  // full id
  std::string document;
};
Maybe<Seen> look_at(Session& session, std::string const& run_text, std::string const& verb);
// Sends it; follows the run where that is wanted.
Maybe<Followed> carried_out(Session& session, Wish const& wish);
// Sends it and reports.
Exit ask(Session& session, Wish const& wish);
// The same after the person has agreed. What the snapshot rules out (`fits` is false) nobody is
// asked about: the daemon says why, and at that very revision, so that nothing happens unasked.
Exit ask_if_agreed(Session& session, Wish wish, Json const& snapshot, bool fits,
                   Question const& question);
// The same with a failure in place of the run's id.
Exit ask_of(Session& session, Maybe<std::string> const& run, std::string const& verb, Json body,
            Goal goal = goal_of_settling());
// One line of what is now true, and the command that moves the run on.
void tell_next(Session& session, Json const& snapshot);
void say_state(Session& session, Json const& snapshot, std::string const& document);
// What came of it: the run's state, and why we leave a run that goes on.
Exit say_end(Session& session, Wish const& wish, Followed const& end);
// Interrupted, or out of time.
void say_why_left(Session& session, std::string const& run, Exit exit, planner::Duration waited);
// A verb demands a reason, and none was given.
// `is_asked`: the verb wants a person's agreement as well; what lacks is told at once.
tl::unexpected<Failure> reason_needed(Session const& session, std::string const& verb,
                                      std::string const& why, bool is_asked = false);
// What stands in the way of a phase now, as warnings: nothing is refused for it. Empty: the phase
// that is next. Silent where the daemon cannot tell.
void tell_weather(Session& session, std::string const& run, std::string const& phase);

}  // namespace runbookd::ctl
