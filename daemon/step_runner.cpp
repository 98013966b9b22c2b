#include "daemon/step_runner.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <utility>

#include "daemon/jobs.h"
#include "daemon/onlooker.h"
#include "daemon/target/line.h"
#include "daemon/worker.h"
#include "planner/mutant.h"

namespace runbookd::daemon {
namespace {

using namespace planner;

constexpr auto first_look_after = std::chrono::milliseconds{40};
constexpr auto looks_every = std::chrono::milliseconds{80};
constexpr auto terminate_after = std::chrono::seconds{5};
// Looking again is cheap; settling a doubt asks the catalog more.
constexpr auto eyes_patience = std::chrono::seconds{5};
constexpr auto hands_patience = std::chrono::seconds{15};
constexpr auto end_is_heard_within = std::chrono::seconds{2};

// What hands, eyes and the I/O thread share about one job. Everything else goes by message.
struct Signals {
  std::atomic<int> pid{0};                       // of the backend that is looked at
  std::atomic<bool> cancel_when_waiting{false};  // safe point: a wait for a lock ends at once
  std::atomic<bool> cancel{false};               // now
  std::atomic<bool> seen_waiting{false};
  std::atomic<Duration::rep> lock_wait_ms{0};
  std::stop_source asked_to_stop;
  std::stop_source over;
  std::mutex mutex;                    // guards the three below
  std::vector<Blocker> last_blockers;  // of the last moment that we waited
  std::optional<Behind> most_behind;   // of all that waited for us
  std::shared_ptr<Line> line;          // to that backend, where the session is ours

  void look_at(int backend, std::shared_ptr<Line> to_it) {
    std::lock_guard const lock(mutex);
    pid = backend;
    line = std::move(to_it);
  }
  std::shared_ptr<Line> line_to(int backend) {
    std::lock_guard const lock(mutex);
    return pid == backend ? line : nullptr;
  }

  void pause_looking(Duration duration) {
    std::mutex sleep;
    std::condition_variable_any wake;
    std::unique_lock lock(sleep);
    wake.wait_for(lock, over.get_token(), duration, [] { return false; });
  }
};

struct Sight {
  bool waiting = false;
  int pid = 0;
  Duration waited{};
  std::vector<Blocker> blockers;
};

// The eyes' loop over one job: tells what it sees, cancels what it is asked to.
class Watch {
 public:
  Watch(Signals& signals, Hands& eyes, std::function<void(Sight)> tell,
        std::function<void(Onlooker::Seen)> tell_around)
      : signals_(signals),
        eyes_(eyes),
        tell_(std::move(tell)),
        tell_around_(std::move(tell_around)) {}

  void look_until_over() {
    signals_.pause_looking(first_look_after);
    while (!signals_.over.stop_requested()) {
      look();
      signals_.pause_looking(looks_every);
    }
  }

 private:
  void look() {
    int const pid = signals_.pid;
    if (pid == 0) {
      return;
    }
    auto session = eyes_.session();
    if (!session) {
      return;
    }
    auto sight = look_at_locks(**session, pid);
    if (!sight) {
      eyes_.discard();
      return;
    }
    note(pid, *sight);
    cut_if_dead(pid, sight->gone);
    cancel_if_asked(**session, pid, sight->waiting);
    look_around(**session, pid, sight->behind);
  }
  void look_around(Session& session, int pid, std::optional<Behind> const& behind) {
    onlooker_.saw(behind);
    if (auto seen = onlooker_.look(session, pid)) {
      tell_around_(std::move(*seen));
    }
    std::lock_guard const lock(signals_.mutex);
    signals_.most_behind = onlooker_.most_behind();
  }
  // A backend that has ended says so; when nothing was heard of its end for a while, nothing will.
  void cut_if_dead(int pid, bool gone) {
    auto const now = std::chrono::steady_clock::now();
    if (!gone || mutant(Mutant::dead_line_waited_for)) {
      gone_since_.reset();
      return;
    }
    gone_since_ = gone_since_.value_or(now);
    if (auto const line = signals_.line_to(pid); line && now - *gone_since_ > end_is_heard_within) {
      line->cut();
    }
  }
  void note(int pid, LockSight const& sight) {
    if (sight.waiting) {
      auto const now = std::chrono::steady_clock::now();
      waiting_since_ = waiting_since_.value_or(now);
      signals_.lock_wait_ms += last_look_
                                   ? std::chrono::duration_cast<Duration>(now - *last_look_).count()
                                   : first_look_after.count();
      last_look_ = now;
      signals_.seen_waiting = true;
      std::lock_guard const lock(signals_.mutex);
      signals_.last_blockers = sight.blockers;
    } else {
      waiting_since_.reset();
      last_look_.reset();
    }
    if (sight.waiting || told_waiting_) {
      auto const waited = waiting_since_ ? std::chrono::duration_cast<Duration>(
                                               std::chrono::steady_clock::now() - *waiting_since_)
                                         : Duration{};
      tell_({.waiting = sight.waiting, .pid = pid, .waited = waited, .blockers = sight.blockers});
    }
    told_waiting_ = sight.waiting;
  }
  void cancel_if_asked(Session& session, int pid, bool waiting) {
    bool const wanted = signals_.cancel || (signals_.cancel_when_waiting && waiting);
    if (!wanted || signals_.over.stop_requested()) {
      return;
    }
    signals_.asked_to_stop.request_stop();  // so that the cancel is known to be ours
    auto const now = std::chrono::steady_clock::now();
    first_cancel_ = first_cancel_.value_or(now);
    if (now - *first_cancel_ > terminate_after) {
      (void)terminate_backend(session, pid);
    } else {
      (void)cancel_backend(session, pid);
    }
  }

