// How far a long statement is, in the words of the server's own progress views. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "planner/time.h"

namespace runbookd::planner {

struct ServerWork {
  std::string command;  // "CREATE INDEX CONCURRENTLY"; where nothing is told, the statement
  bool told = false;    // false: servers have no view on the progress of such a statement
  std::string phase;    // in the server's words
  int phase_number = 0, phases = 0;  // 0 = how many there will be is not known
  std::string relation;
  std::int64_t done = 0, total = 0;  // of this phase; total 0 = not known
  std::string unit;                  // "blocks", "rows"
  int lockers_done = 0, lockers_total = 0;
  int locker_pid = 0;              // whom it waits for now; 0 = nobody
  std::int64_t relation_size = 0;  // bytes; where nothing else is told
  Duration running{};
  bool operator==(ServerWork const&) const = default;
};

// A row of pg_stat_progress_<view>: its columns by name, as text.
ServerWork work_of(std::string const& view, std::map<std::string, std::string> const& row);

std::optional<double> percent(ServerWork const& work);  // of the phase
// "CREATE INDEX CONCURRENTLY on public.t: building index: scanning table (3 of 10), 41.2 % of
// 120000 blocks"
std::string to_text(ServerWork const& work);

}  // namespace runbookd::planner
