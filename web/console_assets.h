// The web console's files as the build put them into this program: compressed, under a name that
// changes with their content. Made by web/console/CMakeLists.txt.
#pragma once

#include <span>
#include <string_view>

namespace runbookd::web {

struct ConsoleAsset {
  std::string_view name;  // "main.js"
  std::string_view content_type;
  std::string_view gzipped;
};

// Both are empty in a program that was built without the console.
std::span<ConsoleAsset const> console_assets();
std::string_view console_version();

}  // namespace runbookd::web
