#include "planner/run_mode.h"

#include <algorithm>

namespace runbookd::planner {

std::vector<RunMode> all_modes() {
  std::vector<RunMode> modes;
  for (int mode = 0; mode <= static_cast<int>(RunMode::cancelled); ++mode) {
    modes.push_back(static_cast<RunMode>(mode));
  }
  return modes;
}

std::optional<RunMode> mode_named(std::string_view name) {
  auto const modes = all_modes();
  auto const found = std::ranges::find(modes, name, [](RunMode mode) { return to_text(mode); });
  return found == modes.end() ? std::nullopt : std::optional{*found};
}

std::string standing_words(std::vector<RunMode> const& runs) {
  auto const working = std::ranges::count(runs, Turn::machine, turn_of);
  auto const waiting = std::ranges::count(runs, Turn::human, turn_of);
  auto text = std::to_string(working) + (working == 1 ? " run" : " runs") + " at work";
  if (waiting > 0) {
    text += ", " + std::to_string(waiting) + (waiting == 1 ? " waits" : " wait") + " for a person";
  }
  return text;
}

Turn turn_of(RunMode mode) {
  switch (mode) {
    case RunMode::running:
    case RunMode::pausing:
    case RunMode::cancelling:
      return Turn::machine;
    case RunMode::waiting:
    case RunMode::paused:
    case RunMode::failed:
    case RunMode::attention:
      return Turn::human;
    case RunMode::pending:
    case RunMode::succeeded:
    case RunMode::rolled_back:
    case RunMode::cancelled:
      return Turn::nobody;
  }
  __builtin_unreachable();
}

}  // namespace runbookd::planner
