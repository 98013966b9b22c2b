#pragma once

#include <string_view>

namespace runbookd::ctl {

inline constexpr std::string_view version = RUNBOOKD_VERSION;

}  // namespace runbookd::ctl
