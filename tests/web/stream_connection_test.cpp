#include <doctest/doctest.h>

#include "tests/web/running_server.h"

using namespace runbookd::web;
using namespace runbookd::web::test;
using namespace std::chrono_literals;

namespace {

std::string const path = "/api/v1/runs/run_1/events";
std::string const wanted = "Accept: text/event-stream\r\n";

void two_events(FakeService& service) {
  service.add_event("run_1", "created");
  service.add_event("run_1", "started");
}

void two_events_and_the_end(FakeService& service) {
  two_events(service);
  service.end_run("run_1");
}

Client following(RunningServer const& server, std::string const& more_headers = "") {
  auto client = server.client();
  client.send(get_request(path, wanted + more_headers));
  return client;
}

}  // namespace

TEST_CASE("a stream of a final run gives everything and ends properly") {
  RunningServer const server({}, two_events_and_the_end);
  auto client = following(server);
  auto const head = client.read_head();
  CHECK(head.headers.at("content-type") == "text/event-stream");
  CHECK(head.headers.at("transfer-encoding") == "chunked");
  CHECK(head.headers.at("cache-control") == "no-store");
  auto const text = client.read_to_end();
  CHECK(text.find("id: 1\nevent: created\n") != std::string::npos);
  CHECK(text.find("id: 2\nevent: started\n") != std::string::npos);
  CHECK(text.ends_with("\r\n0\r\n\r\n"));
}

TEST_CASE("an HTTP/1.0 client gets the stream without chunks") {
  RunningServer const server({}, two_events_and_the_end);
  auto client = server.client();
  client.send("GET " + path + " HTTP/1.0\r\nHost: localhost\r\n" + wanted + "\r\n");
  CHECK_FALSE(client.read_head().headers.contains("transfer-encoding"));
  auto const text = client.read_to_end();
  CHECK(text.starts_with("retry: 3000\n\nid: 1\n"));
  CHECK(text.ends_with("}\n\n"));
}

TEST_CASE("a client that comes back gets what it missed and nothing twice") {
  RunningServer server({}, two_events);
  {
    auto client = following(server);
    client.read_until("id: 2\n");
  }
  server.on_io([](FakeService& service) {
    service.add_event("run_1", "paused");
    service.end_run("run_1");
  });
  auto again = following(server, "Last-Event-ID: 2\r\n");
  again.read_head();
  auto const text = again.read_to_end();
  CHECK(text.find("id: 2\n") == std::string::npos);
  CHECK(text.find("id: 3\nevent: paused\n") != std::string::npos);
}

TEST_CASE("events and live lines arrive while the stream is open") {
  RunningServer server({}, two_events);
  auto client = following(server);
  client.read_until("id: 2\n");
  server.on_io([](FakeService& service) { service.set_live("run_1", R"({"percent":40})"); });
  CHECK(client.read_until(R"(data: {"percent":40})").find("event: step.progress") !=
        std::string::npos);
  server.on_io([](FakeService& service) { service.add_event("run_1", "paused"); });
  CHECK(client.read_until("event: paused").find("id: 3\n") != std::string::npos);
  server.on_io([](FakeService& service) { service.end_run("run_1"); });
  CHECK(client.read_to_end().ends_with("0\r\n\r\n"));
}

TEST_CASE("an open stream shows that it is alive") {
  RunningServer const server({.timeouts = {.comment = 1ms}}, two_events);
  auto client = following(server);
  CHECK(client.read_until(": still here\n\n").ends_with(": still here\n\n"));
  CHECK(client.read_until(": still here\n\n").ends_with(": still here\n\n"));
}

TEST_CASE("a client that hangs up ends its stream at once") {
  RunningServer server({.timeouts = {.comment = 1h}}, two_events);
  {
    auto client = following(server);
    client.read_until("id: 2\n");
  }
  CHECK(server.next_access().status == 200);
  server.on_io([](FakeService& service) { CHECK(service.subscriptions == 0); });
}

TEST_CASE("what a client sends while it listens is not taken for requests") {
  RunningServer server({}, two_events);
  auto client = following(server);
  client.read_until("id: 2\n");
  client.send(post_request("/api/v1/runs/run_1/pause", "{}") + std::string(2'000, 'x'));
  server.on_io([](FakeService& service) { service.add_event("run_1", "paused"); });
  client.read_until("id: 3\n");
  server.on_io([](FakeService& service) { CHECK(service.submitted == 0); });
}

TEST_CASE("a reader that reads nothing makes nothing pile up") {
  // the deadline for one batch ends the stream; until then no more is read than the sockets hold
  RunningServer server({.timeouts = {.write = 300ms}}, [](FakeService& service) {
    two_events(service);
    service.endless = true;
  });
  Client client(server.address(), 4096);
  client.send(get_request(path, wanted));
  auto const line = server.next_access();
  server.on_io([&](FakeService& service) {
    // one batch more than what went out: each event has 1000 bytes and some, a batch 64 of them
    CHECK(service.events_given <= static_cast<int>(line.bytes_sent / 1'000) + 2 * 64);
    CHECK(service.events_given < 20'000);
  });
}

TEST_CASE("stopping the server ends open streams without calling them complete") {
  RunningServer server({}, two_events);
  std::vector<Client> clients;
  for (int i = 0; i < 10; ++i) {
    clients.push_back(following(server));
    clients.back().read_until("id: 2\n");
  }
  server.stop();
  for (auto& client : clients) {
    CHECK_FALSE(client.read_to_end().ends_with("0\r\n\r\n"));
  }
  server.wait_until_idle();
  server.on_io([](FakeService& service) { CHECK(service.subscriptions == 0); });
}

TEST_CASE("destroying the server cuts open streams and lets go of the service at once") {
  RunningServer server({}, two_events);
  auto client = following(server);
  client.read_until("id: 2\n");
  server.on_io([](FakeService& service) { CHECK(service.subscriptions == 1); });
  server.destroy();
  server.on_io([](FakeService& service) { CHECK(service.subscriptions == 0); });
  client.read_to_end();
}
