#include "planner/server_work.h"

#include <doctest/doctest.h>

using namespace runbookd::planner;

TEST_CASE("a concurrent index build tells its phase, how many there are, and how far this one is") {
  auto const work = work_of("create_index", {{"command", "CREATE INDEX CONCURRENTLY"},
                                             {"phase", "building index: scanning table"},
                                             {"relation", "public.t"},
                                             {"blocks_total", "200"},
                                             {"blocks_done", "50"},
                                             {"lockers_total", "0"}});
  CHECK(work.phase_number == 3);
  CHECK(work.phases == 8);
  REQUIRE(percent(work));
  CHECK(*percent(work) == doctest::Approx(25));
  CHECK(to_text(work) ==
        "CREATE INDEX CONCURRENTLY on public.t: building index: scanning table (3 of 8), 25.0 % of "
        "200 blocks");
}

TEST_CASE("a build that waits for others names whom, and shows no percent of what is over") {
  auto const work = work_of("create_index", {{"command", "CREATE INDEX CONCURRENTLY"},
                                             {"phase", "waiting for old snapshots"},
                                             {"relation", "t"},
                                             {"blocks_total", "200"},
                                             {"blocks_done", "200"},
                                             {"lockers_total", "3"},
                                             {"lockers_done", "1"},
                                             {"current_locker_pid", "4711"}});
  CHECK_FALSE(percent(work));
  CHECK(to_text(work) ==
        "CREATE INDEX CONCURRENTLY on t: waiting for old snapshots (8 of 8), waited for 1 of 3 "
        "sessions, now for pid 4711");
}

TEST_CASE("REINDEX passes two phases more than CREATE INDEX; a plain build has no fixed order") {
  CHECK(work_of("create_index", {{"command", "REINDEX CONCURRENTLY"},
                                 {"phase", "waiting for readers before dropping"}})
            .phases == 10);
  CHECK(work_of("create_index", {{"command", "CREATE INDEX"}, {"phase", "initializing"}}).phases ==
        0);
}

TEST_CASE("a vacuum counts the blocks that its phase is about") {
  std::map<std::string, std::string> row{{"phase", "scanning heap"},
                                         {"heap_blks_total", "100"},
                                         {"heap_blks_scanned", "40"},
                                         {"heap_blks_vacuumed", "10"}};
  CHECK(work_of("vacuum", row).done == 40);
  row["phase"] = "vacuuming heap";
  CHECK(work_of("vacuum", row).done == 10);
  row["phase"] = "vacuuming indexes";
  CHECK_FALSE(percent(work_of("vacuum", row)));
  CHECK(work_of("vacuum", row).command == "VACUUM");
}

TEST_CASE("a CLUSTER counts blocks only while it reads the table in order") {
  std::map<std::string, std::string> row{{"command", "VACUUM FULL"},
                                         {"phase", "seq scanning heap"},
                                         {"heap_blks_total", "100"},
                                         {"heap_blks_scanned", "40"}};
  CHECK(work_of("cluster", row).done == 40);
  row["phase"] = "rebuilding index";
  CHECK_FALSE(percent(work_of("cluster", row)));
}

TEST_CASE("where servers tell nothing, that is said, with the table's size and the time so far") {
  ServerWork const work{.command = "ALTER TABLE t VALIDATE CONSTRAINT c",
                        .relation = "t",
                        .relation_size = 3 * 1024 * 1024,
                        .running = std::chrono::seconds(12)};
  CHECK(to_text(work) ==
        "ALTER TABLE t VALIDATE CONSTRAINT c on t (3.0 MB): for 12s; servers tell no progress of "
        "such a statement");
}
