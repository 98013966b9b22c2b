// May a phase begin now? What a server shows of its weather, and what the phase asks of it, become
// a word for each thing that has kept people waiting or brought a server down. Pure: reads nothing,
// and nothing is refused by it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "planner/lock_tree.h"
#include "planner/phase_needs.h"
#include "planner/time.h"

namespace runbookd::planner {

// Another session's transaction, or a prepared one.
struct SeenTransaction {
  LockSession session;
  bool holds_snapshot = false;
  std::vector<std::string> tables;  // of the phase, on which it holds a lock
};
struct SeenStandby {
  std::string name, state;
  std::optional<Duration> lag;
  std::optional<std::int64_t> bytes;  // written here and not replayed there
};
struct SeenSlot {
  std::string name, wal_status;  // reserved, extended, unreserved, lost
  bool active = false;
  std::int64_t retained = 0;  // bytes of WAL
};
struct SeenTable {
  PhaseTable table;                   // as the plan names it
  std::string name;                   // as the server does
  std::int64_t rows = -1;             // an estimate; -1 = never counted
  std::int64_t bytes = 0;             // with its indexes
  std::map<std::string, int> widths;  // of columns, on average
};
struct Weather {
  std::string role;
  bool sees_sessions = true;  // of other roles (pg_monitor)
  std::vector<SeenTransaction> transactions;
  std::vector<SeenStandby> standbys;
  std::vector<SeenSlot> slots;
  std::vector<SeenTable> tables;
  int connections_used = 0, connections_allowed = 0;
  std::int64_t temp_limit = -1;           // bytes for one session; -1 = none
  std::optional<std::int64_t> free_disk;  // of the data directory
  std::string disk_told;                  // how that is known, or why it is not
};

enum class Go { go, unknown, wait, no_go };  // from best to worst
std::string_view to_text(Go go);

struct PreflightItem {
  std::string name;  // transactions, dump, wraparound_vacuum, prepared, standbys, slots, disk,
                     // temp, connections
  Go verdict = Go::go;
  std::string message;
  std::string next;  // a command, or what to do; empty where nothing is to be done
  int pid = 0;       // whose it is; 0 = nobody's
  Duration age{};
  bool operator==(PreflightItem const&) const = default;
};
struct Preflight {
  std::string phase;
  Go verdict = Go::go;  // the worst; what is not known does not count
  std::vector<PreflightItem> items;
  bool operator==(Preflight const&) const = default;
};
Preflight judge_preflight(PhaseNeeds const& needs, Weather const& weather);

// What the phase will want of the disk, its log left out.
std::int64_t expected_bytes(PhaseNeeds const& needs, Weather const& weather);

}  // namespace runbookd::planner
