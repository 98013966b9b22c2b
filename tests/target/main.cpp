// One server for the whole suite: PostgreSQL RUNBOOKD_TEST_MAJOR (15 where it is not said).
#define DOCTEST_CONFIG_IMPLEMENT
#include <cstdlib>
#include <iostream>
#include <string>

#include <doctest/doctest.h>

#include "tests/target/target.h"

#if defined(__SANITIZE_ADDRESS__)
// libpqxx 6.4.5 forgets the last answer of a connection that broke under it: two kilobytes each
// time.
extern "C" char const* __lsan_default_suppressions();
extern "C" char const* __lsan_default_suppressions() {
  return "leak:PQmakeEmptyPGresult\nleak:libpqxx-6.4\n";
}
#endif

namespace {

constexpr int skipped = 77;

std::string from_environment(char const* name, std::string const& otherwise) {
  char const* value = std::getenv(name);
  return value == nullptr ? otherwise : value;
}

}  // namespace

int main(int argc, char** argv) {
  doctest::Context context(argc, argv);
  int const major = std::stoi(from_environment("RUNBOOKD_TEST_MAJOR", "15"));
  if (!runbookd::testing::PostgresCluster::programs(major)) {
    bool const demanded = from_environment("RUNBOOKD_PG_ALL", "0") == "1";
    std::cerr << (demanded ? "FAILED" : "SKIPPED") << ": no server programs of PostgreSQL " << major
              << "; deploy/fetch-postgres.sh gets them, RUNBOOKD_PG" << major
              << "_BIN names their folder\n";
    return demanded ? 1 : skipped;
  }
  // What the tests do themselves never asks for a standby's answer; what our steps commit does,
  // once a test names one that is not there: that is how it cuts a session between commit and
  // answer.
  runbookd::testing::PostgresCluster cluster({.major = major,
                                              .tcp = true,
                                              .settings = {{"synchronous_commit", "local"},
                                                           {"deadlock_timeout", "100ms"},
                                                           {"max_prepared_transactions", "5"},
                                                           {"autovacuum", "off"}}});
  runbookd::testing::use_server(&cluster);
  return context.run();
}
