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

}  // namespace

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

MarkFacts facts_of(Connection& connection) {
  return {.store_id = connection.text("SELECT id FROM store"),
          .events = connection.integer("SELECT coalesce(sum(revision), 0) FROM run")};
}

namespace {

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
                      .next = "runbookd store check '" + connection.path() +
                              "', then: runbookd store restore BACKUP"});
}

// Writes, syncs and commits once, so that a disk which fails is met here and not by a run. A full
// one is no reason to stay away: what is there can be read, and the first command will meet it.
Result<void> expect_syncs(Connection& connection) {
  auto tried = guarded([&] {
    Transaction transaction(connection);
    connection.run_script("UPDATE store SET created_at = created_at");
    transaction.commit();
  });
  if (tried || tried.error().code == ErrorCode::store_unavailable)
    return {};
  return tried;
}

// Until all is found to be right the log stays as it was found: it may be the wrong one.
Result<Connection> connect(std::string const& path, std::int64_t size,
                           std::optional<MarkFacts> const& mark, std::int64_t max_pages) {
  return guarded([&]() -> Result<Connection> {
    Connection connection(path);
    connection.at_close(Connection::AtClose::keep_log);
    if (size == 0)
      mark_as_ours(connection);
    crash_point(CrashPoint::store_marked);
    connection.configure(max_pages);
    if (size <= checked_size)
      expect_intact(connection);
    if (connection.integer("PRAGMA user_version") > 0) {
      if (auto right = expect_not_behind(path, facts_of(connection), mark); !right)
        return tl::unexpected(right.error());
    }
    auto ready = bring_up_to_date(connection, schema_files()).and_then([&] {
      return expect_syncs(connection);
    });
    if (!ready)
      return tl::unexpected(ready.error());
    connection.at_close(Connection::AtClose::bring_in_log);
    return connection;
  });
}

}  // namespace

Store::Store(std::unique_ptr<FileLock> lock, Connection connection, std::unique_ptr<Mark> mark)
    : lock_(std::move(lock)),
      connection_(std::move(connection)),
      mark_(std::move(mark)),
      file_(connection_.path()),
      journal_(connection_, mark_.get()),
      plans_(connection_),
      tokens_(connection_),
      audit_(connection_),
      answers_(connection_),
      holds_(connection_),
      id_(connection_.text("SELECT id FROM store")) {}

// Closing deletes the log by its name, which may belong to another store by now.
Store::~Store() {
  if (!file_.expect_same())
    connection_.at_close(Connection::AtClose::keep_log);
}

Result<std::unique_ptr<Store>> Store::open(StoreOptions const& options) {
  auto path = usable_path(options.path);
  if (!path)
    return tl::unexpected(path.error());
  auto lock = FileLock::take(*path);
  if (!lock)
    return tl::unexpected(lock.error());
  auto mark = marked(*path);
  if (!mark)
    return tl::unexpected(mark.error());
  if (is_missing_or_empty(*path)) {
    if (auto fresh = expect_never_there(*path, *mark); !fresh)
      return tl::unexpected(fresh.error());
  }
  auto created = create_if_missing(*path).and_then([&](bool) { return expect_writable(*path); });
  if (!created)
    return tl::unexpected(created.error());
  crash_point(CrashPoint::store_file_created);
  auto header = read_header(*path);
  if (!header)
    return tl::unexpected(header.error());
  if (auto ours = expect_ours(*path, *header); !ours)
    return tl::unexpected(ours.error());
  auto connection = connect(*path, header->size, *mark, options.max_pages);
  if (!connection)
    return tl::unexpected(connection.error());
  return guarded([&]() -> Result<std::unique_ptr<Store>> {
    auto facts = facts_of(*connection);
    return Mark::write(*path, std::move(facts)).map([&](std::unique_ptr<Mark> kept) {
      return std::unique_ptr<Store>(
          new Store(std::move(*lock), std::move(*connection), std::move(kept)));
    });
  });
}

Result<void> Store::check() const {
  return file_.expect_same().and_then([this] { return expect_writable(connection_.path()); });
}

}  // namespace runbookd::store
