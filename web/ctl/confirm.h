// Asks by impact: what is mild is done, what is moderate is asked, what is severe is typed.
#pragma once

#include <string>
#include <vector>

#include "web/ctl/session.h"

namespace runbookd::ctl {

enum class Impact { mild, moderate, severe };

struct Question {
  Impact impact = Impact::mild;
  std::string what;                  // "advance run_0a1b2c3d4e5f"
  std::vector<std::string> summary;  // at most a few lines, before the question
  std::string name;                  // severe: what has to be typed
  std::string given;                 // severe: what --confirm said
};

// Ok: go on. The failure says what to add, or that the person said no.
Maybe<bool> confirmed(Session& session, Question const& question);

}  // namespace runbookd::ctl
