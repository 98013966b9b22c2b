// The store file: opened, checked, locked, brought to the newest schema. Owns the one connection.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "planner/error.h"
#include "store/file.h"
#include "store/journal.h"
#include "store/plans.h"
#include "store/sqlite.h"

namespace runbookd::store {

struct StoreOptions {
  std::string path;
  std::int64_t max_pages = 0;  // 0 = no limit of ours; SQLite pages of 4096 bytes
};

class Store {
 public:
  // Refuses, each with what to do next: a second daemon on the same file, a file that is not ours
  // (application_id), a newer schema (with both numbers), a corrupt file, a folder that does not
  // exist.
  static planner::Result<std::unique_ptr<Store>> open(StoreOptions const& options);

  Journal& journal() { return journal_; }
  Plans& plans() { return plans_; }
  std::string const& id() const {
    return id_;
  }  // made once, at creation: "store_" and 12 hex digits

  // Is the file at the path still the one that was opened, and writable? store_unavailable says
  // what is wrong. Cheap: called before forward work starts and by /readyz.
  planner::Result<void> check() const;

 private:
  Store(std::unique_ptr<FileLock> lock, Connection connection);
  // in the order of birth: the lock is given back last
  std::unique_ptr<FileLock> lock_;
  Connection connection_;
  OpenFile file_;
  Journal journal_;
  Plans plans_;
  std::string id_;
};

}  // namespace runbookd::store
