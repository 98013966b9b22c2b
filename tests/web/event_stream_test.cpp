#include "web/event_stream.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <doctest/doctest.h>

#include "tests/web/fake_service.h"

using namespace runbookd::web;
using namespace runbookd::web::test;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

// A stream on a loop that the test turns by hand.
struct Following {
  explicit Following(FakeService& service, runbookd::planner::EventSeq after = 0,
                     std::chrono::milliseconds comment_every = 1h)
      : stream(io.get_executor(), service, {{"run_1"}, after}, comment_every) {}

  asio::io_context io;
  EventStream stream;

  std::future<std::string> begin_next() {
    auto text = asio::co_spawn(io, stream.next(), asio::use_future);
    io.restart();
    io.poll();
    return text;
  }
  std::string next() {
    auto text = begin_next();
    io.restart();
    io.run();
    return text.get();
  }
};

bool is_there(std::future<std::string> const& text) {
  return text.wait_for(0s) == std::future_status::ready;
}

}  // namespace

TEST_CASE("an event has id, kind and data") {
  CHECK(to_stream_text({7, "step.started", R"({"a":1})"}) ==
        "id: 7\nevent: step.started\ndata: {\"a\":1}\n\n");
}

TEST_CASE("a live line has no id") {
  CHECK(to_stream_text({0, "step.progress", "{}"}) == "event: step.progress\ndata: {}\n\n");
}

TEST_CASE("a line break in a document does not break the event") {
  CHECK(to_stream_text({1, "k", "{\n}"}) == "id: 1\nevent: k\ndata: {\ndata: }\n\n");
}

TEST_CASE("a stream first says how soon to come back, then what happened") {
  FakeService service;
  service.add_event("run_1", "created");
  service.add_event("run_1", "started");
  Following following(service);
  CHECK(following.next() == "retry: 3000\n\n");
  auto const text = following.next();
  CHECK(text.find("id: 1\nevent: created\n") != std::string::npos);
  CHECK(text.find("id: 2\nevent: started\n") != std::string::npos);
}

TEST_CASE("a stream goes on after the event it is told") {
  FakeService service;
  service.add_event("run_1", "created");
  service.add_event("run_1", "started");
  Following following(service, 1);
  following.next();
  CHECK(following.next().starts_with("id: 2\n"));
}

TEST_CASE("a stream waits until the run has grown") {
  FakeService service;
  service.runs["run_1"];
  Following following(service);
  following.next();
  auto text = following.begin_next();
  CHECK_FALSE(is_there(text));
  service.add_event("run_1", "created");
  following.io.restart();
  following.io.run();
  CHECK(text.get().starts_with("id: 1\n"));
}

TEST_CASE("a stream with nothing to say says so") {
  FakeService service;
  service.runs["run_1"];
  Following following(service, 0, 1ms);
  following.next();
  CHECK(following.next() == ": still here\n\n");
}

TEST_CASE("a stream ends after the last event of a final run") {
  FakeService service;
  service.add_event("run_1", "created");
  service.end_run("run_1");
  Following following(service);
  following.next();
  CHECK(following.next().starts_with("id: 1\n"));
  CHECK_FALSE(following.stream.complete());
  CHECK(following.next().empty());
  CHECK(following.stream.complete());
}

TEST_CASE("a waiting stream ends when its run does") {
  FakeService service;
  service.runs["run_1"];
  Following following(service);
  following.next();
  auto text = following.begin_next();
  service.end_run("run_1");
  following.io.restart();
  following.io.run();
  CHECK(text.get().empty());
  CHECK(following.stream.complete());
}

TEST_CASE("the newest live line is told once") {
  FakeService service;
  service.runs["run_1"];
  service.set_live("run_1", R"({"rows":1})");
  service.set_live("run_1", R"({"rows":2})");
  Following following(service);
  following.next();
  CHECK(following.next() == "event: step.progress\ndata: {\"rows\":2}\n\n");
  auto text = following.begin_next();
  CHECK_FALSE(is_there(text));
  service.set_live("run_1", R"({"rows":3})");
  following.io.restart();
  following.io.run();
  CHECK(text.get() == "event: step.progress\ndata: {\"rows\":3}\n\n");
}

TEST_CASE("live lines that follow each other closely are told as one, the newest") {
  FakeService service;
  service.runs["run_1"];
  service.set_live("run_1", R"({"rows":1})");
  Following following(service);
  following.next();
  CHECK(following.next().find(R"({"rows":1})") != std::string::npos);
  service.set_live("run_1", R"({"rows":2})");
  auto text = following.begin_next();
  CHECK_FALSE(is_there(text));
  service.set_live("run_1", R"({"rows":3})");
  following.io.restart();
  following.io.run();
  CHECK(text.get() == "event: step.progress\ndata: {\"rows\":3}\n\n");
}

TEST_CASE("what is stored goes before what is live") {
  FakeService service;
  service.add_event("run_1", "created");
  service.set_live("run_1", "{}");
  Following following(service);
  following.next();
  auto const text = following.next();
  CHECK(text.find("id: 1") < text.find("step.progress"));
}

TEST_CASE("many events come in batches") {
  FakeService service;
  for (int i = 0; i < 100; ++i) {
    service.add_event("run_1", "tick");
  }
  Following following(service);
  following.next();
  CHECK(following.next().find("id: 100\n") == std::string::npos);
  CHECK(following.next().find("id: 100\n") != std::string::npos);
}

TEST_CASE("a stopped stream ends its wait and its subscription, and is not complete") {
  FakeService service;
  service.runs["run_1"];
  Following following(service);
  following.next();
  auto text = following.begin_next();
  CHECK(service.subscriptions == 1);
  following.stream.stop();
  CHECK(service.subscriptions == 0);
  following.io.restart();
  following.io.run();
  CHECK(text.get().empty());
  CHECK_FALSE(following.stream.complete());
}

TEST_CASE("a store that fails ends the stream without calling it complete") {
  FakeService service;
  service.runs["run_1"];
  Following following(service);
  following.next();
  service.refuse = runbookd::planner::Error{};
  CHECK(following.next().empty());
  CHECK_FALSE(following.stream.complete());
}
