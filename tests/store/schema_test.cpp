#include "store/schema.h"

#include <array>

#include <doctest/doctest.h>

#include "tests/store/scratch.h"

namespace runbookd::store {
namespace {

constexpr SchemaFile first{"0001_first", "CREATE TABLE one (a INTEGER) STRICT;"};
constexpr SchemaFile second{"0002_second",
                            "CREATE TABLE two (a INTEGER) STRICT; INSERT INTO two VALUES (5);"};
constexpr SchemaFile broken{"0002_broken",
                            "CREATE TABLE two (a INTEGER) STRICT; INSERT INTO nowhere VALUES (5);"};

struct Empty {
  Scratch scratch;
  Connection connection = make();
  Connection make() const {
    write_file(scratch.path(), "");
    return Connection(scratch.path());
  }
  template <std::size_t Size>
  planner::Result<void> bring(std::array<SchemaFile, Size> const& files) {
    return bring_up_to_date(connection, files);
  }
};

TEST_CASE_FIXTURE(Empty, "schema files run in order and are recorded") {
  REQUIRE(bring(std::array{first, second}));
  CHECK(connection.integer("SELECT a FROM two") == 5);
  CHECK(connection.integer("PRAGMA user_version") == 2);
  CHECK(connection.text("SELECT group_concat(name) FROM schema_file") == "0001_first,0002_second");
  CHECK(connection.integer("SELECT min(length(checksum)) FROM schema_file") == 64);
}

TEST_CASE_FIXTURE(Empty, "an older store gets only what it lacks") {
  REQUIRE(bring(std::array{first}));
  connection.run_script("INSERT INTO one VALUES (1)");
  REQUIRE(bring(std::array{first, second}));
  CHECK(connection.integer("SELECT count(*) FROM one") == 1);
  CHECK(connection.integer("PRAGMA user_version") == 2);
}

TEST_CASE_FIXTURE(Empty, "a schema file that fails leaves the store as it was") {
  REQUIRE(bring(std::array{first}));
  CHECK_FALSE(bring(std::array{first, broken}));
  CHECK(connection.integer("PRAGMA user_version") == 1);
  CHECK(connection.integer("SELECT count(*) FROM sqlite_schema WHERE name = 'two'") == 0);
  CHECK(connection.integer("SELECT count(*) FROM schema_file") == 1);
  CHECK(bring(std::array{first, second}));
}

TEST_CASE_FIXTURE(Empty, "a newer store is refused with both numbers") {
  REQUIRE(bring(std::array{first, second}));
  auto const refused = bring(std::array{first});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == planner::ErrorCode::store_unavailable);
  CHECK(contains(refused.error().detail, "schema version 2"));
  CHECK(contains(refused.error().detail, "versions up to 1"));
}

TEST_CASE_FIXTURE(Empty, "a store whose history differs from ours is refused") {
  REQUIRE(bring(std::array{first}));
  auto const other = SchemaFile{"0001_first", "CREATE TABLE one (a TEXT) STRICT;"};
  auto const refused = bring(std::array{other, second});
  REQUIRE_FALSE(refused);
  CHECK(contains(refused.error().detail, "0001_first"));
  CHECK(connection.integer("PRAGMA user_version") == 1);
}

TEST_CASE("the schema files that are built in are there") {
  REQUIRE(schema_files().size() >= 3);
  CHECK(schema_files().front().name == "0001_journal");
  CHECK(contains(std::string(schema_files().front().sql), "CREATE TABLE event"));
}

}  // namespace
}  // namespace runbookd::store
