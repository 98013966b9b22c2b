#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "tests/web/asking.h"

using namespace runbookd;
using namespace runbookd::web;
using namespace runbookd::web::test;
using nlohmann::json;
using planner::ErrorCode;

namespace {

struct OneRun : FakeService {
  OneRun() {
    for (auto const* kind : {"created", "started", "step.started"}) {
      add_event("run_1", kind);
    }
  }
};
std::string const run = "/api/v1/runs/run_1";

}  // namespace

TEST_CASE("a created run has a place and a revision") {
  OneRun service;
  auto const response =
      post(service, "/api/v1/runs", R"({"plan":"sha256:a","target":"main","note":"n"})",
           {{"runbook-actor", "ana"}});
  CHECK(response.status == 201);
  CHECK(header_of(response, "Location") == "/api/v1/runs/run_new");
  CHECK(header_of(response, "ETag") == "\"1\"");
  CHECK(service.run_request.plan == "sha256:a");
  CHECK(service.run_request.target == "main");
  CHECK(service.run_request.note == "n");
  CHECK(service.run_request.actor == "ana");
}

TEST_CASE("creating a run without plan or target is refused") {
  OneRun service;
  CHECK(code_of(post(service, "/api/v1/runs", "{}")) == "malformed");
  CHECK(code_of(ask(service, "POST", "/api/v1/runs")) == "malformed");
}

TEST_CASE("creating a run on a busy target is a conflict") {
  OneRun service;
  service.refuse = planner::Error{.code = ErrorCode::target_busy};
  CHECK(post(service, "/api/v1/runs", R"({"plan":"a","target":"main"})").status == 409);
}

TEST_CASE("creating a run wants JSON") {
  OneRun service;
  auto const response = ask(service, "POST", "/api/v1/runs", R"({"plan":"a","target":"b"})",
                            {{"content-type", "text/plain"}});
  CHECK(response.status == 415);
}

TEST_CASE("runs are listed by their filters") {
  OneRun service;
  CHECK(
      ask(service, "GET", "/api/v1/runs?state=paused&target=main&plan=p&limit=3&cursor=c").status ==
      200);
  CHECK(service.run_query.state == "paused");
  CHECK(service.run_query.target == "main");
  CHECK(service.run_query.plan == "p");
  CHECK(service.run_query.limit == 3);
  CHECK(service.run_query.cursor == "c");
}

TEST_CASE("a mistyped filter does not list all runs") {
  OneRun service;
  CHECK(ask(service, "GET", "/api/v1/runs?stat=paused").status == 400);
  CHECK(ask(service, "GET", "/api/v1/runs?limit=x").status == 400);
}

TEST_CASE("a run's snapshot carries its revision") {
  OneRun service;
  auto const response = ask(service, "GET", run);
  CHECK(response.status == 200);
  CHECK(header_of(response, "ETag") == "\"3\"");
}

TEST_CASE("what belongs to a run that is not there is not found") {
  OneRun service;
  for (auto const* rest : {"", "/steps", "/steps/p/s", "/rollback-preview", "/events"}) {
    CAPTURE(rest);
    CHECK(ask(service, "GET", std::string("/api/v1/runs/run_x") + rest).status == 404);
  }
  CHECK(post(service, "/api/v1/runs/run_x/pause", "{}").status == 404);
}

TEST_CASE("steps and one step are shown") {
  OneRun service;
  CHECK(ask(service, "GET", run + "/steps").status == 200);
  CHECK(ask(service, "GET", run + "/steps/expand/add%20column").status == 200);
  CHECK(service.asked == "show_step expand/add column");
}

TEST_CASE("a rollback can be looked at before") {
  OneRun service;
  CHECK(ask(service, "GET", run + "/rollback-preview").status == 200);
  CHECK(service.preview.extent == planner::RollBack::Extent::last_step);
  ask(service, "GET", run + "/rollback-preview?to=expand%2Fadd");
  CHECK(service.preview.extent == planner::RollBack::Extent::to_step);
  CHECK(service.preview.to == "expand/add");
}

