// What a client can do to a handshake.
#include <doctest/doctest.h>

#include "tests/support/certificate.h"
#include "tests/web/running_server.h"

using namespace runbookd::web;
using namespace runbookd::web::test;
using namespace std::chrono_literals;
using runbookd::testing::make_certificate;

namespace {

ServerOptions secured(TempDir const& folder) {
  auto const made = make_certificate(folder.file("."), "server", "IP:127.0.0.1");
  ServerOptions options;
  options.listen = {"tls:127.0.0.1:0"};
  options.certificate = made.file;
  options.key = made.key;
  return options;
}

std::string port_of(RunningServer const& server) {
  return server.address().substr(std::string("tls:").size());
}

}  // namespace

TEST_CASE("a handshake that never ends is ended, like a head that never ends") {
  TempDir const folder;
  auto options = secured(folder);
  options.timeouts.header = 50ms;
  RunningServer const server(options);
  Client silent(port_of(server));
  CHECK(silent.reads_end());
  Client slow(port_of(server));
  slow.send(std::string("\x16\x03\x01\x02\x00\x01", 6));  // the head of a greeting, and no more
  CHECK(slow.reads_end());
}

TEST_CASE("what is no greeting at all ends the connection at once") {
  TempDir const folder;
  RunningServer const server(secured(folder));
  Client client(port_of(server));
  client.try_send("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n");
  CHECK(client.read_to_end().find("HTTP/1.1 200") == std::string::npos);
}

TEST_CASE("a server whose certificate cannot be used does not listen, and says which file") {
  TempDir const folder;
  auto options = secured(folder);
  options.key = folder.file("missing.key");
  try {
    RunningServer const server(options);
    CHECK(false);
  } catch (std::runtime_error const& refused) {
    CHECK(std::string(refused.what()).find("missing.key") != std::string::npos);
  }
}
