// The store file: opened, checked, locked, brought to the newest schema. Owns the one connection.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "planner/error.h"
#include "store/answers.h"
#include "store/audit.h"
#include "store/file.h"
#include "store/holds.h"
#include "store/journal.h"
#include "store/mark.h"
#include "store/plans.h"
#include "store/sqlite.h"
#include "store/tokens.h"

namespace runbookd::store {

struct StoreOptions {
  std::string path;
  std::int64_t max_pages = 0;  // 0 = no limit of ours; SQLite pages of 4096 bytes
};

// What a connected store says of itself, to be compared with its mark.
MarkFacts facts_of(Connection& connection);

// Judged from the bytes, before SQLite may write to what is somebody else's: a foreign file, a
// newer store.
planner::Result<void> expect_ours(std::string const& path, FileHeader const& header);

class Store {
 public:
  // Refuses, each with what to do next: a second daemon on the same file, a file that is not ours
  // (application_id), a newer schema (with both numbers), a corrupt file, a folder that does not
  // exist, a store that is missing, empty, older or another one than what the mark beside it tells
  // (store/mark.h), and a disk that does not sync.
  static planner::Result<std::unique_ptr<Store>> open(StoreOptions const& options);

  Journal& journal() { return journal_; }
  Plans& plans() { return plans_; }
  Tokens& tokens() { return tokens_; }
  Audit& audit() { return audit_; }
  Answers& answers() { return answers_; }
  Holds& holds() { return holds_; }
  std::string const& id() const {
    return id_;
  }  // made once, at creation: "store_" and 12 hex digits

  // Is the file at the path still the one that was opened, and writable? store_unavailable says
  // what is wrong. Cheap: called before forward work starts and by /readyz.
  planner::Result<void> check() const;

  // To copy from while the store works.
  Connection& connection() { return connection_; }

  ~Store();

 private:
  Store(std::unique_ptr<FileLock> lock, Connection connection, std::unique_ptr<Mark> mark);
  // in the order of birth: the lock is given back last
  std::unique_ptr<FileLock> lock_;
  Connection connection_;
  std::unique_ptr<Mark> mark_;
  OpenFile file_;
  Journal journal_;
  Plans plans_;
  Tokens tokens_;
  Audit audit_;
  Answers answers_;
  Holds holds_;
  std::string id_;
};

}  // namespace runbookd::store
