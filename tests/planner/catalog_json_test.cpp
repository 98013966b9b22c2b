// A catalog comes out of its JSON as it went in: every case of locktruth is one.
#include "planner/catalog_json.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "planner/effects.h"
#include "tests/planner/source_files.h"

using namespace runbookd::planner;
using Json = nlohmann::json;

TEST_CASE("a catalog comes out of its JSON as it went in, and leads to the same effects") {
  auto const truth = Json::parse(content(source_dir() / "tests/planner/locktruth/cases.json"));
  int cases = 0;
  for (auto const& one : truth["cases"]) {
    Catalog catalog;
    catalog.complete = true;
    for (auto const& sql : one["setup"]) {
      catalog = replay({.text = sql.get<std::string>()}, std::move(catalog)).catalog;
    }
    auto const text = catalog_json({.catalog = catalog, .server_version = 180001});
    auto const read = catalog_from_json(text);
    REQUIRE(read);
    CHECK(read->server_version == 180001);
    CHECK(catalog_json(*read) == text);
    SqlText const statement{.text = one["statement"].get<std::string>()};
    auto const told = explain(statement, catalog, 17).statements;
    auto const again = explain(statement, read->catalog, 17).statements;
    REQUIRE(told.size() == again.size());
    for (std::size_t i = 0; i < told.size(); ++i) {
      CHECK(told[i].effects == again[i].effects);
    }
    ++cases;
  }
  CHECK(cases >= 350);
}

TEST_CASE("what is no catalog is refused with its reason") {
  for (auto const* text : {"", "[]", "{}", R"({"server_version": 18, "search_path": [1]})",
                           R"({"server_version": 1, "time_zone": "", "complete": true, "relations":
                              [{"name": ["a"]}]})"}) {
    CAPTURE(text);
    CHECK_FALSE(catalog_from_json(text));
  }
}
