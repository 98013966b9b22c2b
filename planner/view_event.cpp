// One event as the stream tells it: its recorded fields, names instead of numbers, and a sentence.
#include <utility>

#include <nlohmann/json.hpp>

#include "planner/event_json.h"
#include "planner/sql.h"
#include "planner/view_event_words.h"
#include "planner/view_parts.h"
#include "planner/view_standing.h"
#include "planner/view_words.h"

namespace runbookd::planner {
namespace {

using view::Json;

// Indices that the plan does not have stay out: a name is a text or is not there.
void put_names(Plan const& plan, Json& fields) {
  int const phase = fields.value("phase", -1);
  int const step = fields.value("step", -1);
  fields.erase("phase");
  fields.erase("step");
  if (phase < 0 || phase >= std::ssize(plan.phases)) {
    return;
  }
  fields["phase"] = plan.phases[phase].name;
  if (step >= 0 && step < std::ssize(plan.phases[phase].steps)) {
    fields["step"] = plan.phases[phase].steps[step].name;
  }
}

void name_condition(Json& fields) {
  if (fields.contains("failure")) {
    auto& failure = fields["failure"];
    failure["condition"] = condition_of(failure.value("sqlstate", ""));
  }
}

void shorten_queries(Json& fields) {
  if (!fields.contains("blockers")) {
    return;
  }
  for (auto& blocker : fields["blockers"]) {
    blocker["query"] = view::clipped(blocker.value("query", ""), view::longest_query);
  }
}

// As everywhere else: the place is part of the finding, and who applies edits has the plan's text.
void flatten_findings(Json& fields) {
  if (!fields.contains("findings")) {
    return;
  }
  for (auto& finding : fields["findings"]) {
    auto const place = std::exchange(finding["place"], Json());
    finding.update(place);
    finding.erase("place");
    finding.erase("edits");
  }
}

std::string progress_message(std::string const& step, Live const& live, Moment now) {
  auto const who = "step " + step;
  if (view::waits_for_lock(live)) {
    return view::lock_words(who, live);
  }
  if (live.progress) {
    return view::fill_words(who, live, now);
  }
  if (live.work) {
    return who + ": " + to_text(*live.work);
  }
  return who + ": " + (live.activity.empty() ? "at work" : live.activity);
}

}  // namespace

std::string event_json(Plan const& plan, RunId const& run, EventSeq seq, Event const& event) {
  auto document = Json::parse(body_to_json(event.body));
  put_names(plan, document);
  if (document.contains("lost")) {
    for (auto& step : document["lost"]) {
      put_names(plan, step);
    }
  }
  if (document.contains("checks")) {
    for (auto& check : document["checks"]) {
      put_names(plan, check);
    }
  }
  for (auto const* key : {"way_back", "way_back_of"}) {
    if (document.contains(key) && !document[key].is_null()) {
      put_names(plan, document[key]);
    }
  }
  name_condition(document);
  shorten_queries(document);
  flatten_findings(document);
  document["seq"] = seq;
  document["time"] = to_rfc3339(event.at);
  document["run"] = run.text;
  document["kind"] = kind_of(event.body);
  document["actor"] = event.actor;
  document["reason"] = event.reason;
  document["message"] = view::event_words(plan, event.body);
  return view::dumped(document);
}

std::string progress_json(RunId const& run, std::string const& step, Live const& live, Moment now) {
  auto const slash = step.find('/');
  auto document = view::live_json(live, now);
  document["run"] = run.text;
  document["kind"] = "step.progress";
  document["phase"] = slash == std::string::npos ? "" : step.substr(0, slash);
  document["step"] = slash == std::string::npos ? step : step.substr(slash + 1);
  document["message"] = progress_message(step, live, now);
  return view::dumped(document);
}

}  // namespace runbookd::planner
