#include "web/body_parts.h"

#include <utility>

#include "web/body_guard.h"

namespace runbookd::web {

using nlohmann::json;
using planner::Error;
using planner::ErrorCode;
using planner::Findings;
using planner::Result;

Error body_error(Findings findings) {
  auto const& first = findings.front();
  auto detail = "the request body" +
                (first.place.file.empty() ? std::string() : " at " + first.place.file) + ": " +
                first.message;
  if (findings.size() > 1) {
    detail += " (and " + std::to_string(findings.size() - 1) + " more)";
  }
  return {
      .code = ErrorCode::malformed, .detail = std::move(detail), .findings = std::move(findings)};
}

Result<Body> parsed(std::string_view text) {
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    return Body{};
  }
  if (auto found = json_objection(text)) {
    return tl::unexpected(body_error({std::move(*found)}));
  }
  return Body{.value = json::parse(text)};
}

}  // namespace runbookd::web
