// Answers that a target gives: the connection waits for them, the I/O thread does not.
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "tests/web/running_server.h"

using namespace runbookd;
using namespace runbookd::web;
using namespace runbookd::web::test;
using nlohmann::json;

namespace {

void add_run(FakeService& service) { service.add_event("run_1", "created"); }
void add_slow_run(FakeService& service) {
  add_run(service);
  service.slow_target = true;
}

// The question has reached the service.
void wait_for_question(RunningServer& server) {
  for (std::size_t asked = 0; asked == 0;) {
    server.on_io([&asked](FakeService& service) { asked = service.waiting_for_target.size(); });
  }
}
void answer_all(RunningServer& server, Result<Document> const& document) {
  server.on_io([&document](FakeService& service) {
    for (auto const& told : std::exchange(service.waiting_for_target, {})) {
      told(document);
    }
  });
}

}  // namespace

TEST_CASE("what is known at once is answered at once") {
  RunningServer const server({}, add_run);
  auto client = server.client();
  auto const locks = client.get("/api/v1/runs/run_1/locks");
  CHECK(locks.status == 200);
  CHECK(json::parse(locks.body)["answer"] == "show_locks");
  auto const preflight = client.get("/api/v1/runs/run_1/preflight?phase=expand");
  CHECK(json::parse(preflight.body)["answer"] == "show_preflight expand");
  auto const catalog = client.get("/api/v1/targets/main/catalog");
  CHECK(json::parse(catalog.body)["answer"] == "show_catalog main");
  auto const ways = client.post("/api/v1/targets/main/ways-back", "{}");
  CHECK(json::parse(ways.body)["answer"] == "show_ways_back main plan.json");
  CHECK(client.get("/api/v1/runs/run_2/locks").status == 404);
  CHECK(client.get("/api/v1/runs/run_1/locks?phase=expand").status == 400);
}

TEST_CASE("while one waits for a target, others are answered") {
  RunningServer server({}, add_slow_run);
  auto waiting = server.client();
  waiting.send(get_request("/api/v1/runs/run_1/locks"));
  wait_for_question(server);
  CHECK(server.client().get("/livez").status == 200);
  answer_all(server, Document{.json = R"({"here":true})"});
  auto const answer = waiting.read_answer();
  CHECK(answer.status == 200);
  CHECK(json::parse(answer.body)["here"] == true);
  CHECK(waiting.get("/livez").status == 200);
}

TEST_CASE("a refusal of the target is told as one") {
  RunningServer server({}, add_slow_run);
  auto waiting = server.client();
  waiting.send(get_request("/api/v1/runs/run_1/preflight"));
  wait_for_question(server);
  answer_all(server, tl::unexpected(planner::Error{.code = planner::ErrorCode::target_unreachable,
                                                   .detail = "target main: refused"}));
  auto const answer = waiting.read_answer();
  CHECK(answer.status == 503);
  CHECK(json::parse(answer.body)["code"] == "target-unreachable");
}

TEST_CASE("a target that never answers is not waited for for ever") {
  ServerOptions options;
  options.timeouts.later = std::chrono::milliseconds(1);
  RunningServer server(options, add_slow_run);
  CHECK(server.client().get("/api/v1/runs/run_1/locks").status == 503);
  // what comes later has no place to go to any more
  answer_all(server, Document{.json = "{}"});
  CHECK(server.client().get("/livez").status == 200);
}

TEST_CASE("an answer for a server that is gone harms nobody") {
  RunningServer server({}, add_slow_run);
  auto waiting = server.client();
  waiting.send(get_request("/api/v1/runs/run_1/locks"));
  wait_for_question(server);
  server.destroy();
  answer_all(server, Document{.json = "{}"});
  server.wait_until_idle();
  CHECK(waiting.reads_end());
}
