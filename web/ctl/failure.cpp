#include "web/ctl/failure.h"

#include <algorithm>
#include <array>
#include <utility>

#include <nlohmann/json.hpp>

#include "web/ctl/json.h"
#include "web/ctl/text.h"

namespace runbookd::ctl {

namespace {

// Codes that say more than their status does.
constexpr std::array<std::pair<std::string_view, Exit>, 10> by_code{{
    {"plan-invalid", Exit::invalid},
    {"unacknowledged-findings", Exit::invalid},
    {"malformed", Exit::invalid},
    {"too-large", Exit::invalid},
    {"unsupported-type", Exit::invalid},
    {"reason-required", Exit::usage},
    {"confirm-mismatch", Exit::usage},
    {"target-unreachable", Exit::unreachable},
    {"target-refused", Exit::unreachable},
    {"draining", Exit::unreachable},
}};

Exit exit_for_status(int status) {
  switch (status) {
    case 401:
    case 403:
      return Exit::not_allowed;
    case 404:
    case 410:
      return Exit::not_found;
    case 409:
    case 412:
    case 428:
      return Exit::conflict;
    case 400:
    case 413:
    case 415:
    case 422:
      return Exit::invalid;
    case 502:
    case 503:
    case 504:
      return Exit::unreachable;
    default:
      return Exit::unexpected;
  }
}

Exit exit_for_problem(int status, std::string_view code) {
  for (auto const& [slug, exit] : by_code) {
    if (slug == code) {
      return exit;
    }
  }
  return exit_for_status(status);
}

std::string reason_of(Json const& problem, int status) {
  auto const detail = text_of(problem, "detail");
  if (!detail.empty()) {
    return detail;
  }
  auto const title = text_of(problem, "title");
  return title.empty() ? "the daemon answered with HTTP status " + std::to_string(status) : title;
}

std::string place_of(Json const& finding) {
  auto place = text_of(finding, "file");
  // a stored plan is nobody's file: its lines say nothing, the step does
  if (place.starts_with("sha256:") && has_text(finding, "step")) {
    return text_of(finding, "step");
  }
  for (auto const* key : {"line", "column"}) {
    if (number_of(finding, key) > 0) {
      place += (place.empty() ? "" : ":") + text_of(finding, key);
    }
  }
  return place.empty() ? text_of(finding, "pointer") : place;
}

void print_finding(std::ostream& err, Json const& finding) {
  auto const place = place_of(finding);
  auto const severity = text_of(finding, "severity");
  auto const rule = text_of(finding, "rule");
  auto const message = text_of(finding, has_text(finding, "message") ? "message" : "detail");
  err << "  " << clean(place) << (place.empty() ? "" : ": ") << clean(severity)
      << (severity.empty() ? "" : ": ") << clean(message)
      << (rule.empty() ? "" : " [" + clean(rule) + "]") << '\n';
  if (auto const fix = clean(text_of(finding, "fix")); !fix.empty()) {
    err << "      " << fix << '\n';
  }
}

void print_details(std::ostream& err, Json const& problem) {
  for (auto const& finding : child(problem, "errors")) {
    print_finding(err, finding);
  }
  std::vector<std::string> verbs;
  for (auto const& verb : child(problem, "allowed_actions")) {
    verbs.push_back(verb.is_string() ? clean(verb.get<std::string>()) : "");
  }
  if (!verbs.empty()) {
    err << "allowed now: " << joined(verbs, ", ") << '\n';
  }
}

// The daemon says "confirm expand/deploy" where it does not know who asks: the program and the run
// are added.
std::string whole_command(std::string const& next, std::string const& what) {
  constexpr std::array verbs{"start",  "advance",  "approve", "reject", "evaluate", "confirm",
                             "pause",  "resume",   "retry",   "skip",   "resolve",  "rollback",
                             "cancel", "throttle", "watch",   "status"};
  auto const words = split(what, ' ');
  auto const verb = next.substr(0, next.find(' '));
  auto const is_verb = std::find(verbs.begin(), verbs.end(), verb) != verbs.end();
  if (!is_verb || words.empty() || !words.back().starts_with("run_")) {
    return next;
  }
  return "runbookctl " + verb + ' ' + words.back() + next.substr(verb.size());
}

Json document_of(Failure const& failure) {
  if (auto problem = parse_json(failure.problem); problem.is_object()) {
    return problem;
  }
  Json document = {{"title", failure.what},
                   {"detail", failure.why},
                   {"exit_code", static_cast<int>(failure.exit)}};
  if (!failure.next.empty()) {
    document["next"] = failure.next;
  }
  return document;
}

}  // namespace

Failure failure_from_answer(int status, std::string const& body, std::string const& what) {
  auto const problem = parse_json(body);
  return {.exit = exit_for_problem(status, text_of(problem, "code")),
          .what = what,
          .why = reason_of(problem, status),
          .next = whole_command(text_of(problem, "next"), what),
          .problem = problem.is_object() ? body : ""};
}

void print_failure(std::ostream& err, Failure const& failure, bool as_json) {
  if (as_json) {
    err << to_line(document_of(failure)) << '\n';
    return;
  }
  err << "runbookctl: " << clean(failure.what) << ": " << clean(failure.why) << '\n';
  print_details(err, parse_json(failure.problem));
  if (!failure.next.empty()) {
    err << "try: " << clean(failure.next) << '\n';
  }
}

Exit exit_for_state(std::string_view state) {
  if (state == "succeeded") {
    return Exit::done;
  }
  if (state == "failed") {
    return Exit::failed;
  }
  return state == "cancelled" || state == "rolled_back" ? Exit::reversed : Exit::needs_person;
}

}  // namespace runbookd::ctl
