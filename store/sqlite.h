// SQLite behind values: a connection, prepared statements, transactions. Knows nothing of runs.
// One connection, used by one thread at a time. Failures are thrown as StoreFailure inside store/;
// whatever returns a Result catches them at its door (`guarded`).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "planner/error.h"

struct sqlite3;
struct sqlite3_backup;
struct sqlite3_stmt;

namespace runbookd::store {

// The store cannot do its work. Code store_unavailable: the disk is full, the file read-only, or
// somebody else holds it; nothing was written, and later it may be. Code store_broken: after an
// error of a sync, of COMMIT or of a read nobody knows what the disk holds, so the process has to
// end.
class StoreFailure : public std::runtime_error {
 public:
  explicit StoreFailure(planner::Error error);
  planner::Error const& error() const { return error_; }

 private:
  planner::Error error_;
};

class Companion;
class Connection;

// Prepared once, run often. A statement is idle between calls: rows are handed over, not left open.
class Statement {
 public:
  Statement(Connection& connection, std::string_view sql);

  // Arguments are ?1, ?2 …; texts are not copied.
  template <typename Visit, typename... Args>
  void each(Visit visit, Args const&... args) {
    Rest const rest{*this};
    bind_all(args...);
    while (step())
      visit(*this);
  }
  template <typename... Args>
  void run(Args const&... args) {
    each([](Statement const&) {}, args...);
  }
  template <typename Read, typename... Args>
  auto all(Read read, Args const&... args) {
    std::vector<std::invoke_result_t<Read, Statement const&>> rows;
    each([&](Statement const& row) { rows.push_back(read(row)); }, args...);
    return rows;
  }
  template <typename Read, typename... Args>
  auto first(Read read, Args const&... args) {
    Rest const rest{*this};
    bind_all(args...);
    std::optional<std::invoke_result_t<Read, Statement const&>> row;
    if (step())
      row.emplace(read(*this));
    return row;
  }

  // Of the row that a callback is called with.
  std::int64_t integer(int column) const;
  std::string text(int column) const;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  struct Rest {
    Statement& statement;
    ~Rest() { statement.reset(); }
  };
  template <typename... Args>
  void bind_all(Args const&... args) {
    int index = 0;
    (bind(++index, args), ...);
  }
  void bind(int index, std::int64_t value);
  void bind(int index, std::string_view value);
  bool step();
  void reset();

  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

class Connection {
 public:
  // The file must exist; an empty one becomes a database.
  explicit Connection(std::string path);
  ~Connection();
  Connection(Connection&&) noexcept;
  Connection& operator=(Connection&&) = delete;

  std::string const& path() const { return path_; }

  // For statements that are needed once; several, separated by semicolons, are fine.
  void run_script(std::string const& sql);
  std::int64_t integer(std::string const& query);
  std::string text(std::string const& query);

  // Sets every pragma that we rely on and reads each back.
  void configure(std::int64_t max_pages);

  // Closing brings the log into the file and deletes it by name, unless it is to be kept: what was
  // found may be the wrong log, or the name may belong to another store by now. Kept by itself once
  // the store is broken.
  enum class AtClose { bring_in_log, keep_log };
  void at_close(AtClose what);

  std::int64_t changed_rows() const;  // by the last statement

 private:
  friend class Companion;
  friend class PagesCopy;
  friend class Statement;
  friend class Transaction;
  struct Close {
    void operator()(sqlite3* database) const;
  };
  struct Brackets;
  Brackets& brackets();

  std::string path_;
  std::unique_ptr<sqlite3, Close> database_;
  std::unique_ptr<Brackets> brackets_;
  Companion* companion_ = nullptr;
};

// While it lives, the next commit of the connection takes along what `write` writes: both are
// durable then, or neither. So what accompanies a change need not be known to whoever makes it. A
// connection has one at a time.
class Companion {
 public:
  Companion(Connection& connection, std::function<void()> write);
  ~Companion();
  Companion(Companion const&) = delete;
  Companion& operator=(Companion const&) = delete;
  bool is_durable() const { return durable_; }

  // Commits meanwhile are no business of the companion's.
  class Absence {
   public:
    explicit Absence(Connection& connection);
    ~Absence();
    Absence(Absence const&) = delete;
    Absence& operator=(Absence const&) = delete;

   private:
    Connection& connection_;
    Companion* companion_;
  };

 private:
  friend class Transaction;
  Connection& connection_;
  std::function<void()> write_;
  bool durable_ = false;
};

// Holds the write lock from the start, so it never fails half-way for a lock. Undone unless
// committed.
class Transaction {
 public:
  explicit Transaction(Connection& connection);
  ~Transaction();
  Transaction(Transaction const&) = delete;
  Transaction& operator=(Transaction const&) = delete;
  void commit();  // synced to disk when it returns

 private:
  Connection& connection_;
};

// A consistent copy of a whole database, some pages at a time. Commits of the same connection in
// between get into the copy. Failures are the copy's (store_unavailable), not the store's.
class PagesCopy {
 public:
  PagesCopy(Connection& from, Connection& to);
  ~PagesCopy();
  PagesCopy(PagesCopy const&) = delete;
  PagesCopy& operator=(PagesCopy const&) = delete;
  // Copies so many pages more (-1: all); true when the copy is whole and synced.
  bool step(int pages);
  int pages() const;
  int pages_left() const;

 private:
  std::string path_;
  sqlite3_backup* copy_;
};

template <typename T>
struct Guarded {
  using Type = planner::Result<T>;
};
template <typename T>
struct Guarded<planner::Result<T>> {
  using Type = planner::Result<T>;
};
// The door between what is thrown inside and what is returned outside.
template <typename Work>
auto guarded(Work work) -> typename Guarded<std::invoke_result_t<Work>>::Type {
  try {
    if constexpr (std::is_void_v<std::invoke_result_t<Work>>) {
      work();
      return {};
    } else {
      return work();
    }
  } catch (StoreFailure const& failure) {
    return tl::unexpected(failure.error());
  }
}

}  // namespace runbookd::store
