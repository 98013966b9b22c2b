#include "daemon/onlooker.h"

#include <utility>

namespace runbookd::daemon {

namespace {

constexpr auto looks_every = std::chrono::seconds{1};

}  // namespace

std::optional<Onlooker::Seen> Onlooker::look(Session& eyes, int pid) {
  auto const now = std::chrono::steady_clock::now();
  if (looked_ && now - *looked_ < looks_every) {
    return std::nullopt;
  }
  looked_ = now;
  Seen seen{.behind = look_behind(eyes, pid).value_or(std::nullopt),
            .work = look_at_work(eyes, pid).value_or(std::nullopt)};
  saw(seen.behind);
  if (seen == told_) {
    return std::nullopt;
  }
  told_ = seen;
  return seen;
}

void Onlooker::saw(std::optional<planner::Behind> const& behind) {
  auto const weight = [](planner::Behind const& one) {
    return std::pair(one.longest, one.sessions);
  };
  if (behind && (!most_behind_ || weight(*behind) > weight(*most_behind_))) {
    most_behind_ = behind;
  }
}

}  // namespace runbookd::daemon
