#include "web/admission.h"

#include <algorithm>

#include "web/address.h"

namespace runbookd::web {

using planner::Error;
using planner::ErrorCode;

namespace {

std::optional<Error> host_refusal(Request const& head, Admission const& admission) {
  auto const host = head.header("host");
  if (!host) {
    return Error{.code = ErrorCode::host_not_allowed,
                 .detail = "the request has " + std::to_string(head.count("host")) +
                           " Host headers; it must have exactly one"};
  }
  if (admission.unix_socket || is_known_host(*host, admission.allowed_hosts)) {
    return std::nullopt;
  }
  return Error{.code = ErrorCode::host_not_allowed,
               .detail =
                   "the Host header names neither this machine's loopback nor an allowed "
                   "host; a web page of another site may have sent this request",
               .next =
                   "call http://127.0.0.1:<port>, or add the name to the allowed hosts in the "
                   "daemon's settings"};
}

std::optional<Error> origin_refusal(Request const& head) {
  if (head.count("origin") == 0 || head.method == "GET" || head.method == "HEAD") {
    return std::nullopt;
  }
  auto const origin = head.header("origin");
  auto const host = head.header("host");
  if (origin && host && is_same_origin(*origin, *host)) {
    return std::nullopt;
  }
  return Error{.code = ErrorCode::host_not_allowed,
               .detail =
                   "the Origin header names another site than the Host header; only pages "
                   "that this daemon serves may send commands to it"};
}

std::optional<Error> framing_refusal(Request const& head) {
  if (head.count("transfer-encoding") > 0) {
    return Error{.code = ErrorCode::malformed,
                 .detail = "request bodies with Transfer-Encoding are not read",
                 .next = "send the body with a Content-Length"};
  }
  if (head.count("content-encoding") > 0) {
    return Error{.code = ErrorCode::unsupported_type,
                 .detail = "request bodies with Content-Encoding are not read",
                 .next = "send the body uncompressed"};
  }
  if (head.count("expect") > 0 && !expects_continue(head)) {
    return Error{.code = ErrorCode::malformed,
                 .detail = "the only expectation this daemon can meet is 100-continue"};
  }
  return std::nullopt;
}

}  // namespace

bool expects_continue(Request const& head) {
  auto const expect = head.header("expect");
  constexpr std::string_view known = "100-continue";
  return expect &&
         std::equal(expect->begin(), expect->end(), known.begin(), known.end(),
                    [](char a, char b) { return (a | ('a' ^ 'A')) == (b | ('a' ^ 'A')); });
}

std::optional<Error> refusal(Request const& head, Admission const& admission) {
  if (auto error = host_refusal(head, admission)) {
    return error;
  }
  if (auto error = origin_refusal(head)) {
    return error;
  }
  return framing_refusal(head);
}

}  // namespace runbookd::web
