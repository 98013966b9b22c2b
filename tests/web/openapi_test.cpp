// The document against the program: neither knows a path, a problem or a kind of event that the
// other does not.
#include "web/openapi.h"

#include <set>
#include <string>
#include <utility>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "planner/event.h"
#include "web/problem.h"
#include "web/router.h"

namespace runbookd::web {
namespace {

using nlohmann::json;

json const& document() {
  static json const parsed = json::parse(openapi_document());
  return parsed;
}

std::string upper(std::string text) {
  for (auto& c : text) {
    c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

// Every "$ref" below.
void collect_refs(json const& node, std::set<std::string>& refs) {
  for (auto const& [key, value] : node.items()) {
    if (node.is_object() && key == "$ref") {
      refs.insert(value.get<std::string>());
    } else if (value.is_structured()) {
      collect_refs(value, refs);
    }
  }
}

template <std::size_t... Index>
std::set<std::string> kinds_of_events(std::index_sequence<Index...>) {
  return {std::string(planner::kind_of(
      planner::EventBody{std::variant_alternative_t<Index, planner::EventBody>{}}))...};
}

}  // namespace

TEST_CASE("every route has its operation, and every operation its route, with what that asks for") {
  std::set<std::pair<std::string, std::string>> routes;
  for (auto const& route : route_names()) {
    CAPTURE(route.method);
    CAPTURE(route.pattern);
    routes.emplace(route.method, route.pattern);
    std::string method;
    for (char const c : route.method) {
      method += static_cast<char>(c - 'A' + 'a');
    }
    auto const place = json::json_pointer() / "paths" / std::string(route.pattern) / method;
    REQUIRE(document().contains(place));
    CHECK(document()[place]["x-runbookd-capability"] == to_text(route.needs));
    CHECK_FALSE(document()[place]["summary"].get<std::string>().empty());
  }
  std::set<std::pair<std::string, std::string>> described;
  std::set<std::string> names;
  for (auto const& [path, operations] : document()["paths"].items()) {
    for (auto const& [method, operation] : operations.items()) {
      described.emplace(upper(method), path);
      CHECK_MESSAGE(names.insert(operation["operationId"]).second, operation["operationId"]);
    }
  }
  CHECK(described == routes);
}

TEST_CASE("every problem is an example, and operations name no other") {
  std::set<std::string> known;
  for (auto const code : all_problems()) {
    std::string const slug(planner::to_slug(code));
    known.insert(slug);
    auto const& example = document()["components"]["examples"][slug]["value"];
    CHECK(example["code"] == slug);
    CHECK(example["status"] == problem_kind(code).status);
  }
  CHECK(document()["components"]["schemas"]["ProblemCode"]["enum"].get<std::set<std::string>>() ==
        known);
  for (auto const& [path, operations] : document()["paths"].items()) {
    for (auto const& [method, operation] : operations.items()) {
      CAPTURE(path);
      CAPTURE(method);
      for (auto const& code : operation["x-runbookd-problems"]) {
        CHECK_MESSAGE(known.contains(code), code);
      }
    }
  }
}

TEST_CASE("every kind of event has its schema") {
  auto const kinds =
      kinds_of_events(std::make_index_sequence<std::variant_size_v<planner::EventBody>>{});
  std::set<std::string> described;
  auto const& any = document()["components"]["schemas"]["Event"];
  for (auto const& [kind, place] : any["discriminator"]["mapping"].items()) {
    described.insert(kind);
  }
  CHECK(described == kinds);
  CHECK(any["oneOf"].size() == kinds.size());
}

TEST_CASE("whatever the document points at is there, and nothing of its files' spelling is left") {
  std::set<std::string> refs;
  collect_refs(document(), refs);
  CHECK(refs.size() > 50);
  for (auto const& ref : refs) {
    CAPTURE(ref);
    CHECK(document().contains(json::json_pointer(ref.substr(1))));
  }
  for (auto const* word : {"\"all_but\"", "\"like\""}) {
    CHECK_MESSAGE(openapi_document().find(word) == std::string::npos, word);
  }
}

}  // namespace runbookd::web