  Signals& signals_;
  Hands& eyes_;
  std::function<void(Sight)> tell_;
  std::function<void(Onlooker::Seen)> tell_around_;
  Onlooker onlooker_;
  std::optional<std::chrono::steady_clock::time_point> waiting_since_, last_look_, first_cancel_,
      gone_since_;
  bool told_waiting_ = false;
};

std::string_view activity_of(Job const& job) {
  if (auto const* attempt = std::get_if<AttemptJob>(&job)) {
    return std::holds_alternative<BackfillAction>(*attempt->action) ? "backfilling" : "executing";
  }
  return std::holds_alternative<FarewellJob>(job) ? "" : "verifying";
}

// The eyes begin to look a moment later; a wait that ran into its limit lasted for all of it.
Duration whole_wait(Job const& job, AttemptEnded const& ended) {
  auto const* attempt = std::get_if<AttemptJob>(&job);
  auto const* sql = attempt == nullptr ? nullptr : std::get_if<SqlAction>(attempt->action);
  bool const ran_into_limit = ended.failure && ended.failure->sqlstate == "55P03";
  return sql != nullptr && ran_into_limit ? std::min(sql->lock.stall_budget, ended.took)
                                          : Duration{};
}

}  // namespace

struct StepRunner::Parts : std::enable_shared_from_this<Parts> {
  Parts(boost::asio::io_context& io, Access const& access, Callbacks the_callbacks)
      : callbacks(std::move(the_callbacks)),
        hands(access, access.name, hands_patience),
        eyes(access, access.name + "/eyes", eyes_patience),
        hands_thread(io),
        eyes_thread(io) {}

  Callbacks callbacks;
  Hands hands, eyes;  // each used by its thread alone
  std::shared_ptr<Signals> signals;
  Live live;
  bool busy = false, is_attempt = false, is_backfill = false, is_doubt = false;
  // last: their destructors wait for jobs that use all of the above
  Worker hands_thread, eyes_thread;

  void begin(Job job, Expected const& expected, double jitter) {
    signals = std::make_shared<Signals>();
    busy = true;
    is_attempt = std::holds_alternative<AttemptJob>(job);
    is_doubt = std::holds_alternative<DoubtJob>(job);
    live = {.activity = std::string{activity_of(job)}};
    is_backfill = live.activity == "backfilling";
    auto const shared = signals;
    auto const weak = weak_from_this();
    hands_thread.post([this, shared, weak, jitter, expected, job = std::move(job)] {
      hands.expect(expected);
      auto result = work(*shared, weak, job, jitter);
      shared->over.request_stop();
      hands_thread.answer([weak, result = std::move(result)]() mutable {
        if (auto const self = weak.lock()) {
          self->finished(std::move(result));
        }
      });
      hands.clean();
    });
    eyes_thread.post([this, shared, weak, expected] {
      eyes.expect(expected);
      auto const tell = [this, shared, weak](auto seen) {
        eyes_thread.answer([weak, shared, seen = std::move(seen)]() mutable {
          auto const self = weak.lock();
          if (self && self->signals == shared && self->busy) {
            self->saw(std::move(seen));
          }
        });
      };
      Watch watch(*shared, eyes, tell, tell);
      watch.look_until_over();
    });
  }

