#include "daemon/local_user.h"

#include <array>
#include <filesystem>

#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

namespace runbookd::daemon {
namespace {

constexpr std::size_t room = 16'384;
constexpr int most_groups = 1'024;

std::string group_name(gid_t id) {
  std::array<char, room> text{};
  group entry{};
  group* found = nullptr;
  getgrgid_r(id, &entry, text.data(), text.size(), &found);
  return found == nullptr ? std::to_string(id) : std::string(found->gr_name);
}

}  // namespace

LocalUser local_user(uid_t user, gid_t group) {
  std::array<char, room> text{};
  passwd entry{};
  passwd* found = nullptr;
  getpwuid_r(user, &entry, text.data(), text.size(), &found);
  LocalUser told{.name = found == nullptr ? std::to_string(user) : std::string(found->pw_name)};
  std::vector<gid_t> groups(most_groups);
  int count = most_groups;
  if (found == nullptr || getgrouplist(found->pw_name, group, groups.data(), &count) < 0) {
    groups = {group};
    count = 1;
  }
  for (int i = 0; i < count; ++i) {
    told.groups.push_back(group_name(groups[static_cast<std::size_t>(i)]));
  }
  return told;
}

planner::Result<void> expect_own_folder(std::string const& file, std::string const& command) {
  auto const parent = std::filesystem::absolute(file).parent_path().string();
  struct stat seen{};
  if (stat(parent.c_str(), &seen) != 0 || seen.st_uid == geteuid()) {
    return {};  // what is wrong with it is told by whoever opens the store
  }
  auto const owner = local_user(seen.st_uid, seen.st_gid).name;
  return tl::unexpected(
      planner::Error{.code = planner::ErrorCode::store_unavailable,
                     .detail = "the store's folder " + parent + " belongs to " + owner +
                               ", whose daemon could not open what somebody else makes in it",
                     .next = "sudo -u " + owner + " runbookd " + command});
}

}  // namespace runbookd::daemon
