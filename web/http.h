// One HTTP request and its answer as plain values: what handlers and their tests see. No socket, no
// parser.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "planner/ids.h"
#include "web/gatekeeper.h"

namespace runbookd::web {

struct Header {
  std::string name;  // in requests: lower case
  std::string value;
};
using Headers = std::vector<Header>;

struct Parameter {
  std::string name, value;
};
using Parameters = std::vector<Parameter>;

struct Request {
  std::string method;                 // "GET", "POST", …; HEAD stays HEAD
  std::string target;                 // as it came: "/api/v1/runs?limit=5"
  std::vector<std::string> segments;  // of the path, decoded
  Parameters query;                   // decoded, in order
  Parameters path;                    // filled by the router: {run} -> "run_…"
  Headers headers;
  std::string body;
  Peer peer;
  Caller caller;

  // The header's value, if it is there exactly once.
  std::optional<std::string_view> header(std::string_view lower_case_name) const;
  int count(std::string_view lower_case_name) const;
  // A part of the path that the route's pattern names.
  std::string const& part(std::string_view name) const;
};

// The answer goes on as an event stream of this run.
struct Follow {
  planner::RunId run;
  planner::EventSeq after = 0;
  bool with_queries = false;  // of other sessions
};

// An answer that is made while it is sent: each call gives the next part, an empty one is the end.
using Parts = std::function<planner::Result<std::string>()>;

struct Wait;

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  Headers headers;
  std::optional<Follow> follow;
  std::string_view route = {};  // the pattern that the router found; empty: none fits
  // The answer is not known yet: this is called once, and calls back with it on the I/O thread.
  // What stands above then counts for nothing.
  std::function<void(std::function<void(Response)>)> later = nullptr;
  Parts parts = nullptr;  // instead of a body
  // The answer waits for a run. What stands above then counts for nothing.
  std::shared_ptr<Wait> wait = nullptr;
};

// Asked whenever the run has grown, until there is an answer; once more when the time is over, and
// then there is one.
struct Wait {
  planner::RunId run;
  std::chrono::seconds at_most{0};
  std::function<std::optional<Response>(bool time_is_over)> ask;
};

}  // namespace runbookd::web
