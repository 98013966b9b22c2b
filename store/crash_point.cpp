#include "store/crash_point.h"

#ifdef RUNBOOKD_TEST_HOOKS

#include <algorithm>
#include <atomic>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <string>

#include <fcntl.h>
#include <unistd.h>

namespace runbookd::store {
namespace {

struct Wanted {
  CrashPoint point{};
  int visit = 1;
};

[[noreturn]] void unknown_point(std::string_view asked) {
  std::cerr << "RUNBOOKD_CRASH=" << asked << ": want NAME or NAME:VISIT with a name of "
            << "store/crash_point.h\n";
  std::abort();  // a test that asks for a place that is not there must not pass
}

std::optional<Wanted> wanted_by(char const* asked) {
  if (asked == nullptr) {
    return std::nullopt;
  }
  std::string_view const text = asked;
  auto const colon = std::min(text.find(':'), text.size());
  auto const found = std::ranges::find(crash_points, text.substr(0, colon), &CrashPointText::name);
  Wanted wanted{.point = static_cast<CrashPoint>(found - crash_points.begin())};
  auto const visit = text.substr(std::min(colon + 1, text.size()));
  auto const read = std::from_chars(visit.data(), visit.data() + visit.size(), wanted.visit);
  bool const numbered = visit.empty() || (read.ec == std::errc() && wanted.visit > 0);
  if (found == crash_points.end() || !numbered) {
    unknown_point(text);
  }
  return wanted;
}

int trace_file() {
  char const* path = std::getenv("RUNBOOKD_CRASH_TRACE");
  return path == nullptr ? -1 : ::open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

// One write per visit, so that a process that is killed has told of all its visits but the last.
void trace(CrashPoint point) {
  static int const file = trace_file();
  if (file < 0) {
    return;
  }
  auto const line = std::string(crash_points[static_cast<std::size_t>(point)].name) + "\n";
  [[maybe_unused]] auto const written = ::write(file, line.data(), line.size());
}

}  // namespace

bool crash_is_due(CrashPoint point) {
  static auto const wanted = wanted_by(std::getenv("RUNBOOKD_CRASH"));
  static std::atomic<int> visits{0};
  trace(point);
  return wanted && wanted->point == point && ++visits == wanted->visit;
}

void crash() {
  (void)std::raise(SIGKILL);
  std::abort();
}

void crash_point(CrashPoint point) {
  if (crash_is_due(point)) {
    crash();
  }
}

}  // namespace runbookd::store

#endif
