// Events, plans and lists as documents.
#include <boost/pfr.hpp>
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "planner/lint.h"
#include "planner/plan_reader.h"
#include "planner/view.h"
#include "tests/planner/view_life.h"

namespace runbookd::tests {
namespace {

using namespace planner;
using namespace std::chrono_literals;
using nlohmann::json;

constexpr auto hostile = "\"\\\n\x01\xff\xc3\xe2\x82 <script> \xf0\x9f\x98\x80";

// Every text of an event becomes hostile, whatever the event.
template <typename T>
void fill(T& value);
void fill(std::string& text) { text = hostile; }
void fill(BaselineValues& values) { values = {{hostile, hostile}, {"", std::nullopt}}; }
template <typename T>
void fill(std::vector<T>& list) {
  list.resize(2);
  if constexpr (std::is_class_v<T>) {
    for (auto& each : list) {
      fill(each);
    }
  }
}
template <typename T>
void fill(T& value) {
  if constexpr (std::is_same_v<T, Moment>) {
    value = Moment{1h};
  } else if constexpr (std::is_same_v<T, std::optional<Moment>>) {
    value = Moment{2h};
  } else if constexpr (std::is_same_v<T, std::optional<Filled>>) {
    value = Filled{.scanned = 1, .changed = 1, .total = 2};
  } else if constexpr (std::is_same_v<T, Duration>) {
    value = 5ms;
  } else if constexpr (std::is_class_v<T> && std::is_aggregate_v<T>) {
    boost::pfr::for_each_field(value, [](auto& field) { fill(field); });
  }
}

template <std::size_t... Index>
std::vector<EventBody> bodies(bool filled, std::index_sequence<Index...>) {
  std::vector<EventBody> all{std::variant_alternative_t<Index, EventBody>{}...};
  for (auto& body : all) {
    std::visit([&](auto& each) { filled ? fill(each) : void(); }, body);
  }
  return all;
}
std::vector<EventBody> every_body(bool filled) {
  return bodies(filled, std::make_index_sequence<std::variant_size_v<EventBody>>{});
}

json told(EventBody const& body) {
  Event const event{.at = Moment{1h}, .actor = "ana", .reason = "because", .body = body};
  return json::parse(event_json(whole_plan(), {"run_0a1b2c3d4e5f"}, 7, event));
}

TEST_CASE("every kind of event is valid JSON with a sentence, empty or hostile") {
  for (bool const filled : {false, true}) {
    for (auto const& body : every_body(filled)) {
      CAPTURE(kind_of(body));
      Event const event{.at = Moment{1h}, .actor = hostile, .reason = hostile, .body = body};
      auto const parsed =
          json::parse(event_json(whole_plan(), {"run_1"}, 7, event), nullptr, false);
      REQUIRE(parsed.is_object());
      CHECK(parsed["kind"] == kind_of(body));
      CHECK(parsed["seq"] == 7);
      CHECK_FALSE(parsed["message"].get<std::string>().empty());
      CHECK(parsed["message"].get<std::string>().find('\n') == std::string::npos);
    }
  }
}

TEST_CASE("every kind of event can be remembered, also one that does not fit the plan") {
  Life life(whole_plan());
  for (auto body : every_body(true)) {
    life.take({{.at = life.now, .actor = hostile, .body = body}});
    std::visit(
        [](auto& each) {
          if constexpr (requires { each.ref; }) {
            each.ref = {.phase = 99, .step = 99};
          }
          if constexpr (requires { each.to; }) {
            each.to = {.phase = -1, .step = 99};
          }
          if constexpr (requires { each.phase; }) {
            each.phase = 99;
          }
        },
        body);
    CAPTURE(kind_of(body));
    remember(life.plan, life.history, life.state, life.state, {.at = life.now, .body = body});
    CHECK_FALSE(told(body)["message"].get<std::string>().empty());
    CHECK(life.snapshot().is_object());
  }
}

TEST_CASE("an event names phase and step and keeps its recorded fields") {
  auto const event = told(StepFailed{.ref = {.phase = 0, .step = 1},
                                     .attempt = 2,
                                     .failure = {.sqlstate = "23505", .message = "twice"},
                                     .took = 12ms});
  CHECK(event["kind"] == "step.failed");
  CHECK(event["phase"] == "expand");
  CHECK(event["step"] == "index");
  CHECK(event["attempt"] == 2);
  CHECK(event["duration_ms"] == 12);
  CHECK(event["failure"]["condition"] == "unique_violation");
  CHECK(event["actor"] == "ana");
  CHECK(event["reason"] == "because");
  CHECK(event["time"] == "1970-01-01T01:00:00.000Z");
  CHECK(event["message"] == "step expand/index failed: ERROR 23505: twice");
}

TEST_CASE("a place that the plan does not have has no name") {
  auto const event = told(StepStarted{.ref = {.phase = 9, .step = 0}});
  CHECK_FALSE(event.contains("phase"));
  CHECK_FALSE(event.contains("step"));
}

TEST_CASE("a blocker's long query is cut in events too") {
  auto const event = told(StepFailed{.blockers = {{.pid = 1, .query = std::string(5000, 'x')}}});
  CHECK(event["blockers"][0]["query"].get<std::string>().size() == 503);
}

TEST_CASE("a progress line says which step and how far") {
  Live live{.activity = "backfilling", .backend_pid = 5};
  live.progress = Progress{.rows_scanned = 1, .rows_changed = 1, .rows_total = 8};
  auto const line = json::parse(progress_json({"run_1"}, "backfill/fill", live, {}));
  CHECK(line["kind"] == "step.progress");
  CHECK(line["phase"] == "backfill");
  CHECK(line["step"] == "fill");
  CHECK(line["backfill"]["percent"] == 12.5);
  CHECK(line["message"] == "step backfill/fill is filling in: 12.5 %, 1 row changed");
}

TEST_CASE("a plan's document holds the plan itself, its outline and lint's findings") {
  auto const plan = whole_plan();
  auto const document = json::parse(plan_json(plan, {"sha256:abc"}, canonical_json(plan)));
  CHECK(document["digest"] == "sha256:abc");
  CHECK(document["plan"]["name"] == "add-currency");
  CHECK(document["phases"][2]["steps"][0]["reversible"] == false);
  CHECK(document["findings"].size() == lint(plan).size());
}

TEST_CASE("findings keep place, rule, severity and fix") {
  Findings const findings{{.rule = "sql/syntax",
                           .severity = Severity::warning,
                           .place = {.file = "plan.yaml", .line = 3, .column = 5},
                           .message = hostile,
                           .fix = "write it"}};
  auto const one = json::parse(findings_json(findings))[0];
  CHECK(one["rule"] == "sql/syntax");
  CHECK(one["severity"] == "warning");
  CHECK(one["file"] == "plan.yaml");
  CHECK(one["line"] == 3);
  CHECK(one["fix"] == "write it");
}

}  // namespace
}  // namespace runbookd::tests
