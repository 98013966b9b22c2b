// Copies of a store: made while it works or from one at rest, checked, and put back.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "planner/error.h"
#include "store/check.h"
#include "store/sqlite.h"

namespace runbookd::store {

// One copy, made piece by piece beside its final name and renamed when it is whole and synced; what
// was under that name before is replaced only then.
class Backup {
 public:
  // Refused where the disk has no room for a copy and then some: a backup must not fill the disk
  // that the store needs.
  static planner::Result<std::unique_ptr<Backup>> begin(Connection& store, std::string const& file);
  ~Backup();  // removes what is not whole
  Backup(Backup const&) = delete;
  Backup& operator=(Backup const&) = delete;

  // Copies so many pages more (-1: all); true when the file is there.
  planner::Result<bool> step(int pages);
  int pages() const { return pages_; }
  int pages_left() const { return left_; }

 private:
  Backup(Connection& store, std::string file);
  std::string part() const { return file_ + ".part"; }
  planner::Result<bool> finish();

  std::string file_;
  std::unique_ptr<Connection> copy_;
  std::unique_ptr<PagesCopy> pages_copy_;
  int pages_ = 0, left_ = 0;
};

// Copies a store that no daemon holds. `file` must not be there yet.
planner::Result<void> back_up(std::string const& store, std::string const& file);

struct Restored {
  StoreReport report;    // of the backup
  std::string replaced;  // where the store that stood there is now; empty: there was none
};
// Puts a backup in the store's place. Refuses one that does not pass its check, always; a store
// that a daemon holds, always; and without `force` a store that is newer, another one, or
// unreadable.
enum class Force { no, yes };
planner::Result<Restored> restore(std::string const& backup, std::string const& store, Force force,
                                  std::string const& stamp);

}  // namespace runbookd::store
