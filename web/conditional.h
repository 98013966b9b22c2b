// Headers and query parameters that many routes read alike.
#pragma once

#include <chrono>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "planner/error.h"
#include "planner/ids.h"
#include "web/http.h"

namespace runbookd::web {

// `"17"` -> 17; absent is no condition. "*" and weak tags say nothing about a revision and are
// refused.
planner::Result<std::optional<planner::EventSeq>> read_if_match(Request const& request);
Header etag(planner::EventSeq revision);

// What is the same for as long as the daemon runs; 304 for whoever has it already.
Response unchanging(Request const& request, std::string content_type, std::string_view body);

// Who sends it: who the caller was found to be. Where nobody is asked for a proof: the
// Runbook-Actor header, "local" without one.
planner::Result<std::string> read_actor(Request const& request);
planner::Result<std::string> declared_actor(Request const& head);

// Refuses parameters that are not in `names`, and the same one twice: a mistyped filter must not
// list all.
planner::Result<void> check_query(Request const& request,
                                  std::initializer_list<std::string_view> names);
// "true" or "false"; absent is false.
planner::Result<bool> read_flag(Request const& request, std::string_view name);
// "wait=20" of Prefer, or the query's wait: how long the answer may wait. Nothing: not at all.
planner::Result<std::optional<std::chrono::seconds>> read_patience(std::string_view text);
std::string preferred_wait(Request const& request);
// Empty where it is absent.
std::string query_text(Request const& request, std::string_view name);
// From 1; more than the largest page is lowered to it.
planner::Result<int> read_limit(Request const& request);
// A page of a list that may say next_cursor: then with a Link to the next one.
Response with_next_page(Request const& request, std::string document);
// The same address with another value of one parameter.
Header link_to_next(Request const& request, std::string_view parameter, std::string_view value);
planner::Result<planner::EventSeq> read_seq(std::string_view text, std::string_view what);

// Pages of other sites can send form and text bodies without asking the browser first, but not
// JSON.
planner::Result<void> check_json_type(Request const& request);

// The media type without parameters, in lower case; empty without a Content-Type.
std::string media_type(Request const& request);

}  // namespace runbookd::web
