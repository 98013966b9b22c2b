// One PostgreSQL for the whole suite: version RUNBOOKD_TEST_MAJOR (15 where it is not said).
#define DOCTEST_CONFIG_IMPLEMENT
#include <cstdlib>
#include <iostream>
#include <string>

#include <doctest/doctest.h>

#include "tests/e2e/scenario.h"

int main(int argc, char** argv) {
  doctest::Context context(argc, argv);
  int const major = runbookd::testing::server_major();
  if (!runbookd::testing::PostgresCluster::programs(major)) {
    char const* all = std::getenv("RUNBOOKD_PG_ALL");
    bool const demanded = all != nullptr && std::string{all} == "1";
    std::cerr << (demanded ? "FAILED" : "SKIPPED") << ": no server programs of PostgreSQL " << major
              << "; deploy/fetch-postgres.sh gets them\n";
    return demanded ? 1 : 77;
  }
  runbookd::testing::PostgresCluster cluster(
      {.major = major,
       .tcp = true,
       .settings = {{"max_prepared_transactions", "5"}, {"max_connections", "200"}}});
  runbookd::testing::use_server(&cluster);
  return context.run();
}
