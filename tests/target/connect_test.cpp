#include <string>

#include <doctest/doctest.h>

#include "daemon/target/dsn.h"
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

TEST_SUITE("connection strings that are only read") {
  static std::string told(std::string const& dsn) {
    std::string all;
    for (auto const& problem : daemon::dsn_problems(dsn)) {
      all += problem.what + "; " + problem.fix + "\n";
    }
    CHECK(all.find("hunter") == std::string::npos);
    return all;
  }
  TEST_CASE("both forms are good, also with several hosts that lead to the primary") {
    for (auto const* dsn :
         {"", "host=x dbname=y user=z password='hunter 2' sslmode=require",
          "postgresql://z:hunter2@x:5433/y?sslmode=verify-full", "postgres:///y?host=/run/pg",
          "host=a,b port=1,2 target_session_attrs=read-write",
          "postgresql://u:hunter2@a:1,b:2/d?target_session_attrs=primary"}) {
      CAPTURE(std::string(dsn));
      CHECK(told(dsn) == "");
    }
  }
  TEST_CASE("each mistake is named, never a word of the string") {
    struct Row {
      char const* dsn;
      char const* words;
    };
    constexpr Row rows[] = {
        {"hots=x password=hunter2", "did you mean \"host\"?"},
        {"host=x password=my hunter2=x", "keyword that libpq does not know"},
        {"postgresql://u:hunter2@h/d?sslmod=x", "did you mean \"sslmode\"?"},
        {"host=x password=my hunter2", "a word without = after it"},
        {"host=x password='hunter2", "a quotation mark that is never closed"},
        {"postgresql://u:hunter%zz@h/d", "no two hexadecimal digits follow"},
        {"postgresql://u:hunter2@[::1/d", "a [ without its ]"},
        {"host=x port=54x32", "is no port"},
        {"postgresql://u:hunter2@h:70000/d", "is no port"},
        {"host=x sslmode=maybe", "`sslmode`"},
        {"host=x sslmode=maybe connect_timeout=soon",
         "`connect_timeout` of the connection string is "
         "no whole number"},
        {"host=x gssencmode=on", "disable, prefer or require"},
        {"host=x channel_binding=yes password=hunter2", "`channel_binding`"},
        {"host=x ssl_min_protocol_version=1.2", "TLSv1.2 or TLSv1.3"},
        {"postgresql://u:hunter2@h/d?target_session_attrs=master", "`target_session_attrs`"},
        {"host=x keepalives_idle=1m", "`keepalives_idle`"},
        {"host=x replication=database", "a replication connection"},
        {"host=a,b password=hunter2", "names several hosts"},
        {"postgresql://u:hunter2@a,b/d", "names several hosts"},
        {"host=a,b target_session_attrs=any", "names several hosts"},
    };
    for (auto const& row : rows) {
      CAPTURE(std::string(row.dsn));
      CHECK(told(row.dsn).find(row.words) != std::string::npos);
    }
  }
  TEST_CASE("a keyword that libpq does not know is named where it is no piece of a password") {
    CHECK(told("host=x frobnicate=1").find("does not know: \"frobnicate\"") != std::string::npos);
    CHECK(told("hots=x password=hunter2").find(": \"hots\"") != std::string::npos);
    CHECK(told("postgresql://u@h:5432/d?sslmod=x").find(": \"sslmod\"") != std::string::npos);
    CHECK(told("host=x password=my hunter2=x").find("hunter2") == std::string::npos);
    CHECK(told("postgresql://u:my/s?hunter2=x@h/d").find("hunter2") == std::string::npos);
  }
  TEST_CASE("a password file that the string names is found in both forms") {
    CHECK(daemon::passfile_in("host=x passfile=/a/b") == "/a/b");
    CHECK(daemon::passfile_in("postgresql://h/d?passfile=%2Fa%2Fb") == "/a/b");
    CHECK_FALSE(daemon::passfile_in("host=x"));
  }
}
