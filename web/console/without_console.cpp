#include "web/console_assets.h"

namespace runbookd::web {

std::span<ConsoleAsset const> console_assets() { return {}; }
std::string_view console_version() { return {}; }

}  // namespace runbookd::web
