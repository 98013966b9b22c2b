#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "tests/web/running_server.h"

using namespace runbookd;
using namespace runbookd::web;
using namespace runbookd::web::test;
using nlohmann::json;

namespace {

void add_run(FakeService& service) { service.add_event("run_1", "created"); }

}  // namespace

TEST_CASE("a request on a TCP socket is answered") {
  RunningServer const server;
  auto const answer = server.client().get("/api/v1");
  CHECK(answer.status == 200);
  CHECK(answer.headers.at("cache-control") == "no-store");
  CHECK(answer.headers.at("x-content-type-options") == "nosniff");
  CHECK(answer.headers.at("content-type") == "application/json");
}

TEST_CASE("one connection takes many requests") {
  RunningServer const server({}, add_run);
  auto client = server.client();
  for (int i = 0; i < 20; ++i) {
    CHECK(client.get("/livez").status == 200);
    CHECK(client.post("/api/v1/runs/run_1/pause", "{}").status == 200);
  }
}

TEST_CASE("requests sent in one go are answered one after another") {
  RunningServer const server({}, add_run);
  auto client = server.client();
  client.send(get_request("/livez") +
              post_request("/api/v1/runs/run_1/pause", R"({"reason":"a"})") +
              get_request("/nothing") + get_request("/api/v1"));
  CHECK(client.read_answer().body == R"({"live":true})");
  CHECK(client.read_answer().headers.contains("etag"));
  CHECK(client.read_answer().status == 404);
  CHECK(json::parse(client.read_answer().body)["version"] == "test");
}

TEST_CASE("a request may come byte by byte") {
  RunningServer const server({}, add_run);
  auto client = server.client();
  for (char const c : post_request("/api/v1/runs/run_1/pause", R"({"reason":"slow"})")) {
    client.send(std::string(1, c));
  }
  CHECK(client.read_answer().status == 200);
}

TEST_CASE("HEAD gets the head of the answer and the connection goes on") {
  RunningServer const server;
  auto client = server.client();
  client.send("HEAD /api/v1 HTTP/1.1\r\nHost: localhost\r\n\r\n");
  auto const head = client.read_head();
  CHECK(head.status == 200);
  CHECK(head.headers.at("content-length") != "0");
  CHECK(client.get("/livez").status == 200);
}

TEST_CASE("HEAD on a stream gets its head alone") {
  RunningServer const server({}, add_run);
  auto client = server.client();
  client.send(
      "HEAD /api/v1/runs/run_1/events HTTP/1.1\r\nHost: localhost\r\nAccept: "
      "text/event-stream\r\n\r\n");
  CHECK(client.read_head().headers.at("content-type") == "text/event-stream");
  CHECK(client.get("/livez").status == 200);
}

TEST_CASE("a client that says close is closed") {
  RunningServer const server;
  auto client = server.client();
  client.send(get_request("/livez", "Connection: close\r\n"));
  CHECK(client.read_answer().headers.at("connection") == "close");
  CHECK(client.reads_end());
}

TEST_CASE("an HTTP/1.0 client is answered and closed") {
  RunningServer const server;
  auto client = server.client();
  client.send("GET /livez HTTP/1.0\r\nHost: localhost\r\n\r\n");
  CHECK(client.read_answer().status == 200);
  CHECK(client.reads_end());
}

TEST_CASE("a client that has ended its side still gets its answer") {
  RunningServer const server;
  auto client = server.client();
  client.send(get_request("/livez"));
  client.end_sending();
  CHECK(client.read_answer().status == 200);
  CHECK(client.reads_end());
}

TEST_CASE("a client that waits for 100 Continue is told to go on") {
  RunningServer const server({}, add_run);
  auto client = server.client();
  std::string const body = R"({"reason":"patient"})";
  client.send(
      "POST /api/v1/runs/run_1/pause HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
      "application/json\r\n"
      "Expect: 100-continue\r\nContent-Length: " +
      std::to_string(body.size()) + "\r\n\r\n");
  CHECK(client.read_head().status == 100);
  client.send(body);
  CHECK(client.read_answer().status == 200);
}

TEST_CASE("a client that waits for 100 Continue is refused before it sends") {
  RunningServer const server;
  auto client = server.client();
  client.send(
      "POST /api/v1/plans HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
      "Content-Length: 999999999\r\n\r\n");
  CHECK(client.read_answer().status == 413);
}

