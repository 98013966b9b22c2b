#include "web/target.h"

#include <doctest/doctest.h>

using namespace runbookd;
using web::is_plain_text;
using web::read_target;

TEST_CASE("a path is taken apart into decoded segments") {
  auto const request = read_target("GET", "/api/v1/runs/a%2Fb/caf%C3%A9");
  REQUIRE(request);
  CHECK(request->segments == std::vector<std::string>{"api", "v1", "runs", "a/b", "café"});
}

TEST_CASE("the root has no segments") {
  auto const request = read_target("GET", "/");
  REQUIRE(request);
  CHECK(request->segments.empty());
}

TEST_CASE("a query is decoded, and a plus in it is a space") {
  auto const request = read_target("GET", "/runs?state=a+b&&plan=x%26y&flag");
  REQUIRE(request);
  REQUIRE(request->query.size() == 3);
  CHECK(request->query[0].value == "a b");
  CHECK(request->query[1].value == "x&y");
  CHECK(request->query[2].name == "flag");
}

TEST_CASE("a plus in a path is a plus") {
  auto const request = read_target("GET", "/a+b");
  REQUIRE(request);
  CHECK(request->segments.at(0) == "a+b");
}

TEST_CASE("targets that are no decodable path are refused") {
  for (auto const* target : {"", "*", "http://localhost/", "runs", "/a%", "/a%2", "/a%zz", "/a%00b",
                             "/a%0d%0ab", "/a%ff", "/?a=%c0%80", "/?%ed%a0%80=x"}) {
    CAPTURE(target);
    auto const request = read_target("GET", target);
    REQUIRE_FALSE(request);
    CHECK(request.error().code == planner::ErrorCode::malformed);
  }
}

TEST_CASE("the refusal of a target does not repeat its control characters") {
  auto const request = read_target("GET", "/a%ff\x1b[31m");
  REQUIRE_FALSE(request);
  CHECK(request.error().detail.find('\x1b') == std::string::npos);
}

TEST_CASE("plain text is valid UTF-8 without control characters") {
  for (auto const* text :
       {"", "abc", "café", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xf4\x8f\xbf\xbf"}) {
    CAPTURE(text);
    CHECK(is_plain_text(text));
  }
}

TEST_CASE("broken UTF-8 and control characters are not plain text") {
  for (auto const* text :
       {"a\tb", "\x7f", "\x80", "\xc3", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80",
        "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe2\x82", "\xc3\x28"}) {
    CAPTURE(text);
    CHECK_FALSE(is_plain_text(text));
  }
}
