#include "store/file.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "planner/mutant.h"

namespace runbookd::store {

namespace fs = std::filesystem;
using planner::Error;
using planner::ErrorCode;
using planner::Result;

tl::unexpected<Error> refused(std::string detail, std::string next) {
  return tl::unexpected(Error{
      .code = ErrorCode::store_unavailable, .detail = std::move(detail), .next = std::move(next)});
}

std::string reason(int number) { return std::generic_category().message(number); }

Result<void> expect_absent(std::string const& file) {
  if (!fs::exists(file))
    return {};
  return refused("the file " + file + " is there already, and nothing is overwritten",
                 "choose another name");
}

namespace {

std::string folder_of(std::string const& path) { return fs::path(path).parent_path().string(); }

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0)
      ::close(number_);
  }
  Descriptor(Descriptor const&) = delete;
  Descriptor& operator=(Descriptor const&) = delete;
  int get() const { return number_; }
  bool is_open() const { return number_ >= 0; }
  int release() { return std::exchange(number_, -1); }

 private:
  int number_;
};

Descriptor open_file(std::string const& path, int flags, mode_t mode = 0) {
  return Descriptor(::open(path.c_str(), flags | O_CLOEXEC, mode));
}

FileIdentity identity(struct stat const& found) { return {found.st_dev, found.st_ino}; }

Result<void> expect_identity(std::string const& path, FileIdentity const& opened) {
  auto const found = identity_of(path);
  if (found == opened)
    return {};
  auto const what =
      found == FileIdentity{} ? " was deleted or moved away" : " was replaced by another file";
  return tl::unexpected(
      Error{.code = ErrorCode::store_broken,
            .detail = path + what + " while runbookd used it; nothing more is recorded",
            .next = "put the right file back, or: runbookd store restore BACKUP; then start "
                    "runbookd again"});
}

std::uint32_t big_endian(unsigned char const* bytes) {
  return static_cast<std::uint32_t>(bytes[0]) << 24U | static_cast<std::uint32_t>(bytes[1]) << 16U |
         static_cast<std::uint32_t>(bytes[2]) << 8U | bytes[3];
}

// The holder writes its number right after it got the lock, so it may be missing for a moment.
std::string holder(int descriptor) {
  std::array<char, 32> text{};
  auto const size = ::pread(descriptor, text.data(), text.size() - 1, 0);
  std::string const pid(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  return pid.substr(0, pid.find('\n'));
}

tl::unexpected<Error> held(std::string const& path, std::string const& pid) {
  if (pid.empty()) {
    return refused("the store " + path + " is in use by another runbookd",
                   "fuser -v '" + path + "'");
  }
  return refused("the store " + path + " is in use by another runbookd, process " + pid,
                 "ps -fp " + pid);
}

void write_pid(int descriptor) {
  auto const pid = std::to_string(::getpid()) + "\n";
  // only a convenience for the one who is refused; the lock holds without it
  if (::ftruncate(descriptor, 0) != 0)
    return;
  [[maybe_unused]] auto const written = ::pwrite(descriptor, pid.data(), pid.size(), 0);
}

}  // namespace

Result<void> sync_folder_of(std::string const& path) {
  auto const folder = folder_of(path);
  auto const opened = open_file(folder, O_RDONLY | O_DIRECTORY);
  if (opened.is_open() && ::fsync(opened.get()) == 0)
    return {};
  return refused("the folder " + folder + " cannot be synced: " + reason(errno),
                 "ls -ld '" + folder + "'");
}

FileIdentity identity_of(std::string const& path) {
  struct stat found{};
  return ::stat(path.c_str(), &found) == 0 ? identity(found) : FileIdentity{};
}

bool is_missing_or_empty(std::string const& path) {
  struct stat found{};
  return ::stat(path.c_str(), &found) != 0 ? errno == ENOENT : found.st_size == 0;
}

OpenFile::OpenFile(std::string path)
    : path_(std::move(path)), file_(identity_of(path_)), log_(identity_of(path_ + "-wal")) {}

Result<void> OpenFile::expect_same() const {
  if (planner::mutant(planner::Mutant::replaced_store_ignored))
    return {};
  if (auto same = expect_identity(path_, file_); !same)
    return same;
  return expect_identity(path_ + "-wal", log_);
}

