#include "web/address.h"

#include <doctest/doctest.h>

using namespace runbookd::web;

TEST_CASE("loopback addresses and Unix sockets can be listened on") {
  for (auto const* text : {"127.0.0.1:8090", "127.8.8.8:1", "[::1]:0", "unix:/run/x.sock"}) {
    CAPTURE(text);
    auto const address = read_listen_address(text);
    REQUIRE(address);
    CHECK(to_text(*address) == text);
  }
}

TEST_CASE("localhost is listened on as 127.0.0.1") {
  auto const address = read_listen_address("localhost:8090");
  REQUIRE(address);
  CHECK(address->host == "127.0.0.1");
}

TEST_CASE("addresses that other machines could reach are refused with what to use") {
  for (auto const* text : {"0.0.0.0:8090", "[::]:8090", "192.168.1.5:8090", "128.0.0.1:1",
                           "example.org:80", ":8090", "[::ffff:127.0.0.1]:80", "[fe80::1]:80"}) {
    CAPTURE(text);
    auto const address = read_listen_address(text);
    REQUIRE_FALSE(address);
    CHECK(address.error().next.find("unix:") != std::string::npos);
  }
}

TEST_CASE("texts that are no address are refused") {
  for (auto const* text : {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:70000", "127.0.0.1:80x",
                           "::1:80", "[::1]", "[::1:80", "unix:", "unix:relative.sock", "8090"}) {
    CAPTURE(text);
    CHECK_FALSE(read_listen_address(text));
  }
}

TEST_CASE("a socket path longer than the system allows is refused") {
  CHECK_FALSE(read_listen_address("unix:/" + std::string(200, 'a')));
}

TEST_CASE("loopback names are known hosts, with and without a port") {
  for (auto const* host :
       {"localhost", "LocalHost:8090", "127.0.0.1", "127.0.0.1:1", "[::1]", "[::1]:8090"}) {
    CAPTURE(host);
    CHECK(is_known_host(host, {}));
  }
}

TEST_CASE("names of other sites are not known hosts") {
  for (auto const* host :
       {"", ":80", "evil.example", "localhost.evil.example", "evil.example:8090", "127.0.0.1.evil",
        "localhost:", "localhost:x", "localhost:80:80", "[::1", "[::1]x", "::1", "192.168.1.1",
        "localhost, evil.example", "user@localhost", "localhost."}) {
    CAPTURE(host);
    CHECK_FALSE(is_known_host(host, {}));
  }
}

TEST_CASE("a name from the settings is a known host") {
  CHECK(is_known_host("Runbook.internal:8090", {"runbook.internal"}));
}

TEST_CASE("a name from the settings that says a port wants that port") {
  CHECK(is_known_host("runbook.internal:1", {"runbook.internal:1"}));
  CHECK_FALSE(is_known_host("runbook.internal:2", {"runbook.internal:1"}));
}

TEST_CASE("an origin is the same when host and port are") {
  CHECK(is_same_origin("http://localhost:8090", "localhost:8090"));
  CHECK(is_same_origin("https://LOCALHOST:8090", "localhost:8090"));
}

TEST_CASE("an origin of another host or port, or none at all, is not the same") {
  for (auto const* origin : {"http://localhost:9999", "http://evil.example", "null", "",
                             "localhost:8090", "http://localhost:8090/"}) {
    CAPTURE(origin);
    CHECK_FALSE(is_same_origin(origin, "localhost:8090"));
  }
}
