#include "daemon/step_runner.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "daemon/brake.h"
#include "daemon/eyes.h"
#include "daemon/jobs.h"
#include "daemon/worker.h"

namespace runbookd::daemon {
namespace {

using namespace planner;

// Looking again is cheap; settling a doubt asks the catalog more.
constexpr auto eyes_patience = std::chrono::seconds{5};
constexpr auto hands_patience = std::chrono::seconds{15};

BackfillAction const* backfill_of(Job const& job) {
  auto const* attempt = std::get_if<AttemptJob>(&job);
  return attempt == nullptr ? nullptr : std::get_if<BackfillAction>(attempt->action);
}

std::string_view activity_of(Job const& job) {
  if (std::holds_alternative<AttemptJob>(job)) {
    return backfill_of(job) != nullptr ? "backfilling" : "executing";
  }
  bool const aside =
      std::holds_alternative<FarewellJob>(job) || std::holds_alternative<ClaimJob>(job);
  return aside ? "" : "verifying";
}

}  // namespace

struct StepRunner::Parts : std::enable_shared_from_this<Parts> {
  Parts(boost::asio::io_context& io, Access const& access, Callbacks the_callbacks)
      : callbacks(std::move(the_callbacks)),
        our_names(access.name),
        hands(access, access.name, hands_patience),
        eyes(access, access.name + "/eyes", eyes_patience),
        hands_thread(io),
        eyes_thread(io) {}

  Callbacks callbacks;
  std::string our_names;  // what the names of all our sessions begin with
  Hands hands, eyes;      // each used by its thread alone
  std::shared_ptr<Signals> signals;
  std::shared_ptr<Brake> brake;  // of a backfill
  Live live;
  bool busy = false, is_attempt = false, is_backfill = false, is_doubt = false;
  bool waits_politely = false;  // the hands wait for locks and tell of it themselves
  // last: their destructors wait for jobs that use all of the above
  Worker hands_thread, eyes_thread;

  void begin(Job job, Expected const& expected, double jitter) {
    signals = std::make_shared<Signals>();
    busy = true;
    waits_politely = false;
    is_attempt = std::holds_alternative<AttemptJob>(job);
    is_doubt = std::holds_alternative<DoubtJob>(job);
    live = {.activity = std::string{activity_of(job)}};
    auto const* fill = backfill_of(job);
    is_backfill = fill != nullptr;
    brake =
        is_backfill ? std::make_shared<Brake>(*fill, std::get<AttemptJob>(job).throttle) : nullptr;
    auto const gauge = gauge_for(is_backfill ? fill->table : "");
    auto const shared = signals;
    auto const weak = weak_from_this();
    hands_thread.post([this, shared, held = brake, weak, jitter, expected, job = std::move(job)] {
      hands.expect(expected);
      auto result = work(*shared, held, weak, job, jitter);
      shared->over.request_stop();
      hands_thread.answer([weak, result = std::move(result)]() mutable {
        if (auto const self = weak.lock()) {
          self->finished(std::move(result));
        }
      });
      hands.clean();
    });
    eyes_thread.post([this, shared, weak, expected, gauge] {
      eyes.expect(expected);
      auto const tell = [this, shared, weak](auto seen) {
        eyes_thread.answer([weak, shared, seen = std::move(seen)]() mutable {
          auto const self = weak.lock();
          if (self && self->signals == shared && self->busy) {
            self->saw(std::move(seen));
          }
        });
      };
      Watch(*shared, eyes, {.sight = tell, .around = tell}, gauge).look_until_over();
    });
  }
  Gauge gauge_for(std::string const& table) {
    auto const shared = signals;
    auto const weak = weak_from_this();
    return {.our_names = our_names,
            .table = table,
            .brake = brake,
            .tell = [this, shared, weak](Throttling const& throttling) {
              eyes_thread.answer([weak, shared, throttling] {
                auto const self = weak.lock();
                if (self && self->signals == shared && self->busy) {
                  self->throttled(throttling);
                }
              });
            }};
  }

