// Who waits for whom on a target, as one look at the server found it, and what of it concerns us.
// Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "planner/outcome.h"
#include "planner/time.h"

namespace runbookd::planner {

struct LockSession {
  int pid = 0;  // below zero: a prepared transaction, which has no session
  std::string user, application, backend_type, state, query;
  Duration transaction_age{};
};
struct LockEdge {
  int waiter = 0, blocker = 0;
  std::string wanted, held;  // modes; held ends with " (waiting)" where it is an earlier place in
                             // the queue
  std::string relation;
  std::optional<Duration> waited;  // servers tell it from 14 on
};
struct LockGraph {
  std::vector<LockSession> sessions;
  std::vector<LockEdge> edges;
};

// Somebody who waits for one of our sessions, directly or behind others.
struct Waiter {
  int pid = 0;
  std::string user, application, query;
  std::string wanted, relation;
  std::optional<Duration> waited;
  bool operator==(Waiter const&) const = default;
};

// More than these are not listed: what is long is no longer read, and events keep it for ever.
inline constexpr std::size_t most_blockers = 12;

// The tree of those who stand in the way of ours; see Blocker for its order. Whoever began its
// transaction first comes first.
std::vector<Blocker> blockers_of(LockGraph const& graph, std::vector<int> const& ours);
// The longest wait first.
std::vector<Waiter> waiters_for(LockGraph const& graph, std::vector<int> const& ours);
std::optional<Behind> behind(std::vector<Waiter> const& waiters);  // nothing for nobody

bool is_idle(Blocker const& blocker);  // in a transaction, and does nothing
// For a person to run: nobody's work is ended by us.
std::string command_that_ends(Blocker const& blocker);
// What to expect of it, in one sentence; may be empty.
std::string advice_on(Blocker const& blocker);

// A session of the run that is asked about.
struct OurSession {
  int pid = 0;
  std::string application, state, query;
  Duration transaction_age{};
  std::string wanted, relation;  // what it waits for; empty = it waits for no lock
  std::optional<Duration> waited;
};
// What a person sees who asks about a run's locks.
struct LocksSeen {
  std::vector<OurSession> sessions;
  std::vector<Blocker> blockers;
  std::vector<Waiter> waiters;
};

}  // namespace runbookd::planner
