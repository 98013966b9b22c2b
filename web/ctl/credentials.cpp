#include "web/ctl/credentials.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "web/ctl/text.h"

namespace runbookd::ctl {

namespace {

namespace fs = std::filesystem;

constexpr mode_t nobody_else = S_IRUSR | S_IWUSR;
constexpr mode_t others = S_IRWXG | S_IRWXO;

tl::unexpected<Failure> trouble(std::string const& path, std::string why, std::string next = "") {
  return fail(Exit::not_allowed, "the token in " + path, std::move(why), std::move(next));
}

bool write_whole(int descriptor, std::string const& text) {
  return ::write(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
         ::fsync(descriptor) == 0;
}

}  // namespace

std::string login_file(std::string const& config_home, Address const& address) {
  return config_home + "/runbookctl/" + percent_encode(to_text(address)) + ".token";
}

bool is_there(std::string const& path) {
  struct stat facts{};
  return ::stat(path.c_str(), &facts) == 0;
}

Maybe<std::string> token_in(std::string const& path) {
  if (path.starts_with("rbd_")) {  // what is told could be read by others
    return fail(Exit::usage, "--token-file",
                "this names a file, and what was given is a token itself",
                "runbookctl login; and revoke that token: it stood in the list of processes");
  }
  struct stat facts{};
  if (::stat(path.c_str(), &facts) != 0) {
    return trouble(path, std::strerror(errno), "runbookctl login");
  }
  if (S_ISREG(facts.st_mode) && (facts.st_mode & others) != 0) {
    return trouble(path, "others may read the file too, so it is not used",
                   "chmod 600 " + shell_quote(path));
  }
  std::ifstream file(path, std::ios::binary);
  auto token = planner::trimmed(std::string(std::istreambuf_iterator<char>(file), {}));
  if (token.empty() || token.find_first_of("\r\n ") != std::string::npos) {
    return trouble(path, "the file does not hold one token and nothing else", "runbookctl login");
  }
  return token;
}

Maybe<bool> keep_token(std::string const& path, std::string const& token) {
  std::error_code failure;
  auto const folder = fs::path(path).parent_path();
  fs::create_directories(folder, failure);
  ::chmod(folder.c_str(), S_IRWXU);
  auto const fresh = path + ".new";
  ::unlink(fresh.c_str());
  int const descriptor =
      ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, nobody_else);
  bool const written = descriptor >= 0 && write_whole(descriptor, token + '\n');
  auto const why = errno;
  if (descriptor >= 0) {
    ::close(descriptor);
  }
  if (!written || ::rename(fresh.c_str(), path.c_str()) != 0) {
    return trouble(path, std::string("it cannot be kept: ") + std::strerror(why));
  }
  return true;
}

Maybe<bool> forget_token(std::string const& path) {
  if (::unlink(path.c_str()) == 0) {
    return true;
  }
  return errno == ENOENT ? Maybe<bool>(false) : trouble(path, std::strerror(errno));
}

}  // namespace runbookd::ctl
