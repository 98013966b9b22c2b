#include "web/server.h"

#include <fstream>

#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/web/running_server.h"

using namespace runbookd::web;
using namespace runbookd::web::test;
using namespace std::chrono_literals;

namespace {

// Listening without anybody who answers.
struct Silent {
  boost::asio::io_context io;
  FakeService service;
  std::optional<Server> server;

  runbookd::planner::Result<std::vector<std::string>> listen(std::vector<std::string> where) {
    server.emplace(io, service, ServerOptions{.listen = std::move(where)});
    return server->listen();
  }
};

Client with_half_a_request(RunningServer& server) {
  auto client = server.client();
  // the second request's first bytes come along with the first request
  client.send(get_request("/livez") + "GET /api/v1 HTTP/1.1\r\n");
  CHECK(client.read_answer().status == 200);
  // its reading has begun once what the I/O thread was about to do is done
  server.on_io([](FakeService&) {});
  server.on_io([](FakeService&) {});
  return client;
}

}  // namespace

TEST_CASE("a server says where it listens") {
  Silent silent;
  auto const bound = silent.listen({"127.0.0.1:0", "[::1]:0"});
  REQUIRE(bound);
  REQUIRE(bound->size() == 2);
  CHECK(bound->at(0).starts_with("127.0.0.1:"));
  CHECK_FALSE(bound->at(0).ends_with(":0"));
  CHECK(bound->at(1).starts_with("[::1]:"));
}

TEST_CASE("a server does not listen where other machines could reach it") {
  Silent silent;
  auto const bound = silent.listen({"0.0.0.0:0"});
  REQUIRE_FALSE(bound);
  CHECK(bound.error().next.find("loopback") != std::string::npos);
}

TEST_CASE("an address in use is said") {
  Silent first, second;
  auto const bound = first.listen({"127.0.0.1:0"});
  REQUIRE(bound);
  auto const again = second.listen({bound->at(0)});
  REQUIRE_FALSE(again);
  CHECK(again.error().detail.find(bound->at(0)) != std::string::npos);
}

TEST_CASE("one bad address leaves none listening") {
  TempDir const dir;
  auto const good = "unix:" + dir.file("a.sock");
  Silent silent;
  CHECK_FALSE(silent.listen({good, "unix:" + dir.file("no/such/folder/b.sock")}));
  CHECK(access(dir.file("a.sock").c_str(), F_OK) != 0);
}

TEST_CASE("a Unix socket is for its owner alone and goes with the server") {
  TempDir const dir;
  auto const path = dir.file("a.sock");
  {
    Silent silent;
    REQUIRE(silent.listen({"unix:" + path}));
    struct stat info{};
    REQUIRE(stat(path.c_str(), &info) == 0);
    CHECK((info.st_mode & 0777) == 0600);
  }
  CHECK(access(path.c_str(), F_OK) != 0);
}

TEST_CASE("a socket file left by a killed daemon is taken over") {
  TempDir const dir;
  auto const path = dir.file("a.sock");
  Silent dead;
  REQUIRE(dead.listen({"unix:" + path}));
  // keep the file of a listener that is gone
  REQUIRE(link(path.c_str(), dir.file("kept").c_str()) == 0);
  dead.server.reset();
  REQUIRE(rename(dir.file("kept").c_str(), path.c_str()) == 0);
  Silent silent;
  CHECK(silent.listen({"unix:" + path}));
}

TEST_CASE("the socket of a living daemon is left alone") {
  TempDir const dir;
  Silent first, second;
  REQUIRE(first.listen({"unix:" + dir.file("a.sock")}));
  CHECK_FALSE(second.listen({"unix:" + dir.file("a.sock")}));
  CHECK(access(dir.file("a.sock").c_str(), F_OK) == 0);
}

TEST_CASE("a file that is no socket is left alone") {
  TempDir const dir;
  std::ofstream(dir.file("a.sock")) << "precious";
  Silent silent;
  CHECK_FALSE(silent.listen({"unix:" + dir.file("a.sock")}));
  CHECK(access(dir.file("a.sock").c_str(), F_OK) == 0);
}

TEST_CASE("a socket file that somebody else put in our place is not removed") {
  TempDir const dir;
  auto const path = dir.file("a.sock");
  Silent first, second;
  REQUIRE(first.listen({"unix:" + path}));
  REQUIRE(unlink(path.c_str()) == 0);
  REQUIRE(second.listen({"unix:" + path}));
  first.server.reset();
  CHECK(access(path.c_str(), F_OK) == 0);
}

TEST_CASE("a stopped server closes its idle connections") {
  RunningServer server;
  auto fresh = server.client();
  auto used = server.client();
  used.get("/livez");
  server.stop();
  CHECK(fresh.reads_end());
  CHECK(used.reads_end());
  server.wait_until_idle();
}

TEST_CASE("a stopped server takes nobody new") {
  RunningServer server;
  server.stop();
  CHECK_THROWS(server.client());
}

TEST_CASE("a request that is under way when the server stops is answered, and then it is closed") {
  RunningServer server;
  auto client = with_half_a_request(server);
  server.stop();
  client.send("Host: localhost\r\n\r\n");
  auto const answer = client.read_answer();
  CHECK(answer.status == 200);
  CHECK(answer.headers.at("connection") == "close");
  CHECK(client.reads_end());
  server.wait_until_idle();
}

TEST_CASE("destroying the server cuts a request that is half sent") {
  RunningServer server;
  auto client = with_half_a_request(server);
  server.destroy();
  CHECK(client.reads_end());
}

TEST_CASE("a server without connections is idle") {
  Silent silent;
  REQUIRE(silent.listen({"127.0.0.1:0"}));
  CHECK(silent.server->idle());
}

TEST_CASE("a loop that is destroyed before its connections leaves nothing behind") {
  FakeService service;
  service.add_event("run_1", "created");
  boost::asio::io_context io;
  std::optional<Server> server;
  server.emplace(io, service, ServerOptions{.listen = {"127.0.0.1:0"}});
  auto const bound = server->listen();
  REQUIRE(bound);
  Client client(bound->at(0));
  client.send(get_request("/api/v1/runs/run_1/events", "Accept: text/event-stream\r\n"));
  while (service.subscriptions == 0) {
    io.run_one();
  }
  server.reset();
  CHECK(service.subscriptions == 0);
}
