#include "store/sqlite.h"

#include <doctest/doctest.h>

#include "tests/store/scratch.h"

namespace runbookd::store {
namespace {

struct Raw {
  Scratch scratch;
  Connection connection = make();
  Connection make() const {
    write_file(scratch.path(), "");
    Connection made(scratch.path());
    made.configure(0);
    made.run_script("CREATE TABLE word (text TEXT NOT NULL UNIQUE) STRICT");
    return made;
  }
  std::int64_t words() { return connection.integer("SELECT count(*) FROM word"); }
};

TEST_CASE_FIXTURE(Raw, "every commit is synced, through a log, and nobody else gets in") {
  CHECK(connection.text("PRAGMA synchronous") == "2");
  CHECK(connection.text("PRAGMA journal_mode") == "wal");
  CHECK(connection.text("PRAGMA locking_mode") == "exclusive");
  CHECK(connection.text("PRAGMA foreign_keys") == "1");
  CHECK(connection.text("PRAGMA trusted_schema") == "0");
  CHECK(connection.text("PRAGMA mmap_size") == "0");
}

TEST_CASE_FIXTURE(Raw, "a transaction that is not committed leaves nothing") {
  {
    Transaction const transaction(connection);
    connection.run_script("INSERT INTO word VALUES ('a')");
  }
  CHECK(words() == 0);
}

TEST_CASE_FIXTURE(Raw, "a transaction that was committed stays") {
  {
    Transaction transaction(connection);
    connection.run_script("INSERT INTO word VALUES ('a')");
    transaction.commit();
  }
  CHECK(words() == 1);
}

TEST_CASE_FIXTURE(Raw, "a statement can be run again after it failed") {
  Statement insert(connection, "INSERT INTO word VALUES (?1)");
  insert.run("a");
  CHECK_THROWS_AS(insert.run("a"), std::logic_error);
  insert.run("b");
  CHECK(words() == 2);
}

TEST_CASE_FIXTURE(Raw, "an empty text is a text and not NULL") {
  Statement insert(connection, "INSERT INTO word VALUES (?1)");
  insert.run(std::string_view());
  CHECK(words() == 1);
}

TEST_CASE_FIXTURE(Raw, "SQL with a mistake is refused when it is prepared") {
  CHECK_THROWS_AS(Statement(connection, "SELEC 1"), StoreFailure);
}

TEST_CASE("a file that is not there is a failure with the path and the command that looks") {
  Scratch const scratch;
  try {
    Connection const connection(scratch.path());
    FAIL("it opened");
  } catch (StoreFailure const& failure) {
    CHECK(
        contains(failure.error().detail, scratch.path() + " cannot be used, it cannot be opened"));
    CHECK(failure.error().next == "ls -la '" + scratch.path() + "'");
  }
}

}  // namespace
}  // namespace runbookd::store
