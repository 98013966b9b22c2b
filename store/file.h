// The store's file as the operating system sees it: may we use it, is it still the same, who else
// holds it.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "planner/error.h"

namespace runbookd::store {

// The store, or a file beside it, cannot be had: store_unavailable.
tl::unexpected<planner::Error> refused(std::string detail, std::string next);
std::string reason(int number);  // of errno, in the system's words

// Which file a name leads to.
struct FileIdentity {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  auto operator<=>(FileIdentity const&) const = default;
};
FileIdentity identity_of(std::string const& path);  // all zero: there is no such file

// Remembers which files a store and its log are. SQLite goes on committing, without any error, into
// files that have been deleted or replaced, so this is asked before every commit; it costs two
// calls of stat.
class OpenFile {
 public:
  explicit OpenFile(std::string path);
  planner::Result<void> expect_same() const;

 private:
  std::string path_;
  FileIdentity file_, log_;
};

// The absolute path with symbolic links resolved, so that two names of one store meet at one lock.
// Refuses a missing folder, a folder in the file's place, and what cannot be read and written.
planner::Result<std::string> usable_path(std::string const& path);

// Makes an empty file that only its owner may read, and its name durable. False: it was there
// already.
planner::Result<bool> create_if_missing(std::string const& path);

// A new or changed name is only durable once its folder is.
planner::Result<void> sync_folder_of(std::string const& path);

// Nothing is overwritten.
planner::Result<void> expect_absent(std::string const& file);

bool is_missing_or_empty(std::string const& path);

// What the first 100 bytes say, without SQLite touching the file.
struct FileHeader {
  std::int64_t size = 0;
  bool is_sqlite = false;
  std::uint32_t application_id = 0;
  std::uint32_t user_version = 0;
};
planner::Result<FileHeader> read_header(std::string const& path);

// May the file be written right now? Errors name the reason.
planner::Result<void> expect_writable(std::string const& path);

// The process that holds the store at this path, as text ("" where its number is not known);
// nothing: nobody does.
std::optional<std::string> lock_holder(std::string const& path);

// One daemon per store: an operating system lock on "<path>.lock", gone when the process is gone.
class FileLock {
 public:
  // Refused with the process id of the holder.
  static planner::Result<std::unique_ptr<FileLock>> take(std::string const& path);
  ~FileLock();
  FileLock(FileLock const&) = delete;
  FileLock& operator=(FileLock const&) = delete;

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace runbookd::store
