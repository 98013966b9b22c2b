#include "daemon/store_commands.h"

#include <chrono>
#include <filesystem>
#include <iostream>
#include <optional>
#include <thread>

#include "config/settings.h"
#include "daemon/clock.h"
#include "daemon/local_user.h"
#include "daemon/options.h"
#include "daemon/own_daemon.h"
#include "store/backup.h"
#include "store/file.h"
#include "web/body.h"

namespace runbookd::daemon {
namespace {

namespace fs = std::filesystem;
using planner::Error;
using planner::ErrorCode;
using planner::Result;

constexpr auto looked_at_every = std::chrono::milliseconds{50};
constexpr auto backup_path = "/api/v1/store/backup";

void print(store::StoreReport const& report) {
  std::cout << report.path << ": " << (report.problems.empty() ? "in order" : "NOT in order")
            << '\n'
            << "  store " << report.id << ", schema version " << report.schema_version << ", "
            << report.bytes << " bytes\n"
            << "  " << report.runs << " runs (" << report.unfinished << " unfinished), "
            << report.events << " events, " << report.plans << " plans, " << report.fingerprints
            << " fingerprints, " << report.audit_entries << " audit entries\n";
  for (auto const& problem : report.problems) {
    std::cout << "  problem: " << problem << '\n';
  }
}

int check(std::string const& path) {
  auto const report = store::check_store(path);
  if (!report) {
    auto error = report.error();
    if (store::lock_holder(path)) {
      error.next =
          "runbookd store backup FILE, then: runbookd store check FILE (the daemon goes on "
          "meanwhile)";
    }
    return tell(error);
  }
  print(*report);
  return report->problems.empty() ? 0 : exit_failed;
}

// ---- a backup of a store that a daemon holds: it makes the copy, we take it away

// The file that the daemon has made, once it is whole.
Result<std::string> made_by_daemon(config::Settings const& settings) {
  auto answer = ask_own_daemon(settings, "POST", backup_path);
  while (answer && web::top_level_text(*answer, "state") == "running") {
    std::this_thread::sleep_for(looked_at_every);
    answer = ask_own_daemon(settings, "GET", backup_path);
  }
  if (!answer) {
    return answer;
  }
  if (web::top_level_text(*answer, "state") != "done") {
    return store::refused(web::top_level_text(*answer, "detail"),
                          web::top_level_text(*answer, "next"));
  }
  return web::top_level_text(*answer, "file");
}

Result<void> take_away(std::string const& made, std::string const& file) {
  std::error_code failure;
  fs::rename(made, file, failure);
  if (!failure) {
    return store::sync_folder_of(file);
  }
  // another file system, or another user's folder
  if (auto copied = store::back_up(made, file); !copied) {
    auto error = copied.error();
    error.next = "the daemon's copy is whole and stands at " + made;
    return tl::unexpected(error);
  }
  fs::remove(made, failure);
  return {};
}

int backup(config::Settings const& settings, std::string const& name) {
  auto const file = store::usable_path(name);
  if (!file) {
    return tell(file.error());
  }
  if (auto const absent = store::expect_absent(*file); !absent) {
    return tell(absent.error());
  }
  auto const done = store::lock_holder(settings.store.path)
                        ? made_by_daemon(settings).and_then(
                              [&](std::string const& made) { return take_away(made, *file); })
                        : store::back_up(settings.store.path, *file);
  return done ? check(*file) : tell(done.error());
}

int restore(config::Settings const& settings, StoreCommand const& command) {
  if (auto const own = expect_own_folder(settings.store.path, "store restore …"); !own) {
    return tell(own.error());
  }
  auto const force = command.force ? store::Force::yes : store::Force::no;
  auto const restored =
      store::restore(command.file, settings.store.path, force, compact_stamp(wall_clock()));
  if (!restored) {
    return tell(restored.error());
  }
  print(restored->report);
  std::cout << "restored to " << settings.store.path << '\n';
  if (!restored->replaced.empty()) {
    std::cout << "what stood there is kept as " << restored->replaced << '\n';
  }
  std::cout
      << "an attempt that was under way at the backup is settled by its marker; a run that did "
         "more since can only be cancelled from here: status names the step, and "
         "runbookd.marker in its target has all that was done there\n";
  return 0;
}

}  // namespace

int run_store_command(StoreCommand const& command, std::string const& config_file) {
  if (command.verb == StoreCommand::Verb::check && !command.file.empty()) {
    return check(command.file);
  }
  auto const settings = settings_or_tell(config_file);
  if (!settings) {
    return exit_bad_configuration;
  }
  switch (command.verb) {
    case StoreCommand::Verb::check:
      return check(settings->store.path);
    case StoreCommand::Verb::backup:
      return backup(*settings, command.file);
    case StoreCommand::Verb::restore:
      return restore(*settings, command);
  }
  __builtin_unreachable();
}

}  // namespace runbookd::daemon
