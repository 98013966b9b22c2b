#include "planner/ways_back_json.h"

#include <nlohmann/json.hpp>

namespace runbookd::planner {
namespace {

using Json = nlohmann::json;

Error unreadable() {
  return {.code = ErrorCode::malformed,
          .detail = "the daemon's answer about ways back cannot be read",
          .next = "runbookctl status, to see whether daemon and runbookctl are of one version"};
}

std::string member(Json const& step, char const* name) {
  auto const found = step.find(name);
  return found != step.end() && found->is_string() ? found->get<std::string>() : "";
}

}  // namespace

void WaysBack::add(StepRef ref, DerivedWayBack const& derived) {
  if (derived.refused.empty()) {
    sql[ref] = recorded_text(derived);
  } else {
    auto const& first = derived.refused.front();
    refused[ref] = "`" + first.statement.sql.text + "`: " + first.why;
  }
}

std::string ways_back_json(Plan const& plan, WaysBack const& told) {
  auto steps = Json::array();
  for (auto const& [ref, sql] : told.sql) {
    steps.push_back({{"step", plan.label(ref)}, {"rollback", sql}});
  }
  for (auto const& [ref, why] : told.refused) {
    steps.push_back({{"step", plan.label(ref)}, {"refused", why}});
  }
  return Json{{"steps", std::move(steps)}}.dump();
}

Result<WaysBack> ways_back_from_json(Plan const& plan, std::string_view json) {
  auto const document = Json::parse(json, nullptr, false);
  if (!document.is_object() || !document.contains("steps") || !document["steps"].is_array()) {
    return tl::unexpected(unreadable());
  }
  WaysBack told;
  for (auto const& step : document["steps"]) {
    auto const ref = step.is_object() ? plan.find_step(member(step, "step")) : std::nullopt;
    if (!ref) {
      return tl::unexpected(unreadable());
    }
    if (auto sql = member(step, "rollback"); !sql.empty()) {
      told.sql[*ref] = std::move(sql);
    } else {
      told.refused[*ref] = member(step, "refused");
    }
  }
  return told;
}

}  // namespace runbookd::planner
