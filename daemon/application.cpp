#include "daemon/application.h"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include "daemon/auditor.h"
#include "daemon/chance.h"
#include "daemon/clock.h"
#include "daemon/guarded_service.h"
#include "daemon/logging.h"
#include "daemon/metrics.h"
#include "daemon/registry.h"
#include "daemon/supervisor.h"
#include "daemon/target_sources.h"
#include "store/crash_point.h"
#include "web/server.h"
#include "web/tls_files.h"

namespace runbookd::daemon {
namespace {

using store::crash_point;
using store::CrashPoint;

constexpr auto stop_looked_at_every = std::chrono::milliseconds{20};
constexpr auto answers_go_out_within = std::chrono::seconds{2};
constexpr std::chrono::milliseconds status_told_every{1'000};
constexpr std::int64_t page_size = 4096;

web::ServerOptions server_options(config::Settings const& settings, Metrics& metrics) {
  web::ServerOptions options;
  options.listen.clear();
  for (auto const& address : settings.listen) {
    options.listen.push_back(to_text(address));
  }
  options.allowed_hosts = settings.allowed_hosts;
  options.socket_for_everybody = !settings.access.empty();
  if (settings.tls) {
    options.certificate = settings.tls->certificate;
    options.key = settings.tls->key;
  }
  options.on_request = [&metrics](web::AccessLine const& line) {
    log_access(line);
    metrics.answered(line);
  };
  options.on_trouble = [](std::string const& what) { log_warning(what); };
  return options;
}

class Application {
 public:
  Application(config::Settings settings, std::unique_ptr<store::Store> store,
              store::SigningKey audit_key)
      : settings_(std::move(settings)),
        store_(std::move(store)),
        clock_(io_),
        auditor_(*store_, clock_, std::move(audit_key),
                 [this](planner::Error const& error) {
                   if (error.code == planner::ErrorCode::store_broken) {
                     store_broke(error);
                   }
                 }),
        registry_(io_, clock_, chance_, *store_, settings_, process_environment(), metrics_,
                  auditor_),
        guarded_(registry_, [this](planner::Error const& error) { store_broke(error); }),
        server_(io_, guarded_, server_options(settings_, metrics_)),
        signals_(io_, SIGTERM, SIGINT),
        reload_(io_, SIGHUP) {
    // a limit on the size of files is a full disk to us, not the end
    std::signal(SIGXFSZ, SIG_IGN);
    metrics_.count_streams_by([this] { return server_.streams(); });
    registry_.when_broken([this](planner::Error const& error) { store_broke(error); });
  }

  int run() {
    try {
      return serve();
    } catch (store::StoreFailure const& failure) {
      tell_broken(failure.error());
      end_at_once();
    }
  }

 private:
  int serve() {
    if (auto recovered = registry_.recover(); !recovered) {
      log_error("cannot go on with the stored runs: " + recovered.error().detail,
                {{"try", recovered.error().next}});
      return exit_failed;
    }
    crash_point(CrashPoint::recovery_done);
    if (auto kept = registry_.gatekeeper().keep_local_mode_ended(); !kept) {
      log_error(kept.error().detail, {{"try", kept.error().next}});
      return exit_failed;
    }
    if (registry_.local_mode() &&
        !std::ranges::all_of(settings_.listen, &config::ListenAddress::is_local)) {
      log_error("other machines could reach the daemon, and it would ask nobody who he is",
                {{"try", "runbookd token create --principal NAME --role admin"}});
      return exit_failed;
    }
    auto const bound = server_.listen();
    if (!bound) {
      log_error(bound.error().detail, {{"try", bound.error().next}});
      return exit_failed;
    }
    for (auto const& address : settings_.listen) {
      if (address.insecure) {
        log_warning("tokens and all else that goes to this address can be read on their way",
                    {{"address", to_text(address)}});
      }
    }
    for (auto const& address : *bound) {
      log_info("listening", {{"address", address}, {"store", settings_.store.path}});
    }
    if (registry_.local_mode()) {
      log_warning(
          "local mode: no token was made, so everybody who reaches these addresses acts as "
          "operator and approver, by the name that he gives himself",
          {{"try", "runbookd token create --principal NAME --role admin"}});
    }
    auditor_.open(registry_.local_mode() ? "in local mode: nobody is asked for a token"
                                         : "callers have to be known");
    wait_for_signal();
    wait_for_reload();
    supervisor_.ready();
    if (supervisor_.listens()) {
      tell_supervisor();
    }
    crash_point(CrashPoint::listening);
    io_.run();
    log_info("stopped in order");
    return 0;
  }
  static void tell_broken(planner::Error const& error) {
    log_error(
        "the store is broken; runbookd ends and reads it anew at its next start: " + error.detail,
        {{"try", error.next}});
  }
  // As a crash would: nothing in memory is trusted any more, and closing the store would write to
  // it. What is under way in the targets is settled from their markers at the next start.
  [[noreturn]] static void end_at_once() { std::_Exit(exit_failed); }
  // From here on nothing is recorded or begun; only answers that are under way still go out.
  void store_broke(planner::Error const& error) {
    if (std::exchange(store_broken_, true)) {
      return;
    }
    tell_broken(error);
    guarded_.refuse_all(error);
    boost::asio::post(io_, [this] { close(); });
  }
  // That this is called at all shows that the loop turns. By the steady clock: a watchdog's
  // patience does not depend on what the time of day is said to be.
  void tell_supervisor() {
    supervisor_.status(registry_.standing_words());
    auto const patience = supervisor_.patience();
    if (patience && registry_.fresh()) {
      supervisor_.alive();
    }
    pulse_.expires_after(patience ? std::min(status_told_every, *patience / 3) : status_told_every);
    pulse_.async_wait([this](boost::system::error_code error) {
      if (!error) {
        tell_supervisor();
      }
    });
  }
  void wait_for_signal() {
    signals_.async_wait([this](boost::system::error_code error, int signal) {
      if (error) {
        return;
      }
      stop(signal);
      wait_for_signal();
    });
  }
  // Nobody's certificate lasts as long as a backfill.
  void wait_for_reload() {
    reload_.async_wait([this](boost::system::error_code error, int) {
      if (error) {
        return;
      }
      auto const loaded = server_.reload_tls();
      if (loaded) {
        log_info(settings_.tls ? "certificate and key were read anew"
                               : "there is no certificate to read anew");
      } else {
        log_error("the old certificate stays: " + loaded.error().detail,
                  {{"try", loaded.error().next}});
      }
      wait_for_reload();
    });
  }
  // The first signal pauses at safe points, the second interrupts.
  void stop(int signal) {
    auto const mode =
        std::exchange(stopping_, true) ? planner::StopMode::now : planner::StopMode::safe_point;
    crash_point(CrashPoint::shutdown_asked);
    log_info("stopping", {{"signal", std::to_string(signal)},
                          {"runs", std::to_string(registry_.working())},
                          {"how", mode == planner::StopMode::now ? "now" : "at safe points"}});
    supervisor_.stopping(2 * settings_.shutdown_timeout + answers_go_out_within);
    registry_.drain(mode);
    crash_point(CrashPoint::shutdown_drained);
    if (mode == planner::StopMode::safe_point) {
      interrupt_at_ = clock_.now() + settings_.shutdown_timeout;
      end_when_quiet();
    }
  }
  void end_when_quiet() {
    if (store_broken_) {
      return;  // on its way out already
    }
    auto const now = clock_.now();
    if (interrupt_at_ && now >= *interrupt_at_) {
      log_warning("safe points were not reached in time; interrupting");
      registry_.drain(planner::StopMode::now);
      interrupt_at_.reset();
      give_up_at_ = now + settings_.shutdown_timeout;
    }
    if (registry_.quiet() || (give_up_at_ && now >= *give_up_at_)) {
      close();
      return;
    }
    alarm_ = clock_.wake_at(now + stop_looked_at_every, [this] { end_when_quiet(); });
  }
  void close() {
    crash_point(CrashPoint::shutdown_quiet);
    server_.stop();
    close_at_ = clock_.now() + answers_go_out_within;
    finish_when_idle();
  }
  void finish_when_idle() {
    if (store_broken_ && (server_.idle() || clock_.now() >= close_at_)) {
      end_at_once();
    }
    if (server_.idle() || clock_.now() >= close_at_) {
      registry_.let_go();
      auditor_.close();
      crash_point(CrashPoint::shutdown_let_go);
      io_.stop();
      return;
    }
    alarm_ = clock_.wake_at(clock_.now() + stop_looked_at_every, [this] { finish_when_idle(); });
  }

  config::Settings settings_;
  std::unique_ptr<store::Store> store_;
  boost::asio::io_context io_{1};
  SystemClock clock_;
  Chance chance_;
  Metrics metrics_;
  Auditor auditor_;
  Registry registry_;
  GuardedService guarded_;
  web::Server server_;
  boost::asio::signal_set signals_, reload_;
  boost::asio::steady_timer pulse_{io_};
  Supervisor supervisor_;
  std::unique_ptr<Alarm> alarm_;
  bool stopping_ = false;
  bool store_broken_ = false;
  std::optional<planner::Moment> interrupt_at_, give_up_at_;
  planner::Moment close_at_{};
};

// Everything that is wrong, in one go: what a target's string lacks does not wait until the file's
// other mistakes are mended.
int check_config(std::string const& file) {
  auto const read = config::load_settings(file);
  auto findings = read.findings;
  auto const of_targets = target_findings(read.targets, process_environment());
  findings.insert(findings.end(), of_targets.begin(), of_targets.end());
  for (auto const& finding : findings) {
    std::cerr << to_text(finding) << '\n';
  }
  auto const of_tls = read.settings && read.settings->tls
                          ? web::expect_good({.certificate = read.settings->tls->certificate,
                                              .key = read.settings->tls->key})
                          : planner::Result<void>();
  if (!of_tls) {
    std::cerr << file << ": error: tls: " << of_tls.error().detail
              << "\n  try: " << of_tls.error().next << '\n';
  }
  if (!read.settings || !of_targets.empty() || !of_tls) {
    return exit_bad_configuration;
  }
  std::cout << file << " is good: " << read.targets.size() << " target(s), store "
            << read.settings->store.path << '\n';
  return 0;
}

}  // namespace

int run_daemon(Options const& options) {
  if (options.check_config) {
    return check_config(options.config_file);
  }
  auto settings = settings_or_tell(options.config_file);
  if (!settings) {
    return exit_bad_configuration;
  }
  start_logging(settings->log);
  // one bad target does not keep the runs on the others from going on
  for (auto const& finding : target_findings(settings->targets, process_environment())) {
    log_warning(to_text(finding));
  }
  auto const max_pages = settings->store.max_bytes / page_size;
  auto store = store::Store::open({.path = settings->store.path, .max_pages = max_pages});
  if (!store) {
    return tell(store.error());
  }
  crash_point(CrashPoint::store_opened);
  auto key = audit_key(**store, settings->store.path);
  if (!key) {
    return tell(key.error());
  }
  return Application(std::move(*settings), std::move(*store), *std::move(key)).run();
}

}  // namespace runbookd::daemon
