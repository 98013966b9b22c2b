#include "store/sqlite.h"

#include <array>
#include <cerrno>
#include <filesystem>
#include <utility>

#include <sqlite3.h>

namespace runbookd::store {
namespace {

using planner::Error;
using planner::ErrorCode;

struct Pragma {
  char const* name;
  char const* value;  // as it is read back
};
// locking_mode stands before anything touches the file: other processes are kept out for as long as
// we live (two processes that write or checkpoint at the same instant can corrupt a log of SQLite
// before 3.51.3).
constexpr std::array pragmas{
    Pragma{"locking_mode", "exclusive"},
    Pragma{"busy_timeout", "2000"},
    Pragma{"trusted_schema", "0"},
    Pragma{"cell_size_check", "1"},
    Pragma{"mmap_size", "0"},
    Pragma{"foreign_keys", "1"},
    Pragma{"journal_mode", "wal"},
    Pragma{"synchronous", "2"},  // 2 = FULL
};

std::string quoted(std::string const& path) { return "'" + path + "'"; }

// The command that shows a person the cause.
std::string next_command(int result, std::string const& path) {
  switch (result & 0xff) {
    case SQLITE_FULL:
      return "df -h " + quoted(std::filesystem::path(path).parent_path().string());
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return "fuser -v " + quoted(path);
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return "ls -la " + quoted(path);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return "runbookd store check " + quoted(path) + ", then: runbookd store restore BACKUP";
    default:
      return "journalctl -k -n 50";
  }
}

std::string_view meaning(int result) {
  switch (result & 0xff) {
    case SQLITE_FULL:
      return "no room left for it";
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return "another process uses it";
    case SQLITE_READONLY:
      return "it cannot be written";
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return "it cannot be opened";
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return "it is damaged";
    case SQLITE_IOERR:
      return "reading or writing it failed";
    default:
      return "SQLite refused";
  }
}

// After these nothing was written, and nothing is lost by trying again later. Some systems say
// "full" or "read-only" in other words than SQLite listens for.
int plain_kind(int result, int system_error) {
  auto const kind = result & 0xff;
  if (result != SQLITE_IOERR_WRITE)
    return kind;
  switch (system_error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return SQLITE_FULL;
    case EROFS:
    case EPERM:
      return SQLITE_READONLY;
    default:
      return kind;
  }
}

bool is_passing(int result, int system_error) {
  switch (plain_kind(result, system_error)) {
    case SQLITE_FULL:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return true;
    case SQLITE_READONLY:
      return result != SQLITE_READONLY_DBMOVED;
    default:
      return false;
  }
}

// A violated constraint or a wrong call is our own mistake, not the disk's.
bool is_our_mistake(int result) {
  auto const kind = result & 0xff;
  return kind == SQLITE_CONSTRAINT || kind == SQLITE_MISUSE || kind == SQLITE_MISMATCH ||
         kind == SQLITE_RANGE;
}

Error error_of(int result, int system_error, std::string const& said, std::string const& path) {
  auto const kind = plain_kind(result, system_error);
  return {.code = is_passing(result, system_error) ? ErrorCode::store_unavailable
                                                   : ErrorCode::store_broken,
          .detail = "the store " + path + " cannot be used, " + std::string(meaning(kind)) +
                    ": SQLite says \"" + said + "\" (code " + std::to_string(result) + ")",
          .next = next_command(kind, path)};
}

// `system_error`: errno as the failed call left it; SQLite itself forgets it for writes to the log.
[[noreturn]] void fail(sqlite3* database, int result, int system_error = 0) {
  auto const* name = sqlite3_db_filename(database, "main");
  std::string const path = name == nullptr ? "(in memory)" : name;
  std::string const said = sqlite3_errmsg(database);
  if (is_our_mistake(result))
    throw std::logic_error("store " + path + ": " + said);
  auto error = error_of(result, system_error, said, path);
  if (error.code == ErrorCode::store_broken)
    sqlite3_db_config(database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  throw StoreFailure(std::move(error));
}

// Instead of SQLite's own: that one says nothing when the disk refuses.
int bring_in_log(void*, sqlite3* database, char const* name, int pages) {
  constexpr int pages_kept = 1000;
  if (pages < pages_kept)
    return SQLITE_OK;
  errno = 0;
  auto const result =
      sqlite3_wal_checkpoint_v2(database, name, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  // while the disk is full the log keeps what it has
  return is_passing(result, errno) ? SQLITE_OK : result;
}

void expect_ok(sqlite3* database, int result) {
  if (result != SQLITE_OK)
    fail(database, result);
}

}  // namespace

StoreFailure::StoreFailure(Error error)
    : std::runtime_error(error.detail), error_(std::move(error)) {}

// ---- Statement

Statement::Statement(Connection& connection, std::string_view sql) {
  auto* const database = connection.database_.get();
  sqlite3_stmt* statement = nullptr;
  expect_ok(database, sqlite3_prepare_v3(database, sql.data(), static_cast<int>(sql.size()),
                                         SQLITE_PREPARE_PERSISTENT, &statement, nullptr));
  statement_.reset(statement);
}

void Statement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

void Statement::bind(int index, std::int64_t value) {
  expect_ok(sqlite3_db_handle(statement_.get()),
            sqlite3_bind_int64(statement_.get(), index, value));
}

void Statement::bind(int index, std::string_view value) {
  // a null pointer would bind NULL; callers outlive the step, so nothing is copied
  auto const* bytes = value.data() == nullptr ? "" : value.data();
  expect_ok(sqlite3_db_handle(statement_.get()),
            sqlite3_bind_text64(statement_.get(), index, bytes, value.size(), SQLITE_STATIC,
                                SQLITE_UTF8));
}

bool Statement::step() {
  errno = 0;
  auto const result = sqlite3_step(statement_.get());
  auto const system_error = errno;
  if (result == SQLITE_ROW)
    return true;
  if (result == SQLITE_DONE)
    return false;
  fail(sqlite3_db_handle(statement_.get()), result, system_error);
}

void Statement::reset() {
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

std::string Statement::text(int column) const {
  auto const* bytes = static_cast<char const*>(sqlite3_column_blob(statement_.get(), column));
  auto const size = static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column));
  return bytes == nullptr ? std::string() : std::string(bytes, size);
}

// ---- Connection

struct Connection::Brackets {
  explicit Brackets(Connection& connection)
      : begin(connection, "BEGIN IMMEDIATE"),
        commit(connection, "COMMIT"),
        rollback(connection, "ROLLBACK") {}
  Statement begin, commit, rollback;
};

Connection::Connection(std::string path) : path_(std::move(path)) {
  sqlite3* database = nullptr;
  auto const flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  auto const result = sqlite3_open_v2(path_.c_str(), &database, flags, nullptr);
  database_.reset(database);  // to be closed even when opening failed
  if (result != SQLITE_OK)
    throw StoreFailure(error_of(result, errno, sqlite3_errstr(result), path_));
  sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
}

Connection::~Connection() = default;
Connection::Connection(Connection&&) noexcept = default;

void Connection::at_close(AtClose what) {
  sqlite3_db_config(database_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, what == AtClose::keep_log,
                    nullptr);
}

void Connection::Close::operator()(sqlite3* database) const { sqlite3_close_v2(database); }

void Connection::run_script(std::string const& sql) {
  expect_ok(database_.get(), sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr));
}

std::int64_t Connection::integer(std::string const& query) {
  return Statement(*this, query)
      .first([](Statement const& row) { return row.integer(0); })
      .value_or(0);
}

std::string Connection::text(std::string const& query) {
  return Statement(*this, query)
      .first([](Statement const& row) { return row.text(0); })
      .value_or("");
}

void Connection::configure(std::int64_t max_pages) {
  for (auto const& pragma : pragmas) {
    std::string const read = std::string("PRAGMA ") + pragma.name;
    run_script(read + " = " + pragma.value);
    auto const found = text(read);
    if (found == pragma.value)
      continue;
    throw StoreFailure({.code = ErrorCode::store_unavailable,
                        .detail = "the store " + path_ + " cannot be used: SQLite set " +
                                  pragma.name + " to \"" + found + "\" instead of \"" +
                                  pragma.value + "\"",
                        .next = next_command(SQLITE_CANTOPEN, path_)});
  }
  sqlite3_wal_hook(database_.get(), bring_in_log, nullptr);
  // not read back: a file that is larger already keeps its size, and is simply full
  if (max_pages > 0)
    run_script("PRAGMA max_page_count = " + std::to_string(max_pages));
}

std::int64_t Connection::changed_rows() const { return sqlite3_changes64(database_.get()); }

Connection::Brackets& Connection::brackets() {
  if (!brackets_)
    brackets_ = std::make_unique<Brackets>(*this);
  return *brackets_;
}

// ---- Transaction

Transaction::Transaction(Connection& connection) : connection_(connection) {
  connection_.brackets().begin.run();
}

Transaction::~Transaction() {
  // SQLite has ended the transaction by itself after a full disk and after some I/O errors
  if (sqlite3_get_autocommit(connection_.database_.get()) != 0)
    return;
  try {
    connection_.brackets().rollback.run();
  } catch (std::exception const&) {
    // the connection notices at its next BEGIN; there is nobody to tell from here
  }
}

void Transaction::commit() {
  auto* const companion = connection_.companion_;
  bool const comes_along = companion != nullptr && !companion->durable_;
  if (comes_along)
    companion->write_();
  connection_.brackets().commit.run();
  if (comes_along)
    companion->durable_ = true;
}

// ---- Companion

Companion::Companion(Connection& connection, std::function<void()> write)
    : connection_(connection), write_(std::move(write)) {
  connection_.companion_ = this;
}

Companion::~Companion() { connection_.companion_ = nullptr; }

Companion::Absence::Absence(Connection& connection)
    : connection_(connection), companion_(std::exchange(connection.companion_, nullptr)) {}

Companion::Absence::~Absence() { connection_.companion_ = companion_; }

// ---- PagesCopy

PagesCopy::PagesCopy(Connection& from, Connection& to)
    : path_(to.path()),
      copy_(sqlite3_backup_init(to.database_.get(), "main", from.database_.get(), "main")) {
  if (copy_ == nullptr)
    fail(to.database_.get(), sqlite3_errcode(to.database_.get()));
}

PagesCopy::~PagesCopy() { sqlite3_backup_finish(copy_); }

bool PagesCopy::step(int pages) {
  auto const result = sqlite3_backup_step(copy_, pages);
  if (result == SQLITE_OK || result == SQLITE_DONE)
    return result == SQLITE_DONE;
  throw StoreFailure({.code = ErrorCode::store_unavailable,
                      .detail = "the copy " + path_ + " cannot be written, " +
                                std::string(meaning(result)) + ": SQLite says \"" +
                                sqlite3_errstr(result) + "\" (code " + std::to_string(result) + ")",
                      .next = next_command(result, path_)});
}

int PagesCopy::pages() const { return sqlite3_backup_pagecount(copy_); }
int PagesCopy::pages_left() const { return sqlite3_backup_remaining(copy_); }

}  // namespace runbookd::store
