#include "store/store.h"

#include "store/crash_point.h"
#include "store/schema.h"

namespace runbookd::store {
namespace {

using planner::Error;
using planner::ErrorCode;
using planner::Result;

// Larger files are not read through at start: that would keep a restart waiting for seconds.
constexpr std::int64_t checked_size = 64L * 1024 * 1024;

tl::unexpected<Error> refused(std::string detail, std::string next) {
  return tl::unexpected(Error{
      .code = ErrorCode::store_unavailable, .detail = std::move(detail), .next = std::move(next)});
}

// Judged from the bytes, before SQLite may write to what is somebody else's.
Result<void> expect_ours(std::string const& path, FileHeader const& header) {
  if (header.size == 0)
    return {};
  if (!header.is_sqlite) {
    return refused("the file " + path + " is not a store of runbookd: it is not an SQLite database",
                   "file '" + path + "'");
  }
  if (header.application_id != application_id) {
    return refused(
        "the file " + path + " is not a store of runbookd: it is the database of another program",
        "file '" + path + "'");
  }
  auto const known = static_cast<std::int64_t>(schema_files().size());
  if (header.user_version <= known)
    return {};
  return tl::unexpected(newer_schema(path, header.user_version, known));
}

// The mark is set before the switch to a log, so it stands in the file itself from the first commit
// on.
void mark_as_ours(Connection& connection) {
  connection.run_script("PRAGMA application_id = " + std::to_string(application_id));
}

void expect_intact(Connection& connection) {
  auto const said = connection.text("PRAGMA quick_check(1)");
  if (said == "ok")
    return;
  throw StoreFailure({.code = ErrorCode::store_unavailable,
                      .detail = "the store " + connection.path() + " is damaged: " + said,
                      .next = "restore the newest backup; look with: sqlite3 '" +
                              connection.path() + "' 'PRAGMA integrity_check'"});
}

Result<Connection> connect(std::string const& path, std::int64_t size, std::int64_t max_pages) {
  return guarded([&]() -> Result<Connection> {
    Connection connection(path);
    if (size == 0)
      mark_as_ours(connection);
    crash_point(CrashPoint::store_marked);
    connection.configure(max_pages);
    if (size <= checked_size)
      expect_intact(connection);
    auto ready = bring_up_to_date(connection, schema_files());
    if (!ready)
      return tl::unexpected(ready.error());
    return connection;
  });
}

}  // namespace

Store::Store(std::unique_ptr<FileLock> lock, Connection connection)
    : lock_(std::move(lock)),
      connection_(std::move(connection)),
      file_(connection_.path()),
      journal_(connection_),
      plans_(connection_),
      id_(connection_.text("SELECT id FROM store")) {}

Result<std::unique_ptr<Store>> Store::open(StoreOptions const& options) {
  auto path = usable_path(options.path);
  if (!path)
    return tl::unexpected(path.error());
  auto lock = FileLock::take(*path);
  if (!lock)
    return tl::unexpected(lock.error());
  auto created = create_if_missing(*path).and_then([&](bool) { return expect_writable(*path); });
  if (!created)
    return tl::unexpected(created.error());
  crash_point(CrashPoint::store_file_created);
  auto header = read_header(*path);
  if (!header)
    return tl::unexpected(header.error());
  if (auto ours = expect_ours(*path, *header); !ours)
    return tl::unexpected(ours.error());
  auto connection = connect(*path, header->size, options.max_pages);
  if (!connection)
    return tl::unexpected(connection.error());
  return guarded(
      [&] { return std::unique_ptr<Store>(new Store(std::move(*lock), std::move(*connection))); });
}

Result<void> Store::check() const {
  return file_.expect_same().and_then([this] { return expect_writable(connection_.path()); });
}

}  // namespace runbookd::store
