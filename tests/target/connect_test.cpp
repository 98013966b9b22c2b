#include <string>

#include <doctest/doctest.h>

#include "tests/target/target.h"

using namespace runbookd;
using runbookd::testing::PostgresCluster;
using runbookd::testing::server;

namespace {

daemon::SqlFailure refused(std::string const& dsn) {
  auto const session = daemon::connect({.name = "billing", .dsn = dsn}, "test");
  REQUIRE_FALSE(session);
  CHECK(session.error().message.find("target billing") != std::string::npos);
  CHECK(session.error().message.find("hunter2") == std::string::npos);
  return session.error();
}

bool says(daemon::SqlFailure const& failure, std::string const& words) {
  bool const said = failure.message.find(words) != std::string::npos;
  if (!said) {
    MESSAGE(failure.message);
  }
  return said;
}

}  // namespace

TEST_CASE("a password is accepted over TCP") {
  auto const dsn = server().tcp_dsn("postgres", "postgres", PostgresCluster::password);
  CHECK(daemon::connect({.name = "billing", .dsn = dsn}, "test"));
}

TEST_CASE("a wrong password is told with host and port and without the password") {
  auto const failure = refused(server().tcp_dsn("postgres", "postgres", "hunter2"));
  CHECK(failure.sqlstate == "28P01");
  CHECK(says(failure, "the password was refused"));
  CHECK(says(failure, "host=127.0.0.1 port=" + std::to_string(server().port())));
}

TEST_CASE("an unknown database is told by name") {
  auto const failure = refused(server().dsn("no_such_database"));
  CHECK(failure.sqlstate == "3D000");
  CHECK(says(failure, "the database does not exist"));
  CHECK(says(failure, "dbname=no_such_database"));
}

TEST_CASE("an unknown user is told by name") {
  auto const failure = refused(server().dsn("postgres", "no_such_user"));
  CHECK(failure.sqlstate == "28000");
  CHECK(says(failure, "no_such_user"));
}

TEST_CASE("a port where nothing listens is told") {
  auto const failure = refused("host=127.0.0.1 port=1 dbname=x user=y password=hunter2");
  CHECK(says(failure, "nothing listens there"));
  CHECK(failure.fate == daemon::SqlFailure::Fate::failed);
}

TEST_CASE("a socket folder without a server is told") {
  CHECK(says(refused("host=/nowhere dbname=x user=y"), "no server listens on this socket"));
}

TEST_CASE("a connection string that cannot be read is told without quoting it") {
  CHECK(says(refused("host=x hunter2 and more"), "cannot be read"));
}

TEST_CASE("a described connection string leaves out the password") {
  CHECK(daemon::described_dsn("host=db port=6000 dbname=app user=mover password=hunter2") ==
        "host=db port=6000 dbname=app user=mover");
  CHECK(daemon::described_dsn("postgresql://mover:hunter2@db/app") ==
        "host=db port=5432 dbname=app user=mover");
  CHECK(daemon::described_dsn("dbname=app") == "host=local socket port=5432 dbname=app");
}

TEST_CASE("a session that works for an attempt is named after the store, the run and the attempt") {
  auto tag = testing::tag(7);
  tag.store = "0123456789abcdef";
  CHECK(daemon::application_name(tag) == "runbookd/01234567/run_0123456789ab/1.2f7");
  CHECK(daemon::session_name(tag.store, tag.run) == "runbookd/01234567/run_0123456789ab");
}

TEST_CASE("a name that is longer than the server keeps still tells the attempt") {
  auto tag = testing::tag(12);
  tag.run = std::string(80, 'x');
  auto const name = daemon::application_name(tag);
  CHECK(name.size() == 63);
  CHECK(name.ends_with("/1.2f12"));
}
