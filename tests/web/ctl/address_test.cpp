#include "web/ctl/address.h"

#include <doctest/doctest.h>

using namespace runbookd::ctl;

TEST_CASE("addresses are read in all their forms") {
  CHECK(parse_address("http://127.0.0.1:8090").value() == Address{"", "127.0.0.1", "8090"});
  CHECK(parse_address("https://db.example:8443").value() ==
        Address{.socket = "", .host = "db.example", .port = "8443", .tls = true});
  CHECK(to_text(parse_address("https://db.example:8443").value()) == "https://db.example:8443");
  CHECK(parse_address("localhost:9").value() == Address{"", "localhost", "9"});
  CHECK(parse_address("http://localhost/").value() == Address{"", "localhost", "8090"});
  CHECK(parse_address("http://[::1]:80").value() == Address{"", "::1", "80"});
  CHECK(parse_address("unix:/run/a.sock").value() == Address{"/run/a.sock", "", ""});
  CHECK(parse_address("unix:///run/a.sock").value() == Address{"/run/a.sock", "", ""});
  CHECK(parse_address("/run/a.sock").value() == Address{"/run/a.sock", "", ""});
}

TEST_CASE("an address that cannot be is refused as wrong usage") {
  for (auto const* text : {"", "https://", "http://h:port", "http://h:99999", "unix:relative",
                           "http://h/path", "http://a b", "h\r\nX: y"}) {
    CAPTURE(text);
    auto const address = parse_address(text);
    REQUIRE(!address);
    CHECK(address.error().exit == Exit::usage);
  }
}

TEST_CASE("the flag wins over the environment, and that over the socket") {
  CHECK(chosen_address("http://a:1", "http://b:2", true) == "http://a:1");
  CHECK(chosen_address("", "http://b:2", true) == "http://b:2");
  CHECK(chosen_address("", "", true) == "unix:/run/runbookd/runbookd.sock");
  CHECK(chosen_address("", "", false) == "http://127.0.0.1:8090");
}

TEST_CASE("a token goes where nobody on the way can read it, and nowhere else") {
  for (auto const* good : {"http://127.0.0.1:8090", "http://localhost:8090", "http://[::1]:8090",
                           "unix:/run/x.sock", "https://db.example:8443"}) {
    CHECK_MESSAGE(keeps_secrets(parse_address(good).value()), good);
  }
  for (auto const* bad : {"http://10.1.2.3:8090", "db.example:8090", "http://127.example:80"}) {
    CHECK_MESSAGE(!keeps_secrets(parse_address(bad).value()), bad);
  }
}

TEST_CASE("an IPv6 address is bracketed in the Host header") {
  CHECK(parse_address("http://[::1]:80")->host_header() == "[::1]:80");
  CHECK(parse_address("/run/a.sock")->host_header() == "localhost");
}
