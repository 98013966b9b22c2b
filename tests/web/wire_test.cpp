#include "web/wire.h"

#include <algorithm>

#include <doctest/doctest.h>

using namespace runbookd::web;
using runbookd::planner::ErrorCode;

namespace {

void give(RequestReader& reader, std::string_view bytes) {
  auto const room = reader.space();
  REQUIRE(room.size() >= bytes.size());
  std::copy(bytes.begin(), bytes.end(), room.begin());
  reader.arrived(bytes.size());
}

}  // namespace

TEST_CASE("an answer has length, type and the headers of every answer") {
  Response const response{.status = 201, .body = "{}", .headers = {{"Location", "/x"}}};
  auto const bytes = to_wire(response, {});
  CHECK(bytes.starts_with("HTTP/1.1 201 Created\r\n"));
  CHECK(bytes.ends_with("\r\n\r\n{}"));
  for (auto const* line : {"Content-Length: 2\r\n", "Content-Type: application/json\r\n",
                           "Location: /x\r\n", "Cache-Control: no-store\r\n",
                           "X-Content-Type-Options: nosniff\r\n", "Connection: keep-alive\r\n"}) {
    CAPTURE(line);
    CHECK(bytes.find(line) != std::string::npos);
  }
}

TEST_CASE("an answer without its body still says the length") {
  auto const bytes = to_wire({.body = "12345"}, {.without_body = true, .keep_open = false});
  CHECK(bytes.ends_with("\r\n\r\n"));
  CHECK(bytes.find("Content-Length: 5\r\n") != std::string::npos);
  CHECK(bytes.find("Connection: close\r\n") != std::string::npos);
}

TEST_CASE("a header's value cannot begin another header") {
  auto const bytes = to_wire({.headers = {{"Location", "/x\r\nSet-Cookie: a=b"}}}, {});
  CHECK(bytes.find("\r\nSet-Cookie") == std::string::npos);
}

TEST_CASE("a chunk says its size in hexadecimal digits") {
  CHECK(chunk("0123456789abcdef!") == "11\r\n0123456789abcdef!\r\n");
}

TEST_CASE("a stream has no length") {
  CHECK(stream_head({}, true).find("Transfer-Encoding: chunked\r\n") != std::string::npos);
  CHECK(stream_head({}, true).find("Content-Length") == std::string::npos);
  CHECK(stream_head({}, false).find("Transfer-Encoding") == std::string::npos);
}

TEST_CASE("a head is read however its bytes are cut") {
  std::string_view const text = "GET /a HTTP/1.1\r\nHost: localhost\r\nX-Y: z\r\n\r\n";
  for (std::size_t cut = 1; cut < text.size(); ++cut) {
    CAPTURE(cut);
    RequestReader reader(100, 1'000);
    reader.begin();
    give(reader, text.substr(0, cut));
    auto const first = reader.read_head();
    REQUIRE(first);
    CHECK_FALSE(*first);
    give(reader, text.substr(cut));
    auto const second = reader.read_head();
    REQUIRE(second);
    CHECK(*second);
    CHECK(reader.head()->header("x-y") == "z");
  }
}

TEST_CASE("bytes of the next request are kept for it") {
  RequestReader reader(100, 1'000);
  reader.begin();
  give(reader, "POST /a HTTP/1.1\r\nContent-Length: 2\r\n\r\nhiGET /b HTTP/1.1\r\n\r\n");
  REQUIRE(reader.read_head().value());
  REQUIRE(reader.read_body().value());
  CHECK(reader.take_body() == "hi");
  reader.begin();
  REQUIRE(reader.read_head().value());
  CHECK(reader.head()->target == "/b");
  CHECK_FALSE(reader.has_bytes());
}

TEST_CASE("a body larger than the limit is refused by its length alone") {
  RequestReader reader(10, 1'000);
  reader.begin();
  give(reader, "POST /a HTTP/1.1\r\nContent-Length: 11\r\n\r\n");
  auto const read = reader.read_head();
  REQUIRE_FALSE(read);
  CHECK(read.error().code == ErrorCode::too_large);
}

TEST_CASE("a head larger than the limit is refused") {
  RequestReader reader(10, 100);
  reader.begin();
  give(reader, "GET /" + std::string(200, 'a'));
  auto const read = reader.read_head();
  REQUIRE_FALSE(read);
  CHECK(read.error().code == ErrorCode::too_large);
}

TEST_CASE("what is no HTTP is refused") {
  for (auto const* text :
       {"\x16\x03\x01\x02\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/2.0\r\n\r\n",
        "GET / HTTP/1.1\nHost: a\n\n\r\n\r\n", "GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        "GET / HTTP/1.1\r\nContent-Length: 1x\r\n\r\n",
        "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "GET / HTTP/1.1\r\nbad name: x\r\n\r\n", "GET / HTTP/1.1\r\n: x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost : x\r\n\r\n"}) {
    CAPTURE(text);
    RequestReader reader(10, 1'000);
    reader.begin();
    give(reader, text);
    auto const read = reader.read_head();
    REQUIRE_FALSE(read);
    CHECK(read.error().code == ErrorCode::malformed);
  }
}