  // On the hands thread.
  Answer work(Signals& shared, std::shared_ptr<Brake> const& held, std::weak_ptr<Parts> const& weak,
              Job const& job, double jitter) {
    JobContext const context{
        .hands = hands,
        .stop = shared.asked_to_stop.get_token(),
        .working =
            [&shared](Session const& session) {
              shared.look_only_at(session.pid(), session.line());
            },
        .also_working =
            [&shared](Session const& session) {
              shared.look_also_at(session.pid(), session.line());
            },
        .progress = [this, weak](Progress const& progress) { tell(weak, progress); },
        .pace = [held](LastBatch const& last) { return held->pace(last); },
        .orphan =
            [this, weak, &shared](int pid, std::string const& doing) {
              shared.look_only_at(pid, nullptr);
              tell_of_orphan(weak, pid, doing);
            },
        .unreachable = [this, weak](std::string const& why) { tell_unreachable(weak, why); },
        .waits_end = shared.waits_end.get_token(),
        .standing = [this, weak](LockStanding const& standing) { tell_of_locks(weak, standing); },
        .ending = [&shared] { return shared.cancel.load(); },
        .jitter = jitter};
    auto result = std::visit([&](auto const& one) { return do_job(context, one); }, job);
    if (auto seen = hands.failover()) {
      result = {.outcome = std::move(*seen), .fingerprints = {}};
    }
    result.found = hands.found();
    if (!result.outcome) {
      hands.discard();
      return result;
    }
    if (auto* ended = std::get_if<AttemptEnded>(&*result.outcome)) {
      ended->lock_wait = std::max(Duration{shared.lock_wait_ms}, ended->lock_wait);
      std::lock_guard const lock(shared.mutex);
      bool const told = ended->end == AttemptEnd::busy || ended->end == AttemptEnd::failed;
      if (!told || ended->blockers.empty()) {
        ended->blockers = told ? shared.last_blockers : std::vector<Blocker>{};
      }
      if (auto const account = held ? held->account() : ""; !account.empty()) {
        ended->note += (ended->note.empty() ? "" : "; ") + account;
      }
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

  void tell_of_locks(std::weak_ptr<Parts> const& weak, LockStanding const& standing) {
    hands_thread.answer([weak, standing] {
      auto const self = weak.lock();
      if (self && self->busy) {
        self->stands(standing);
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
    auto const plain = is_backfill ? filling() : is_attempt ? "executing" : "verifying";
    live.backend_pid = sight.pid;
    if (sight.waiting || !(stalled() || waits_politely)) {
      live.activity = sight.waiting ? "acquiring_lock" : plain;
      live.blockers = std::move(sight.blockers);
      live.waiting = waits_politely ? live.waiting : sight.waited;
    }
    callbacks.seen();
  }
  // While a step only looks who has its locks, there is no wait that the eyes could see.
  void stands(LockStanding const& now) {
    waits_politely = now.waited > Duration{};
    live.activity = !waits_politely ? "executing" : now.queued ? "acquiring_lock" : "probing_lock";
    live.waiting = now.waited;
    live.blockers = now.blockers;
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
      live.activity = filling();
      live.waiting = {};
      live.blockers.clear();
    }
    callbacks.seen();
  }
  char const* filling() const {
    bool const stands = live.throttling && live.throttling->speed.stopped();
    return stands ? "throttled" : "backfilling";
  }
  void throttled(Throttling const& throttling) {
    live.throttling = throttling;
    if (live.activity == "backfilling" || live.activity == "throttled") {
      live.activity = filling();
    }
    callbacks.seen();
  }
  void set_hand(HandThrottles hand) {
    if (busy && brake) {
      brake->set_hand(std::move(hand));
      throttled(brake->throttling());
    }
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
    if (now || !is_doubt) {
      signals->waits_end.request_stop();
    }
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
    parts_->signals->waits_end.request_stop();
    parts_->signals->asked_to_stop.request_stop();
  }
  parts_->callbacks = {.answered = [](Answer const&) {}, .seen = [] {}};
}

bool StepRunner::busy() const { return parts_->busy; }
bool StepRunner::fresh(Heartbeat::Instant now) const {
  return !parts_->busy || parts_->signals->over.stop_requested() ||
         parts_->signals->heartbeat.fresh(now);
}
void StepRunner::start(Job job, Expected expected, double jitter) {
  parts_->begin(std::move(job), expected, jitter);
}
void StepRunner::stop(StopMode mode) { parts_->stop(mode); }
void StepRunner::throttle(HandThrottles hand) { parts_->set_hand(std::move(hand)); }
Live const& StepRunner::live() const { return parts_->live; }

}  // namespace runbookd::daemon