TEST_CASE("a preview to nowhere is refused") {
  OneRun service;
  CHECK(ask(service, "GET", run + "/rollback-preview?to=/x").status == 400);
  CHECK(ask(service, "GET", run + "/rollback-preview?step=x").status == 400);
}

TEST_CASE("each verb reaches the run as the wish of its name") {
  OneRun service;
  std::pair<char const*, char const*> const verbs[] = {
      {"start", "{}"},
      {"advance", R"({"to_phase":"p"})"},
      {"approve", R"({"phase":"p"})"},
      {"reject", R"({"phase":"p"})"},
      {"evaluate", "{}"},
      {"confirm", R"({"step":"p/s"})"},
      {"pause", "{}"},
      {"resume", "{}"},
      {"retry", "{}"},
      {"skip", R"({"step":"p/s"})"},
      {"resolve", R"({"step":"p/s","as":"failed","evidence":"e"})"},
      {"rollback", R"({"to":"all"})"},
      {"cancel", "{}"},
      {"throttle", R"({"ratio":0.3})"},
      {"withdraw", R"({"phase":"p"})"},
      {"override", R"({"phase":"p"})"},
      {"countersign", R"({"phase":"p"})"},
  };
  std::size_t index = 0;
  for (auto const& [verb, body] : verbs) {
    CAPTURE(verb);
    CHECK(post(service, run + "/" + verb, body).status == 200);
    // the verbs stand in the order of the variant
    CHECK(service.command.ask.index() == index++);
  }
  CHECK(index == std::variant_size_v<planner::Ask>);
}

TEST_CASE("each verb refuses a key that it does not know") {
  OneRun service;
  for (auto const* verb : {"start", "advance", "approve", "reject", "evaluate", "confirm", "pause",
                           "resume", "retry", "skip", "resolve", "rollback", "cancel", "throttle",
                           "withdraw", "override", "countersign"}) {
    CAPTURE(verb);
    CHECK(code_of(post(service, run + "/" + verb, R"({"surprise":1})")) == "malformed");
  }
  CHECK(service.submitted == 0);
}

TEST_CASE("a verb without a body needs no content type") {
  OneRun service;
  CHECK(ask(service, "POST", run + "/pause").status == 200);
}

TEST_CASE("a verb with a body that is not said to be JSON is refused") {
  OneRun service;
  auto const response = ask(service, "POST", run + "/pause", "{}",
                            {{"content-type", "application/x-www-form-urlencoded"}});
  CHECK(response.status == 415);
  CHECK(json::parse(response.body)["next"].get<std::string>().find("application/json") !=
        std::string::npos);
  CHECK(service.submitted == 0);
}

TEST_CASE("an answer says 202 while something goes on after it") {
  OneRun service;
  for (auto const* state : {"running", "pausing", "cancelling"}) {
    CAPTURE(state);
    service.runs["run_1"].state = state;
    CHECK(post(service, run + "/pause", "{}").status == 202);
  }
  for (auto const* state : {"pending", "waiting", "paused", "failed", "attention", "succeeded",
                            "rolled_back", "cancelled"}) {
    CAPTURE(state);
    service.runs["run_1"].state = state;
    CHECK(post(service, run + "/pause", "{}").status == 200);
  }
}

TEST_CASE("a command carries its actor and reason") {
  OneRun service;
  post(service, run + "/pause", R"({"reason":"lunch"})", {{"runbook-actor", "ana"}});
  CHECK(service.command.actor == "ana");
  CHECK(service.command.reason == "lunch");
}

TEST_CASE("without a name the actor is local") {
  OneRun service;
  post(service, run + "/pause", "{}");
  CHECK(service.command.actor == "local");
}

TEST_CASE("an actor that is no name is refused") {
  OneRun service;
  for (auto const& actor :
       {std::string(), std::string("a\tb"), std::string("\xff"), std::string(129, 'a')}) {
    CAPTURE(actor);
    CHECK(post(service, run + "/pause", "{}", {{"runbook-actor", actor}}).status == 400);
  }
  CHECK(post(service, run + "/pause", "{}", {{"runbook-actor", "a"}, {"runbook-actor", "b"}})
            .status == 400);
  CHECK(post(service, "/api/v1/runs", R"({"plan":"a","target":"b"})", {{"runbook-actor", ""}})
            .status == 400);
  CHECK(service.submitted == 0);
}