TEST_CASE("a foreign Host is refused and the connection closed") {
  RunningServer const server;
  auto client = server.client();
  client.send("GET /livez HTTP/1.1\r\nHost: evil.example\r\n\r\n");
  auto const answer = client.read_answer();
  CHECK(answer.status == 403);
  CHECK(json::parse(answer.body)["code"] == "host-not-allowed");
  CHECK(client.reads_end());
}

TEST_CASE("a request without Host and one with two are refused") {
  RunningServer const server;
  for (auto const* hosts : {"", "Host: localhost\r\nHost: localhost\r\n"}) {
    auto client = server.client();
    client.send(std::string("GET /livez HTTP/1.1\r\n") + hosts + "\r\n");
    CHECK(client.read_answer().status == 403);
  }
}

TEST_CASE("a command from another site's page never reaches the run") {
  RunningServer server({}, add_run);
  auto client = server.client();
  client.send(post_request("/api/v1/runs/run_1/pause", "{}",
                           "Content-Type: application/json\r\nOrigin: http://evil.example\r\n"));
  CHECK(client.read_answer().status == 403);
  server.on_io([](FakeService& service) { CHECK(service.submitted == 0); });
}

TEST_CASE("a chunked request is refused and what follows is not taken for a request") {
  RunningServer server({}, add_run);
  auto client = server.client();
  client.send(
      "POST /api/v1/runs/run_1/pause HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
      "Content-Length: 4\r\n\r\n0\r\n\r\n" +
      post_request("/api/v1/runs/run_1/resume", "{}"));
  auto const answer = client.read_answer();
  CHECK(answer.status == 400);
  CHECK(client.reads_end());
  server.on_io([](FakeService& service) { CHECK(service.submitted == 0); });
}

TEST_CASE("what is no HTTP gets a problem and the end") {
  RunningServer const server;
  for (auto const* bytes :
       {"\x16\x03\x01 hello\r\n\r\n", "GET / HTTP/1.1\r\nbad header\r\n\r\n", "\r\n\r\n\r\n",
        "GET http://localhost/livez HTTP/1.1\r\nHost: localhost\r\n\r\n"}) {
    CAPTURE(bytes);
    auto client = server.client();
    client.send(bytes);
    CHECK(client.read_answer().status == 400);
    CHECK(client.reads_end());
  }
}

TEST_CASE("a Unix socket serves like TCP") {
  TempDir const dir;
  RunningServer const server({.listen = {"unix:" + dir.file("api.sock")}});
  CHECK(server.client().get("/livez").status == 200);
}

TEST_CASE("TCP over IPv6 loopback serves too") {
  RunningServer const server({.listen = {"[::1]:0"}});
  CHECK(server.client().get("/livez").status == 200);
}

TEST_CASE("two hundred connections at once are all answered") {
  RunningServer const server;
  std::vector<Client> clients;
  for (int i = 0; i < 200; ++i) {
    clients.push_back(server.client());
  }
  for (auto& client : clients) {
    client.send(get_request("/api/v1"));
  }
  int answered = 0;
  for (auto& client : clients) {
    answered += client.read_answer().status == 200 ? 1 : 0;
  }
  CHECK(answered == 200);
}

TEST_CASE("each finished exchange is told with its status and size") {
  RunningServer server({}, add_run);
  auto client = server.client();
  client.post("/api/v1/runs/run_1/pause?dry_run=false", "{}", "Runbook-Actor: ana\r\n");
  auto const line = server.next_access();
  CHECK(line.method == "POST");
  CHECK(line.target == "/api/v1/runs/run_1/pause?dry_run=false");
  CHECK(line.actor == "ana");
  CHECK(line.status == 200);
  CHECK(line.bytes_sent > 100);
}

TEST_CASE("refused requests are told as well") {
  RunningServer server;
  auto client = server.client();
  client.send("GET /livez HTTP/1.1\r\nHost: evil.example\r\n\r\n");
  CHECK(server.next_access().status == 403);
}

TEST_CASE("what the service throws reaches whoever runs the loop") {
  RunningServer server({}, [](FakeService& service) { service.throws = true; });
  auto client = server.client();
  client.send(get_request("/api/v1/runs/run_1"));
  CHECK(server.thrown() == "the store is corrupt");
}
