#include "web/run_answer.h"

#include <algorithm>
#include <array>

#include "web/body.h"
#include "web/conditional.h"

namespace runbookd::web {

namespace {
constexpr std::array<std::string_view, 3> working_states = {"running", "pausing", "cancelling"};
}

Response snapshot(Document document, int status) {
  return {.status = status, .body = std::move(document.json), .headers = {etag(document.revision)}};
}

bool is_working(Document const& run, std::string_view key) {
  auto const state = top_level_text(run.json, key);
  return std::ranges::find(working_states, state) != working_states.end();
}

Response after_verb(Document document) {
  bool const working = is_working(document, "state");
  return snapshot(std::move(document), working ? 202 : 200);
}

Response created_run(Document document) {
  auto const run = top_level_text(document.json, "run");
  auto response = snapshot(std::move(document), 201);
  response.headers.push_back({"Location", "/api/v1/runs/" + run});
  return response;
}

}  // namespace runbookd::web
