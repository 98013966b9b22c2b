#include <thread>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/web/running_server.h"

using namespace runbookd::web;
using namespace runbookd::web::test;
using namespace std::chrono_literals;

namespace {

constexpr auto soon = 50ms;

void add_run(FakeService& service) { service.add_event("run_1", "created"); }

// Leaves the process without a file descriptor until it is destroyed.
class NoDescriptors {
 public:
  NoDescriptors() {
    getrlimit(RLIMIT_NOFILE, &before_);
    auto few = before_;
    few.rlim_cur = 128;
    setrlimit(RLIMIT_NOFILE, &few);
    for (int fd = dup(0); fd >= 0; fd = dup(0)) {
      taken_.push_back(fd);
    }
  }
  ~NoDescriptors() {
    for (int const fd : taken_) {
      close(fd);
    }
    setrlimit(RLIMIT_NOFILE, &before_);
  }
  NoDescriptors(NoDescriptors const&) = delete;
  NoDescriptors& operator=(NoDescriptors const&) = delete;
  void give_one_back() {
    close(taken_.back());
    taken_.pop_back();
  }

 private:
  rlimit before_{};
  std::vector<int> taken_;
};

}  // namespace

TEST_CASE("a client that never finishes its head is cut off") {
  RunningServer server({.timeouts = {.header = soon}});
  auto client = server.client();
  client.send("GET /livez HTTP/1.1\r\nHost: localh");
  CHECK(client.reads_end());
  server.wait_until_idle();
}

TEST_CASE("a head that drips does not keep its connection for ever") {
  RunningServer server({.timeouts = {.header = soon}});
  auto client = server.client();
  client.send("GET /livez HTTP/1.1\r\n");
  while (client.try_send("X-A: b\r\n")) {
    std::this_thread::sleep_for(1ms);  // paces the drip only; the server ends the loop
  }
  server.wait_until_idle();
}

TEST_CASE("a client that never sends its body is cut off") {
  RunningServer server({.timeouts = {.body = soon}}, add_run);
  auto client = server.client();
  client.send(
      "POST /api/v1/runs/run_1/pause HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{");
  CHECK(client.reads_end());
  server.on_io([](FakeService& service) { CHECK(service.submitted == 0); });
}

TEST_CASE("an idle connection is closed") {
  RunningServer server({.timeouts = {.idle = soon}});
  auto fresh = server.client();
  CHECK(fresh.reads_end());
  auto used = server.client();
  CHECK(used.get("/livez").status == 200);
  CHECK(used.reads_end());
}

TEST_CASE("a client that reads nothing is cut off") {
  // larger than what the system keeps for the two sockets together
  RunningServer server({.timeouts = {.write = soon}}, [](FakeService& service) {
    add_run(service);
    service.runs["run_1"].state = std::string(64 * 1024 * 1024, 'a');
  });
  Client client(server.address(), 4096);
  client.send(get_request("/api/v1/runs/run_1"));
  CHECK(server.next_access().bytes_sent < 64U * 1024U * 1024U);
  server.wait_until_idle();
}

TEST_CASE("a body larger than the limit is refused, and the client can read why") {
  RunningServer const server({.max_body = 1'000});
  auto client = server.client();
  client.try_send(post_request("/api/v1/plans", std::string(200'000, 'a')));
  CHECK(client.read_answer().status == 413);
}

TEST_CASE("a body of exactly the limit is read") {
  RunningServer server({.max_body = 1'000});
  auto client = server.client();
  client.send(
      post_request("/api/v1/plans", std::string(1'000, 'a'), "Content-Type: text/yaml\r\n"));
  CHECK(client.read_answer().status == 201);
  server.on_io([](FakeService& service) { CHECK(service.upload.text.size() == 1'000); });
}

TEST_CASE("a body of megabytes arrives whole") {
  RunningServer server;
  auto client = server.client();
  client.send(post_request("/api/v1/plans", std::string(8 * 1024 * 1024, 'a'),
                           "Content-Type: text/yaml\r\n"));
  CHECK(client.read_answer().status == 201);
  server.on_io(
      [](FakeService& service) { CHECK(service.upload.text.size() == 8U * 1024U * 1024U); });
}

TEST_CASE("a head larger than the limit is refused") {
  RunningServer const server;
  auto client = server.client();
  client.try_send("GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: " + std::string(70'000, 'a') +
                  "\r\n\r\n");
  CHECK(client.read_answer().status == 413);
}

TEST_CASE("more connections than allowed wait until one of the others ends") {
  RunningServer server({.max_connections = 2}, add_run);
  auto const stream = get_request("/api/v1/runs/run_1/events", "Accept: text/event-stream\r\n");
  auto first = std::make_unique<Client>(server.client());
  auto second = server.client();
  for (auto* client : {first.get(), &second}) {
    client->send(stream);
    client->read_until("id: 1\n");
  }
  auto third = server.client();
  third.send(get_request("/livez"));
  first.reset();
  CHECK(server.next_access().target == "/api/v1/runs/run_1/events");
  CHECK(third.read_answer().status == 200);
}

TEST_CASE("connections that do nothing make room for one that wants something") {
  RunningServer const server({.max_connections = 2, .timeouts = {.spare = 1ms}});
  auto first = server.client();
  auto second = server.client();
  CHECK(first.get("/livez").status == 200);
  CHECK(second.get("/livez").status == 200);
  CHECK(server.client().get("/livez").status == 200);
  CHECK(first.reads_end());
}

TEST_CASE("more streams than allowed are refused for now") {
  RunningServer server({.max_streams = 1}, add_run);
  auto const stream = get_request("/api/v1/runs/run_1/events", "Accept: text/event-stream\r\n");
  auto first = server.client();
  first.send(stream);
  first.read_until("id: 1\n");
  auto second = server.client();
  second.send(stream);
  auto const refused = second.read_answer();
  CHECK(refused.status == 503);
  CHECK(refused.headers.contains("retry-after"));
  CHECK(second.get("/livez").status == 200);
}

TEST_CASE("a stream that ended makes room for another") {
  RunningServer server({.max_streams = 1}, add_run);
  auto const stream = get_request("/api/v1/runs/run_1/events", "Accept: text/event-stream\r\n");
  {
    auto first = server.client();
    first.send(stream);
    first.read_until("id: 1\n");
  }
  server.wait_until_idle();
  auto second = server.client();
  second.send(stream);
  CHECK(second.read_head().status == 200);
}

TEST_CASE("without file descriptors the server waits and then goes on") {
  RunningServer server;
  // a thread's first work can open files of its own for a moment
  CHECK(server.client().get("/livez").status == 200);
  server.wait_until_idle();
  std::unique_ptr<Client> client;
  {
    NoDescriptors none;
    none.give_one_back();
    client = std::make_unique<Client>(server.client());
    CHECK(server.next_trouble().find("cannot accept a connection") != std::string::npos);
  }
  CHECK(client->get("/livez").status == 200);
}
