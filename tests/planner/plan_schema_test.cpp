// The published schema and the reader's tables name the same keys, so that neither can drift.
#include <algorithm>
#include <set>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "planner/plan_reading.h"
#include "planner/size.h"
#include "tests/planner/source_files.h"

using namespace runbookd::planner;
using Json = nlohmann::json;

namespace {

Json schema() { return Json::parse(content(source_dir() / "config/plan.schema.json")); }

Json definition(std::string const& id) {
  Json const all = schema();
  return id == "plan" ? all : all.at("definitions").at(id);
}

std::set<std::string> names(Json const& object) {
  std::set<std::string> all;
  for (auto const& [key, value] : object.items()) {
    all.insert(key);
  }
  return all;
}

template <typename List>
std::set<std::string> as_set(List const& list) {
  return {list.begin(), list.end()};
}

// Everything below `node` that says what a value may be.
void collect(Json const& node, std::vector<Json>& all) {
  if (node.is_object()) {
    all.push_back(node);
  }
  if (node.is_structured()) {
    for (auto const& child : node) {
      collect(child, all);
    }
  }
}

}  // namespace

TEST_CASE("the schema has the keys that the reader has") {
  for (KeySet const& set : known_keys()) {
    CAPTURE(set.id);
    CHECK(names(definition(set.id).at("properties")) == as_set(set.names));
  }
}

TEST_CASE("the schema demands the keys that the reader demands") {
  for (KeySet const& set : known_keys()) {
    CAPTURE(set.id);
    CHECK(as_set(definition(set.id).value("required", Json::array())) == as_set(set.required));
  }
}

TEST_CASE("the schema has no definition that the reader has not") {
  std::set<std::string> read;
  for (KeySet const& set : known_keys()) {
    read.insert(set.id);
  }
  read.erase("plan");
  CHECK(names(schema().at("definitions")) == read);
}

TEST_CASE("the schema allows no other keys and describes each") {
  for (KeySet const& set : known_keys()) {
    Json const found = definition(set.id);
    CHECK(found.at("additionalProperties") == false);
    for (auto const& [key, value] : found.at("properties").items()) {
      CAPTURE(set.id + "." + key);
      Json const described =
          value.contains("$ref") ? definition(std::string(value.at("$ref")).substr(14)) : value;
      CHECK_FALSE(described.value("description", "").empty());
    }
  }
}

TEST_CASE("every reference of the schema leads somewhere") {
  std::vector<Json> all;
  collect(schema(), all);
  for (Json const& node : all) {
    if (node.contains("$ref") && node.at("$ref").is_string()) {
      CHECK_NOTHROW(definition(std::string(node.at("$ref")).substr(14)));
    }
  }
}

TEST_CASE("the schema's defaults are the reader's defaults") {
  CHECK(definition("lock").at("properties").at("stall_budget").at("default") ==
        to_text(LockPolicy{}.stall_budget));
  CHECK(definition("lock").at("properties").at("give_up_after").at("default") ==
        to_text(LockPolicy{}.give_up_after));
  CHECK(definition("defaults").at("properties").at("statement_timeout").at("default") ==
        to_text(Timing{}.statement_timeout));
  CHECK(definition("defaults").at("properties").at("check_timeout").at("default") ==
        to_text(Defaults{}.check_timeout));
  CHECK(definition("batch").at("properties").at("target").at("default") == to_text(Batch{}.target));
  CHECK(definition("batch").at("properties").at("max_rows").at("default") == Batch{}.max_rows);
  CHECK(definition("batch").at("properties").at("pause").at("default") == to_text(Batch{}.pause));
  auto const throttle = definition("throttle").at("properties");
  CHECK(throttle.at("replica_lag").at("default") == to_text(*ThrottlePolicy{}.replica_lag));
  CHECK(throttle.at("slot_wal").at("default") == size_text(*ThrottlePolicy{}.slot_wal));
  CHECK(throttle.at("lock_waiters").at("default") == *ThrottlePolicy{}.lock_waiters);
  CHECK(throttle.at("active_sessions").at("default") ==
        std::to_string(ThrottlePolicy{}.active_sessions->count) + "%");
  CHECK(definition("check").at("properties").at("every").at("default") == to_text(Check{}.every));
}
