// Bodies of remarks and of the hold.
#include <utility>

#include <nlohmann/json.hpp>

#include "planner/time.h"
#include "web/body.h"
#include "web/body_object.h"
#include "web/body_parts.h"

namespace runbookd::web {

using planner::Result;

namespace {

std::optional<planner::Duration> read_how_long(BodyObject& object) {
  auto const text = object.text("for", longest_name);
  if (text.empty()) {
    return std::nullopt;
  }
  auto const lasts = planner::parse_duration(text);
  if (!lasts || *lasts <= planner::Duration{} || *lasts > std::chrono::days{365}) {
    object.complain("for", "body/value",
                    "this must be a duration with its unit, such as \"30m\" or \"1h\"");
  }
  return lasts;
}

}  // namespace

Result<std::string> read_note(std::string_view bytes) {
  auto body = parsed(bytes);
  if (!body) {
    return tl::unexpected(body.error());
  }
  auto text = body->object({"text"}).needed("text", longest_text);
  if (!body->problems.empty()) {
    return tl::unexpected(body_error(std::move(body->problems)));
  }
  return text;
}

Result<HoldRequest> read_hold_request(std::string_view bytes) {
  auto body = parsed(bytes);
  if (!body) {
    return tl::unexpected(body.error());
  }
  auto object = body->object({"reason", "for"});
  HoldRequest wanted{.reason = object.needed("reason", longest_text),
                     .lasts = read_how_long(object)};
  if (!body->problems.empty()) {
    return tl::unexpected(body_error(std::move(body->problems)));
  }
  return wanted;
}

}  // namespace runbookd::web
