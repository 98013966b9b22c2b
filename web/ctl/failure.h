// Why a command did not do what was asked, and the exit code that says so.
#pragma once

#include <ostream>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

namespace runbookd::ctl {

enum class Exit {
  done = 0,
  unexpected = 1,
  usage = 2,
  not_found = 3,
  not_allowed = 4,
  conflict = 5,
  needs_person = 6,
  failed = 7,
  reversed = 8,  // the run ended cancelled or rolled back
  invalid = 9,
  unreachable = 10,
  timed_out = 124,
  interrupted = 130,
};

struct Failure {
  Exit exit = Exit::unexpected;
  std::string what;  // what was asked: "advance run_0a1b2c3d4e5f"
  std::string why;
  std::string next;     // the command to try; may be empty
  std::string problem;  // the daemon's problem document; empty for failures of our own
};

template <typename T>
using Maybe = tl::expected<T, Failure>;

inline tl::unexpected<Failure> fail(Exit exit, std::string what, std::string why,
                                    std::string next = "") {
  return tl::unexpected(Failure{exit, std::move(what), std::move(why), std::move(next), ""});
}

// From an HTTP status and the problem document in its body.
Failure failure_from_answer(int status, std::string const& body, std::string const& what);

// Two lines for people, or the problem document for programs.
void print_failure(std::ostream& err, Failure const& failure, bool as_json);

// How a run that has come to rest in `state` ends a command that did not wait for that state.
Exit exit_for_state(std::string_view state);

}  // namespace runbookd::ctl