  // On the hands thread.
  Answer work(Signals& shared, std::weak_ptr<Parts> const& weak, Job const& job, double jitter) {
    JobContext const context{
        .hands = hands,
        .stop = shared.asked_to_stop.get_token(),
        .working =
            [&shared](Session const& session) { shared.look_at(session.pid(), session.line()); },
        .progress = [this, weak](Progress const& progress) { tell(weak, progress); },
        .orphan =
            [this, weak, &shared](int pid, std::string const& doing) {
              shared.look_at(pid, nullptr);
              tell_of_orphan(weak, pid, doing);
            },
        .unreachable = [this, weak](std::string const& why) { tell_unreachable(weak, why); },
        .waits_end = [&shared] { return shared.cancel_when_waiting.load(); },
        .ending = [&shared] { return shared.cancel.load(); },
        .jitter = jitter};
    auto result = std::visit([&](auto const& one) { return do_job(context, one); }, job);
    if (auto seen = hands.failover()) {
      result = {.outcome = std::move(*seen), .fingerprints = {}};
    }
    if (!result.outcome) {
      hands.discard();
      return result;
    }
    if (auto* ended = std::get_if<AttemptEnded>(&*result.outcome)) {
      ended->lock_wait = std::max(Duration{shared.lock_wait_ms}, whole_wait(job, *ended));
      std::lock_guard const lock(shared.mutex);
      bool const told = ended->end == AttemptEnd::busy || ended->end == AttemptEnd::failed;
      ended->blockers = told ? shared.last_blockers : std::vector<Blocker>{};
      ended->behind = told ? shared.most_behind : std::nullopt;
    }
    return result;
  }
  void tell(std::weak_ptr<Parts> const& weak, Progress const& progress) {
    hands_thread.answer([weak, progress] {
      auto const self = weak.lock();
      if (self && self->busy) {
        self->progressed(progress);
      }
    });
  }

  void tell_of_orphan(std::weak_ptr<Parts> const& weak, int pid, std::string const& doing) {
    hands_thread.answer([weak, pid, doing] {
      auto const self = weak.lock();
      if (self && self->busy && self->live.orphan != doing) {
        self->live.orphan = doing;
        self->live.backend_pid = pid;
        self->callbacks.seen();
      }
    });
  }

  void tell_unreachable(std::weak_ptr<Parts> const& weak, std::string const& why) {
    hands_thread.answer([weak, why] {
      auto const self = weak.lock();
      if (self && self->busy && self->live.unreachable != why) {
        self->live.unreachable = why;
        self->callbacks.seen();
      }
    });
  }

  // On the I/O thread.
  void saw(Sight sight) {
    auto const plain = is_backfill ? "backfilling" : is_attempt ? "executing" : "verifying";
    live.backend_pid = sight.pid;
    if (sight.waiting || !stalled()) {
      live.activity = sight.waiting ? "acquiring_lock" : plain;
      live.blockers = std::move(sight.blockers);
      live.waiting = sight.waited;
    }
    callbacks.seen();
  }
  void saw(Onlooker::Seen seen) {
    live.behind = seen.behind;
    live.work = is_attempt && !is_backfill ? std::move(seen.work) : std::nullopt;
    callbacks.seen();
  }
  // A backfill that gets no lock asks again and again, with rests between: that is one wait, and
  // who stood in the way the last time is still of interest.
  bool stalled() const { return live.progress && live.progress->stalled > Duration{}; }
  void progressed(Progress const& progress) {
    bool const was_stalled = stalled();
    live.progress = progress;
    if (stalled()) {
      live.activity = "acquiring_lock";
      live.waiting = progress.stalled;
    } else if (was_stalled) {
      live.activity = "backfilling";
      live.waiting = {};
      live.blockers.clear();
    }
    callbacks.seen();
  }
  void finished(Answer result) {
    busy = false;
    live = {};
    auto const answered = callbacks.answered;  // the call may end with our owner letting us go
    answered(std::move(result));
  }
  void stop(StopMode mode) {
    if (!busy) {
      return;
    }
    bool const now = mode == StopMode::now;
    signals->cancel_when_waiting = now || !is_doubt;
    // questions change nothing: nobody waits for their answers
    bool const question = !is_attempt && !is_doubt;
    if (now || question) {
      signals->cancel = true;
    }
    // one transaction or one concurrent statement goes to its end; a backfill to the end of its
    // batch
    if (signals->cancel || is_backfill || is_doubt) {
      signals->asked_to_stop.request_stop();
    }
  }
};

StepRunner::StepRunner(boost::asio::io_context& io, Access access, Callbacks callbacks)
    : parts_(std::make_shared<Parts>(io, access, std::move(callbacks))) {}

StepRunner::~StepRunner() {
  // the threads are joined here, while nothing can call back any more
  if (parts_->busy) {
    if (!parts_->is_doubt) {  // a session left behind is not ended with us
      parts_->signals->cancel = true;
    }
    parts_->signals->asked_to_stop.request_stop();
  }
  parts_->callbacks = {.answered = [](Answer const&) {}, .seen = [] {}};
}

bool StepRunner::busy() const { return parts_->busy; }
void StepRunner::start(Job job, Expected expected, double jitter) {
  parts_->begin(std::move(job), expected, jitter);
}
void StepRunner::stop(StopMode mode) { parts_->stop(mode); }
Live const& StepRunner::live() const { return parts_->live; }

}  // namespace runbookd::daemon
