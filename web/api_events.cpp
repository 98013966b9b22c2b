#include <optional>

#include "web/accept.h"
#include "web/api.h"
#include "web/conditional.h"
#include "web/problem.h"

namespace runbookd::web {

using planner::Error;
using planner::ErrorCode;
using planner::EventSeq;
using planner::Result;

namespace {

// A browser that reconnects repeats the old ?after= and adds the newer Last-Event-ID.
Result<EventSeq> read_after(Request const& request) {
  if (request.count("last-event-id") > 0) {
    return read_seq(request.header("last-event-id").value_or(""), "Last-Event-ID");
  }
  auto const after = query_text(request, "after");
  return after.empty() ? EventSeq{0} : read_seq(after, "after");
}

std::string page_json(EventPage const& page, EventSeq after) {
  std::string json = R"({"events":[)";
  for (auto const& event : page.events) {
    json += (json.back() == '[' ? "" : ",") + event.json;
    after = event.seq;
  }
  json += R"(],"more":)" + std::string(page.more ? "true" : "false");
  return json + R"(,"next_after":)" + std::to_string(after) + "}";
}

Response event_page(Request const& request, RunService& service, EventSeq after) {
  auto const limit = read_limit(request);
  if (!limit) {
    return problem(limit.error());
  }
  auto const page = service.events_after({request.part("run")}, after, *limit);
  if (!page) {
    return problem(page.error());
  }
  Response response{.body = page_json(*page, after)};
  if (page->more) {
    auto const last = std::to_string(page->events.back().seq);
    response.headers.push_back(link_to_next(request, "after", last));
  }
  return response;
}

// Asks for one event, so that a run that is not there is said with a status and not within a
// stream.
Response event_stream(Request const& request, RunService& service, EventSeq after) {
  RunId const run{request.part("run")};
  if (auto const probe = service.events_after(run, after, 1); !probe) {
    return problem(probe.error());
  }
  return {.content_type = "text/event-stream",
          .headers = {{"X-Accel-Buffering", "no"}},
          .follow = Follow{.run = run, .after = after}};
}

}  // namespace

Response show_events(Request const& request, RunService& service) {
  if (auto known = check_query(request, {"after", "limit"}); !known) {
    return problem(known.error());
  }
  auto const after = read_after(request);
  if (!after) {
    return problem(after.error());
  }
  switch (wanted_form(request)) {
    case Form::json:
      return event_page(request, service, *after);
    case Form::event_stream:
      return event_stream(request, service, *after);
    case Form::none:
      break;
  }
  return problem({.code = ErrorCode::not_acceptable,
                  .detail = "events come as application/json pages or as text/event-stream",
                  .next = "send Accept: text/event-stream, or no Accept header"});
}

}  // namespace runbookd::web
