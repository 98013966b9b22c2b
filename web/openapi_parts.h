// The files of web/openapi/, made part of the program by the build.
#pragma once

#include <span>
#include <string_view>

namespace runbookd::web {

struct OpenApiPart {
  std::string_view name, text;
};
std::span<OpenApiPart const> openapi_parts();

}  // namespace runbookd::web