TEST_CASE("If-Match reaches the run as the revision that was seen") {
  OneRun service;
  CHECK(post(service, run + "/pause", "{}", {{"if-match", "\"3\""}}).status == 200);
  CHECK(service.expected == 3);
  post(service, run + "/pause", "{}");
  CHECK_FALSE(service.expected);
}

TEST_CASE("a stale revision is answered with the current one") {
  OneRun service;
  auto const response = post(service, run + "/pause", "{}", {{"if-match", "\"2\""}});
  CHECK(response.status == 412);
  CHECK(header_of(response, "ETag") == "\"3\"");
}

TEST_CASE("an If-Match that names no revision is refused") {
  OneRun service;
  for (auto const* tag :
       {"*", "3", "W/\"3\"", "\"3\", \"4\"", "\"x\"", "\"\"", "", "\"-1\"", "\""}) {
    CAPTURE(tag);
    CHECK(code_of(post(service, run + "/pause", "{}", {{"if-match", tag}})) == "malformed");
  }
  CHECK(service.submitted == 0);
}

TEST_CASE("a refusal by the run has its status, state and verbs") {
  OneRun service;
  service.refuse = planner::Error{
      .code = ErrorCode::illegal_transition, .state = "succeeded", .allowed = {"rollback"}};
  auto const response = post(service, run + "/resume", "{}");
  CHECK(response.status == 409);
  CHECK(json::parse(response.body)["allowed_actions"].at(0) == "rollback");
}

TEST_CASE("events come in pages that say where the next one begins") {
  OneRun service;
  auto const page = json::parse(ask(service, "GET", run + "/events?limit=2").body);
  CHECK(page["events"].size() == 2);
  CHECK(page["next_after"] == 2);
  CHECK(page["more"] == true);
  auto const rest = json::parse(ask(service, "GET", run + "/events?after=2").body);
  CHECK(rest["events"].size() == 1);
  CHECK(rest["events"][0]["kind"] == "step.started");
  CHECK(rest["more"] == false);
}

TEST_CASE("a page after the last event stays where it is") {
  OneRun service;
  auto const page = json::parse(ask(service, "GET", run + "/events?after=3").body);
  CHECK(page["events"].empty());
  CHECK(page["next_after"] == 3);
}

TEST_CASE("Last-Event-ID goes before ?after=") {
  OneRun service;
  auto const response = ask(service, "GET", run + "/events?after=1", "",
                            {{"accept", "text/event-stream"}, {"last-event-id", "2"}});
  REQUIRE(response.follow);
  CHECK(response.follow->after == 2);
  CHECK(response.follow->run.text == "run_1");
}

TEST_CASE("a place that is no event's number is refused") {
  OneRun service;
  for (auto const* after : {"-1", "x", "1x", "99999999999999999999"}) {
    CAPTURE(after);
    CHECK(ask(service, "GET", run + "/events?after=" + after).status == 400);
    CHECK(ask(service, "GET", run + "/events", "", {{"last-event-id", after}}).status == 400);
  }
}

TEST_CASE("a stream is only begun for a run that is there") {
  OneRun service;
  auto const response =
      ask(service, "GET", "/api/v1/runs/run_x/events", "", {{"accept", "text/event-stream"}});
  CHECK(response.status == 404);
  CHECK_FALSE(response.follow);
}

TEST_CASE("events in another form are not to be had") {
  OneRun service;
  CHECK(code_of(ask(service, "GET", run + "/events", "", {{"accept", "text/html"}})) ==
        "not-acceptable");
}

TEST_CASE("events know two parameters") {
  OneRun service;
  CHECK(ask(service, "GET", run + "/events?afer=2").status == 400);
  CHECK(ask(service, "GET", run + "/events?limit=0").status == 400);
}
