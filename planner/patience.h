// How a transaction waits for strong locks so that nobody waits behind it for longer than the
// plan's stall budget. While a holder is there whose end cannot be expected soon, it is only looked
// at; a place in the queue is taken for a moment, when the odds are best, and seldom. Pure: time
// and chance come in as arguments.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "planner/plan.h"

namespace runbookd::planner {

// A transaction that has, or queues for, what we want.
struct Holder {
  std::string id;  // the same as long as it is the same transaction
  Duration age{};  // as the server tells it; 0 = it does not, and we know how long we have seen it
  bool stays = false;   // its end is not to be expected: prepared, a vacuum against wraparound
  bool yields = false;  // an ordinary autovacuum: ends when somebody has waited for it a while
};
struct Look {
  std::vector<Holder> holders;
  bool informed = true;  // false: nobody knows what is wanted, so a try always queues
};

struct Move {
  enum class Kind {
    look,     // again after `time`; nobody waits behind us
    attempt,  // now; at most `time` in the queue, 0 = not at all
    evict,    // wait for an autovacuum in a mode that stops no application
    give_up
  } kind = Kind::look;
  Duration time{};
  bool operator==(Move const&) const = default;
};

// Of the time that a wait lasts, the share that may be spent in the queue.
inline constexpr double queueing_share = 0.05;

class Patience {
 public:
  explicit Patience(LockPolicy policy) : policy_(policy) {}

  // `now`: on a clock that only goes forward. `waited`: what counts towards give_up_after. Jitter
  // in [0, 1).
  Move next(Look const& look, Duration now, Duration waited, double jitter);
  // An attempt got no lock, after so long in the queue. A lock that was not among those looked at
  // may be asked for again by every attempt, also by one that is not to queue.
  enum class Waited { for_a_known_lock, for_another };
  void failed(Duration now, Duration queued, double jitter,
              Waited which = Waited::for_a_known_lock);

 private:
  struct Seen {
    Duration since{}, age{}, last{};
  };
  void observe(std::vector<Holder> const& holders, Duration now);
  Duration age_of(Holder const& holder, Duration now) const;
  double ends_within(Duration age, Duration time) const;
  struct Odds {
    double of_the_rest = 1;  // that all end in time but those of whom it cannot be hoped
    bool hopeless = false;   // there is one of these
  };
  Odds odds(std::vector<Holder> const& holders, Duration now, Duration time) const;
  bool as_good_as_it_gets(double odds) const;
  Duration rung() const;

  LockPolicy policy_;
  int failures_ = 0;                                                   // of attempts that queued
  std::optional<Duration> queue_again_, attempt_again_, evict_again_;  // not before these
  std::map<std::string, Seen> there_;                                  // at the last look
  std::deque<Duration> lifetimes_;                                     // of those that have ended
  std::deque<double> odds_;                                            // of the last looks
};

// How long one attempt of a step waits before it is recorded who stood in the way: from a second,
// doubling, to a minute.
Duration sitting(int tries_so_far);

}  // namespace runbookd::planner
