// The eyes' side of a job: looks at the locks of our sessions while the hands work, cuts lines that
// are dead, cancels when told to, and reads how the target bears a backfill.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <vector>

#include "daemon/brake.h"
#include "daemon/hands.h"
#include "daemon/onlooker.h"
#include "daemon/target/line.h"
#include "daemon/target/procedures.h"

namespace runbookd::daemon {

// When a thread last went round its loop. Any thread may ask.
class Heartbeat {
 public:
  using Instant = std::chrono::steady_clock::time_point;
  void beat() { last_ = std::chrono::steady_clock::now(); }
  // Until the next beat it is not known how long it takes, and no harm.
  void leave() { last_ = Instant::max(); }
  bool fresh(Instant now) const { return now - last_.load() < stale_after; }

  // Longer than any question to a target may take before its line is cut.
  static constexpr auto stale_after = std::chrono::minutes{2};

 private:
  std::atomic<Instant> last_{std::chrono::steady_clock::now()};
};

// A backend that is looked at, and the line to it where the session is ours.
struct Watched {
  int pid = 0;
  std::shared_ptr<Line> line;
};

// How the target bears a backfill: what is asked, who hears it, and who is told.
struct Gauge {
  std::string our_names, table;
  std::shared_ptr<Brake> brake;
  std::function<void(planner::Throttling)> tell;
};

// What hands, eyes and the I/O thread share about one job. Everything else goes by message.
struct Signals {
  std::atomic<bool> cancel{false};  // now
  std::atomic<bool> seen_waiting{false};
  std::atomic<planner::Duration::rep> lock_wait_ms{0};
  std::stop_source waits_end;  // safe point: a wait for a lock ends at once
  std::stop_source asked_to_stop;
  std::stop_source over;
  Heartbeat heartbeat;                          // of the eyes
  std::mutex mutex;                             // guards the three below
  std::vector<planner::Blocker> last_blockers;  // of the last moment that we waited
  std::vector<Watched> watched;
  std::optional<planner::Behind> most_behind;  // of all that waited for us

  void look_only_at(int pid, std::shared_ptr<Line> line) {
    std::lock_guard const lock(mutex);
    watched.clear();
    if (pid != 0) {
      watched.push_back({pid, std::move(line)});
    }
  }
  void look_also_at(int pid, std::shared_ptr<Line> line) {
    std::lock_guard const lock(mutex);
    watched.push_back({pid, std::move(line)});
  }
  std::vector<Watched> looked_at() {
    std::lock_guard const lock(mutex);
    return watched;
  }

  void pause_looking(planner::Duration duration);
};

struct Sight {
  bool waiting = false;
  int pid = 0;
  planner::Duration waited{};
  std::vector<planner::Blocker> blockers;
};

// The eyes' loop over one job: tells what it sees, cancels what it is asked to.
class Watch {
 public:
  struct Tell {
    std::function<void(Sight)> sight;
    std::function<void(Onlooker::Seen)> around;
  };
  Watch(Signals& signals, Hands& eyes, Tell tell, Gauge gauge)
      : signals_(signals), eyes_(eyes), tell_(std::move(tell)), gauge_(std::move(gauge)) {}

  void look_until_over();

 private:
  SqlResult<Session*> reach();
  void look();
  // Where nothing can be read the brake finds out by itself that it knows nothing any more.
  void read_gauge();
  void see(Session& session);
  void look_around(Session& session, int pid);
  // Whoever waits is told of first.
  static void add(Sight& all, int pid, LockSight sight);
  // A backend that has ended says so; when nothing was heard of its end for a while, nothing will.
  void cut_if_dead(Watched const& one, bool gone);
  void note(Sight sight);
  void cancel_if_asked(Session& session, int pid, bool waiting);

  Signals& signals_;
  Hands& eyes_;
  Tell tell_;
  Gauge gauge_;
  std::optional<std::chrono::steady_clock::time_point> gauge_read_;
  std::optional<std::chrono::steady_clock::time_point> waiting_since_, last_look_, first_cancel_;
  std::map<int, std::chrono::steady_clock::time_point> gone_since_;  // by pid
  Onlooker onlooker_;
  bool told_waiting_ = false;
};

}  // namespace runbookd::daemon