Result<std::string> usable_path(std::string const& path) {
  if (path.empty())
    return refused("no path for the store is set", "runbookd --help");
  std::error_code failure;
  auto const whole = fs::weakly_canonical(fs::absolute(path), failure).string();
  if (failure)
    return refused("the store's path " + path + " cannot be followed: " + failure.message(), "");
  auto const folder = folder_of(whole);
  if (!fs::is_directory(folder, failure)) {
    return refused(
        "the store " + whole + " cannot be opened: the folder " + folder + " does not exist",
        "mkdir -p -m 0700 '" + folder + "'");
  }
  if (fs::is_directory(whole, failure)) {
    return refused("the store " + whole + " cannot be opened: it is a folder; a file is needed",
                   "set a file's name as the store's path, such as '" + whole + "/runbookd.db'");
  }
  if (fs::exists(whole, failure) && !fs::is_regular_file(whole, failure)) {
    return refused("the store " + whole + " cannot be opened: it is not an ordinary file",
                   "ls -l '" + whole + "'");
  }
  // SQLite puts its log beside the file, so the folder has to be writable as well
  if (auto folder_ok = expect_writable(folder); !folder_ok)
    return tl::unexpected(folder_ok.error());
  return whole;
}

Result<bool> create_if_missing(std::string const& path) {
  auto const created = open_file(path, O_RDWR | O_CREAT | O_EXCL, 0600);
  if (!created.is_open() && errno == EEXIST)
    return false;
  if (!created.is_open()) {
    return refused("the store " + path + " cannot be created: " + reason(errno),
                   "ls -ld '" + folder_of(path) + "'");
  }
  return sync_folder_of(path).map([] { return true; });
}

Result<FileHeader> read_header(std::string const& path) {
  std::array<unsigned char, 100> bytes{};
  auto const opened = open_file(path, O_RDONLY);
  struct stat found{};
  auto const ok = opened.is_open() && ::fstat(opened.get(), &found) == 0;
  auto const size = ok ? ::pread(opened.get(), bytes.data(), bytes.size(), 0) : -1;
  if (size < 0) {
    return refused("the store " + path + " cannot be read: " + reason(errno),
                   "ls -l '" + path + "'");
  }
  FileHeader header{.size = found.st_size};
  if (size < static_cast<ssize_t>(bytes.size()))
    return header;
  header.is_sqlite = std::memcmp(bytes.data(), "SQLite format 3", 16) == 0;
  header.user_version = big_endian(&bytes[60]);
  header.application_id = big_endian(&bytes[68]);
  return header;
}

Result<void> expect_writable(std::string const& path) {
  if (::access(path.c_str(), R_OK | W_OK) == 0)
    return {};
  return refused(path + " cannot be written: " + reason(errno), "ls -ld '" + path + "'");
}

std::optional<std::string> lock_holder(std::string const& path) {
  auto const opened = open_file(path + ".lock", O_RDONLY);
  if (!opened.is_open() || ::flock(opened.get(), LOCK_SH | LOCK_NB) == 0)
    return std::nullopt;
  return holder(opened.get());
}

Result<std::unique_ptr<FileLock>> FileLock::take(std::string const& path) {
  auto const name = path + ".lock";
  auto opened = open_file(name, O_RDWR | O_CREAT, 0600);
  if (!opened.is_open()) {
    return refused("the lock file " + name + " cannot be opened: " + reason(errno),
                   "ls -l '" + name + "'");
  }
  bool const alone = ::flock(opened.get(), LOCK_EX | LOCK_NB) == 0;
  if (!alone && !planner::mutant(planner::Mutant::second_daemon_let_in)) {
    if (errno == EWOULDBLOCK)
      return held(path, holder(opened.get()));
    return refused("the lock file " + name + " cannot be locked: " + reason(errno),
                   "df -T '" + folder_of(path) + "'");
  }
  struct stat mine{};
  // somebody removed the file between our two calls: the next one could lock a new file beside us
  if (::fstat(opened.get(), &mine) != 0 || identity(mine) != identity_of(name))
    return held(path, "");
  write_pid(opened.get());
  return std::unique_ptr<FileLock>(new FileLock(opened.release()));
}

// The file stays: removing it would open the door for two holders. Closing gives the lock back.
FileLock::~FileLock() { ::close(descriptor_); }

}  // namespace runbookd::store
