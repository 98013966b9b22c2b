// Waits until a run has come where somebody wants it.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "web/ctl/session.h"

namespace runbookd::ctl {

// The exit code once the goal is reached or out of reach; nothing while there is something to wait
// for.
using Goal = std::function<std::optional<Exit>(Json const& snapshot)>;

struct Followed {
  std::string document;  // the newest snapshot
  Exit exit = Exit::done;
  planner::Duration waited{};  // zero when there was nothing to wait for
};

// Polls the snapshot. A daemon that goes away meanwhile is waited for, up to the patience; without
// one, for some minutes.
Maybe<Followed> follow(Session& session, std::string const& run, std::string document,
                       Goal const& goal, std::optional<planner::Duration> patience);

// The goal of a verb that was given with --wait.
Goal goal_of_start();
Goal goal_of_advance(std::string phase);
Goal goal_of_pause();
Goal goal_of_rollback();
Goal goal_of_settling();
// The checks that `before` shows were judged anew.
Goal goal_of_verdict(Json before);
// "settled", states and phases; the first that holds counts. Out of reach: the run needs a person
// or is final.
Goal goal_of_until(std::vector<std::string> conditions);

}  // namespace runbookd::ctl
