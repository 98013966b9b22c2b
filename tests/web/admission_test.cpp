#include "web/admission.h"

#include <doctest/doctest.h>

using namespace runbookd::web;
using runbookd::planner::ErrorCode;

namespace {

Request head(std::string method, Headers headers) {
  return {.method = std::move(method), .headers = std::move(headers)};
}

std::optional<ErrorCode> refused(Request const& request, Admission const& admission = {}) {
  auto const error = refusal(request, admission);
  return error ? std::optional(error->code) : std::nullopt;
}

}  // namespace

TEST_CASE("a request with a loopback Host is admitted") {
  CHECK_FALSE(refused(head("GET", {{"host", "localhost:8090"}})));
}

TEST_CASE("a request without a Host is refused") {
  CHECK(refused(head("GET", {})) == ErrorCode::host_not_allowed);
}

TEST_CASE("a request with two Hosts is refused") {
  CHECK(refused(head("GET", {{"host", "localhost"}, {"host", "localhost"}})) ==
        ErrorCode::host_not_allowed);
}

TEST_CASE("a Host of another site is refused") {
  CHECK(refused(head("GET", {{"host", "evil.example"}})) == ErrorCode::host_not_allowed);
}

TEST_CASE("on a Unix socket any one Host will do") {
  CHECK_FALSE(refused(head("GET", {{"host", "whatever"}}), {.unix_socket = true}));
}

TEST_CASE("a command from a page of another site is refused") {
  for (auto const* origin : {"http://evil.example", "null", "http://localhost:1"}) {
    CAPTURE(origin);
    CHECK(refused(head("POST", {{"host", "localhost:8090"}, {"origin", origin}})) ==
          ErrorCode::host_not_allowed);
  }
}

TEST_CASE("two Origins are no origin") {
  CHECK(refused(head("POST", {{"host", "localhost"},
                              {"origin", "http://localhost"},
                              {"origin", "http://localhost"}})) == ErrorCode::host_not_allowed);
}

TEST_CASE("a command from our own page is admitted") {
  CHECK_FALSE(
      refused(head("POST", {{"host", "localhost:8090"}, {"origin", "http://localhost:8090"}})));
}

TEST_CASE("a read from a page of another site is admitted, as no browser shows it the answer") {
  CHECK_FALSE(refused(head("GET", {{"host", "localhost"}, {"origin", "http://evil.example"}})));
}

TEST_CASE("bodies in a transfer or content encoding are refused") {
  CHECK(refused(head("POST", {{"host", "localhost"}, {"transfer-encoding", "chunked"}})) ==
        ErrorCode::malformed);
  CHECK(refused(head("GET", {{"host", "localhost"}, {"transfer-encoding", "identity"}})) ==
        ErrorCode::malformed);
  CHECK(refused(head("POST", {{"host", "localhost"}, {"content-encoding", "gzip"}})) ==
        ErrorCode::unsupported_type);
}

TEST_CASE("the one expectation that is met is 100-continue") {
  CHECK_FALSE(refused(head("POST", {{"host", "localhost"}, {"expect", "100-Continue"}})));
  CHECK(refused(head("POST", {{"host", "localhost"}, {"expect", "tea"}})) == ErrorCode::malformed);
}
