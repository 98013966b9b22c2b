#include "store/backup.h"

#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "store/check.h"
#include "store/file.h"
#include "store/mark.h"
#include "store/store.h"

namespace runbookd::store {
namespace {

namespace fs = std::filesystem;
using planner::Error;
using planner::ErrorCode;
using planner::Result;

constexpr std::uintmax_t room_left_to_the_store = 16UL * 1024 * 1024;

std::string quoted(std::string const& path) { return "'" + path + "'"; }

Result<void> expect_room(std::string const& file, std::uintmax_t size) {
  std::error_code failure;
  auto const room = fs::space(fs::path(file).parent_path(), failure);
  if (failure || room.available >= size + room_left_to_the_store)
    return {};
  return refused("there is no room for a copy of " + std::to_string(size) + " bytes beside " +
                     file + ": " + std::to_string(room.available) +
                     " bytes are free, and some are left to the store",
                 "df -h " + quoted(fs::path(file).parent_path().string()));
}

Result<void> renamed(std::string const& from, std::string const& to) {
  std::error_code failure;
  fs::rename(from, to, failure);
  if (!failure)
    return {};
  return refused(from + " cannot be renamed to " + to + ": " + failure.message(),
                 "ls -ld " + quoted(fs::path(to).parent_path().string()));
}

Result<void> synced(std::string const& file) {
  auto const opened = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  bool const done = opened >= 0 && ::fsync(opened) == 0;
  if (opened >= 0)
    ::close(opened);
  if (done)
    return {};
  return refused("the copy " + file + " cannot be synced", "journalctl -k -n 50");
}

// Page by page, so that what stands in the log comes along.
Result<void> copied(Connection& from, std::string const& to) {
  return Backup::begin(from, to).and_then(
      [](std::unique_ptr<Backup> const& copy) { return copy->step(-1).map([](bool) {}); });
}

// What a store that is gone had and the backup does not bring back.
std::optional<std::string> lost_with(std::string const& store, MarkFacts const& backup,
                                     std::optional<MarkFacts> const& mark) {
  if (!mark || (mark->store_id == backup.store_id && mark->events <= backup.events))
    return std::nullopt;
  auto const gone = "the store " + store + " is gone, and the backup is ";
  if (mark->store_id != backup.store_id)
    return gone + "of another one (" + backup.store_id + ") than was used here, " + mark->store_id;
  return gone + "older: it holds " + std::to_string(backup.events) + " events, and " +
         std::to_string(mark->events) +
         " had been recorded; with --force runs go back to what the backup knows of them";
}

// Why the store that stands there should not be replaced; nothing: it may be.
std::optional<std::string> worth_keeping(std::string const& store, MarkFacts const& backup) {
  auto const mark = marked(store);
  if (!mark)
    return mark.error().detail;
  if (is_missing_or_empty(store))
    return lost_with(store, backup, *mark);
  if (auto right = expect_not_behind(store, backup, *mark); !right)
    return right.error().detail;
  auto const opened = connect_at_rest(store);
  if (!opened)
    return opened.error().detail;
  auto const facts = guarded([&] { return facts_of(**opened); });
  if (!facts)
    return facts.error().detail;
  if (auto right = expect_not_behind(store, backup, *facts); !right)
    return right.error().detail;
  return std::nullopt;
}

// A log is moved also where its store is gone: SQLite would play it back into whatever stands there
// next. Each name is moved by itself; a crash in between leaves a store that is missing or behind
// its mark, which a start refuses.
Result<std::string> moved_away(std::string const& store, std::string const& stamp) {
  auto const kept = store + ".replaced-" + stamp;
  std::string found;
  for (std::string const part : {"-wal", ""}) {
    if (!fs::exists(store + part))
      continue;
    found = kept + part;
    auto const moved =
        expect_absent(found).and_then([&] { return renamed(store + part, kept + part); });
    if (!moved)
      return tl::unexpected(moved.error());
  }
  std::error_code ignored;
  fs::remove(store + "-shm", ignored);
  return found;
}

Result<void> expect_in_order(std::string const& store, MarkFacts const& facts) {
  auto const opened = connect_at_rest(store);
  if (!opened)
    return tl::unexpected(opened.error());
  auto const report = guarded([&] { return report_on(**opened); });
  if (!report)
    return tl::unexpected(report.error());
  if (report->problems.empty() && report->id == facts.store_id && report->events == facts.events)
    return {};
  return refused("the restored store " + store + " is not what the backup holds" +
                     (report->problems.empty() ? "" : ": " + report->problems.front()),
                 "runbookd store check " + quoted(store));
}

}  // namespace

// ---- making

Backup::Backup(Connection& store, std::string file)
    : file_(std::move(file)),
      copy_(std::make_unique<Connection>(part())),
      pages_copy_(std::make_unique<PagesCopy>(store, *copy_)) {}

Result<std::unique_ptr<Backup>> Backup::begin(Connection& store, std::string const& file) {
  std::error_code ignored;
  fs::remove(file + ".part", ignored);  // of one that a crash interrupted
  fs::remove(file + ".part-journal", ignored);
  auto const size = fs::file_size(store.path(), ignored);
  auto const log = fs::file_size(store.path() + "-wal", ignored);
  auto const made = expect_room(file, size + (ignored ? 0 : log)).and_then([&] {
    return create_if_missing(file + ".part");
  });
  if (!made)
    return tl::unexpected(made.error());
  return guarded([&] { return std::unique_ptr<Backup>(new Backup(store, file)); });
}

Backup::~Backup() {
  pages_copy_.reset();
  copy_.reset();
  std::error_code ignored;
  fs::remove(part(), ignored);
  fs::remove(part() + "-journal", ignored);
}

Result<bool> Backup::step(int pages) {
  auto const whole = guarded([&] { return pages_copy_->step(pages); });
  if (!whole)
    return whole;
  pages_ = pages_copy_->pages();
  left_ = pages_copy_->pages_left();
  return *whole ? finish() : whole;
}

Result<bool> Backup::finish() {
  pages_copy_.reset();
  copy_.reset();
  return synced(part())
      .and_then([this] { return renamed(part(), file_); })
      .and_then([this] { return sync_folder_of(file_); })
      .map([] { return true; });
}

Result<void> back_up(std::string const& store, std::string const& file) {
  auto const to = usable_path(file);
  if (!to)
    return tl::unexpected(to.error());
  if (auto absent = expect_absent(*to); !absent)
    return absent;
  auto const opened = open_at_rest(store);
  if (!opened)
    return tl::unexpected(opened.error());
  return copied(*opened->connection, *to);
}

// ---- putting back

Result<Restored> restore(std::string const& backup, std::string const& store, Force force,
                         std::string const& stamp) {
  auto const path = usable_path(store);
  if (!path)
    return tl::unexpected(path.error());
  if (auto const same = usable_path(backup); same && *same == *path)
    return refused("the backup " + backup + " is the store itself", "name another file");
  auto const source = open_at_rest(backup);
  if (!source)
    return tl::unexpected(source.error());
  auto report = report_on(*source->connection);
  if (!report.problems.empty())
    return refused("the backup " + backup +
                       " is not in order, so it is not restored: " + report.problems.front(),
                   "runbookd store check " + quoted(backup));
  auto const lock = FileLock::take(*path);
  if (!lock) {
    auto error = lock.error();
    error.next = "stop it first; " + error.next;
    return tl::unexpected(error);
  }
  MarkFacts const facts{.store_id = report.id, .events = report.events};
  if (force == Force::no) {
    if (auto const why = worth_keeping(*path, facts))
      return refused("nothing is restored without --force: " + *why,
                     is_missing_or_empty(*path) ? "look for a newer backup, else add --force"
                                                : "runbookd store check " + quoted(*path) +
                                                      "; to restore all the same: --force");
  }
  auto const fresh = *path + ".restoring";
  if (auto copy = copied(*source->connection, fresh); !copy)
    return tl::unexpected(copy.error());
  auto replaced = moved_away(*path, stamp);
  if (!replaced)
    return tl::unexpected(replaced.error());
  auto placed = renamed(fresh, *path).and_then([&] { return sync_folder_of(*path); }).and_then([&] {
    return Mark::write(*path, facts);
  });
  if (!placed)
    return tl::unexpected(placed.error());
  if (auto right = expect_in_order(*path, facts); !right)
    return tl::unexpected(right.error());
  return Restored{.report = std::move(report), .replaced = std::move(*replaced)};
}

}  // namespace runbookd::store
