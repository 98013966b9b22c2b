// Answers that wait for a run: they come when it has moved, when the time is over, and they hold a
// place only as long as somebody waits for them.
#include <doctest/doctest.h>

#include "tests/web/running_server.h"

using namespace runbookd::web;
using namespace runbookd::web::test;

namespace {

std::string const path = "/api/v1/runs/run_1";
std::string const as_seen = "If-None-Match: \"1\"\r\n";

void one_event(FakeService& service) { service.add_event("run_1", "created"); }

// Waits on the server's side: its subscription is there.
void until_waiting(RunningServer& server, int how_many) {
  for (int subscribed = -1; subscribed != how_many;) {
    server.on_io([&](FakeService& service) { subscribed = service.subscriptions; });
  }
}

}  // namespace

TEST_CASE("a read that waits is answered when the run has moved") {
  RunningServer server({}, one_event);
  auto client = server.client();
  client.send(get_request(path + "?wait=60", as_seen));
  until_waiting(server, 1);
  server.on_io([](FakeService& service) { service.add_event("run_1", "started"); });
  auto const answer = client.read_answer();
  CHECK(answer.status == 200);
  CHECK(answer.headers.at("etag") == "\"2\"");
  until_waiting(server, 0);
}

TEST_CASE(
    "a read that waited in vain says that nothing has changed, and one of an old run waits not") {
  RunningServer const server({}, one_event);
  auto client = server.client();
  client.send(get_request(path + "?wait=0", as_seen));
  CHECK(client.read_head().status == 304);
  auto other = server.client();
  other.send(get_request(path + "?wait=60", "If-None-Match: \"0\"\r\n"));
  CHECK(other.read_answer().status == 200);
}

TEST_CASE("a verb that waits is answered with 200 once the run has settled") {
  RunningServer server({}, [](FakeService& service) {
    one_event(service);
    service.runs["run_1"].state = "pausing";
  });
  auto client = server.client();
  client.send(
      post_request(path + "/pause", "{}", "Content-Type: application/json\r\nPrefer: wait=60\r\n"));
  until_waiting(server, 1);
  server.on_io([](FakeService& service) {
    service.runs["run_1"].state = "paused";
    service.add_event("run_1", "paused");
  });
  CHECK(client.read_answer().status == 200);
}

TEST_CASE("only so many may wait, and who goes away makes room") {
  ServerOptions options;
  options.max_waits = 1;
  RunningServer server(options, one_event);
  {
    auto first = server.client();
    first.send(get_request(path + "?wait=60", as_seen));
    until_waiting(server, 1);
    auto second = server.client();
    second.send(get_request(path + "?wait=60", as_seen));
    CHECK(second.read_answer().status == 503);
  }
  until_waiting(server, 0);
  auto third = server.client();
  third.send(get_request(path + "?wait=60", as_seen));
  until_waiting(server, 1);
  server.on_io([](FakeService& service) { service.add_event("run_1", "started"); });
  CHECK(third.read_answer().status == 200);
}
