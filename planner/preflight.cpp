#include "planner/preflight.h"

#include <algorithm>
#include <utility>

#include "planner/size.h"
#include "planner/words.h"

namespace runbookd::planner {
namespace {

using namespace std::chrono_literals;

// A transaction that holds a table of the phase keeps its steps waiting; one that holds nothing
// there delays concurrent builds, and keeps dead rows from being vacuumed.
constexpr Duration old_on_table = 10s;
constexpr Duration old_snapshot = 60s;
constexpr Duration old_anywhere = 30min;
// Between the two halves of a living two-phase commit less time passes.
constexpr Duration left_behind = 1min;
constexpr Duration lag_to_wait_for = 10s, lag_that_is_broken = 10min;
constexpr std::int64_t mega = 1024 * 1024;
constexpr std::int64_t bytes_to_wait_for = 16 * mega;
constexpr int spare_connections = 3;

Duration in_seconds(Duration age) { return std::chrono::duration_cast<std::chrono::seconds>(age); }

std::string who(LockSession const& session) {
  auto const& name = session.application.empty() ? session.backend_type : session.application;
  return "pid " + std::to_string(session.pid) + " (" + session.user +
         (session.user.empty() || name.empty() ? "" : ", ") + name + ", " + session.state + ", " +
         to_text(in_seconds(session.transaction_age)) + " in its transaction)";
}

class Judge {
 public:
  Judge(PhaseNeeds const& needs, Weather const& weather) : needs_(needs), weather_(weather) {
    result_.phase = needs.phase;
  }
  Preflight judge() && {
    transactions();
    standbys();
    slots();
    disk();
    temp();
    connections();
    for (auto const& item : result_.items) {
      result_.verdict =
          item.verdict == Go::unknown ? result_.verdict : std::max(result_.verdict, item.verdict);
    }
    return std::move(result_);
  }

 private:
  void add(PreflightItem item) { result_.items.push_back(std::move(item)); }
  // Where nothing of that name was found wanting.
  void all_well(std::string const& name, std::string message) {
    auto const there = std::ranges::find(result_.items, name, &PreflightItem::name);
    if (there == result_.items.end()) {
      add({.name = name, .message = std::move(message)});
    }
  }

  // --- who works there

  void transactions() {
    for (auto const& one : weather_.transactions) {
      transaction(one);
    }
    auto const unseen = !weather_.sees_sessions;
    if (unseen) {
      add({.name = "transactions",
           .verdict = Go::unknown,
           .message = "role " + weather_.role + " may not see what other sessions do",
           .next = "GRANT pg_monitor TO " + weather_.role});
    }
    all_well("transactions", "no transaction is so old that the phase would wait for it");
    if (!unseen) {
      all_well("dump", "no dump runs");
    }
    all_well("wraparound_vacuum", "no vacuum that gives way to nobody works on its tables");
    all_well("prepared", "no prepared transaction is left behind");
  }
  void transaction(SeenTransaction const& one) {
    auto const blocker = as_blocker(one.session);
    auto const on = one.tables.empty() ? std::string() : " holds a lock on " + joined(one.tables);
    PreflightItem item{.message = who(one.session) + on,
                       .next = to_get_past(blocker),
                       .pid = blocker.pid,
                       .age = one.session.transaction_age};
    switch (blocker.kind) {
      case BlockerKind::prepared:
        item.name = "prepared";
        prepared(item, one, on);
        break;
      case BlockerKind::wraparound_vacuum:
        if (one.tables.empty()) {
          return;
        }
        item.name = "wraparound_vacuum";
        item.verdict = Go::no_go;
        item.message +=
            ": a vacuum against the wraparound of transaction numbers gives way to nobody";
        break;
      case BlockerKind::autovacuum:
        return;  // it gives way
      case BlockerKind::dump:
        item.name = "dump";
        item.verdict = Go::wait;
        item.message = "a dump runs: " + item.message;
        break;
      case BlockerKind::session:
      case BlockerKind::replication:
      case BlockerKind::runbookd:
        if (!is_in_the_way(one)) {
          return;
        }
        item.name = "transactions";
        item.verdict = Go::wait;
        item.message += why(one);
        break;
    }
    add(std::move(item));
  }
  // Time ends most of them; the command is for whoever cannot give it any.
  static std::string to_get_past(Blocker const& blocker) {
    auto const command = command_that_ends(blocker);
    bool const at_work = blocker.kind != BlockerKind::prepared && !is_idle(blocker);
    return at_work && !command.empty() ? "let it end, or end it: " + command : command;
  }
  static void prepared(PreflightItem& item, SeenTransaction const& one, std::string const& on) {
    bool const alive = one.session.transaction_age < left_behind;
    item.verdict = alive || one.tables.empty() ? Go::wait : Go::no_go;
    item.message = one.session.query + " of " + one.session.user + ", " +
                   to_text(in_seconds(one.session.transaction_age)) + " old," +
                   (on.empty() ? " waits for its manager" : on) +
                   (alive ? ": its manager is perhaps about to end it"
                          : ": it does not end by itself; look whether its manager still knows it");
    if (alive) {
      item.next = "look again in a minute";
    }
  }
  Blocker as_blocker(LockSession const& session) const {
    LockSession const waiter{.pid = 1 << 30};
    return blockers_of(
               {.sessions = {session}, .edges = {{.waiter = waiter.pid, .blocker = session.pid}}},
               {waiter.pid})
        .front();
  }
  bool delays_builds(SeenTransaction const& one) const {
    return needs_.waits_for_snapshots && one.holds_snapshot &&
           one.session.transaction_age >= old_snapshot;
  }
  bool is_in_the_way(SeenTransaction const& one) const {
    auto const age = one.session.transaction_age;
    return (!one.tables.empty() && age >= old_on_table) || delays_builds(one) ||
           age >= old_anywhere;
  }
  std::string why(SeenTransaction const& one) const {
    if (!one.tables.empty()) {
      return "";
    }
    return delays_builds(one) ? ": CONCURRENTLY waits for every transaction that is older"
                              : ": rows that die meanwhile cannot be vacuumed";
  }

  // --- what follows behind

  void standbys() {
    for (auto const& one : weather_.standbys) {
      standby(one);
    }
    all_well("standbys", weather_.standbys.empty()
                             ? "no standby follows"
                             : std::to_string(weather_.standbys.size()) + " follow closely");
  }
  void standby(SeenStandby const& one) {
    if (!one.bytes) {
      add({.name = "standbys",
           .verdict = Go::unknown,
           .message =
               "how far standby " + one.name + " is behind is not told to role " + weather_.role,
           .next = "GRANT pg_monitor TO " + weather_.role});
      return;
    }
    auto const lag = one.lag.value_or(Duration{});
    bool const behind = lag >= lag_to_wait_for || *one.bytes >= bytes_to_wait_for;
    if (behind) {
      add({.name = "standbys",
           .verdict = lag >= lag_that_is_broken ? Go::no_go : Go::wait,
           .message = "standby " + one.name + " (" + one.state + ") is " +
                      size_words(static_cast<double>(*one.bytes)) +
                      (one.lag ? " and " + to_text(in_seconds(lag)) : "") + " behind",
           .next = "on " + one.name + ": SELECT pg_is_wal_replay_paused()",
           .age = lag});
    }
  }
  void slots() {
    for (auto const& one : weather_.slots) {
      slot(one);
    }
    all_well("slots", weather_.slots.empty() ? "no replication slot holds the log back"
                                             : "every replication slot is used");
  }
  void slot(SeenSlot const& one) {
    bool const broken = one.wal_status == "lost" || one.wal_status == "unreserved";
    if (one.active && !broken) {
      return;
    }
    std::string message = "replication slot " + one.name + " is " +
                          (one.active ? "in use, its log " : "not in use, its log ") +
                          (one.wal_status.empty() ? "not reserved" : one.wal_status) + ", ";
    message += size_words(static_cast<double>(one.retained)) + " of it kept";
    add({.name = "slots",
         .verdict = broken && needs_.writes_much ? Go::no_go : Go::wait,
         .message = std::move(message),
         .next = one.active ? "" : "SELECT pg_drop_replication_slot('" + one.name + "')"});
  }

  // --- what it needs

  // Whose size nobody has counted, though something as large is to be built.
  std::string uncounted() const {
    std::vector<std::string> names;
    for (auto const& table : weather_.tables) {
      auto const is_it = [&](PhaseTable const& one) { return one == table.table; };
      bool const matters = std::ranges::any_of(needs_.builds, is_it, &IndexBuild::table) ||
                           std::ranges::any_of(needs_.rewrites, is_it);
      if (matters && table.rows < 0) {
        names.push_back(table.name);
      }
    }
    return joined(names);
  }
  void disk() {
    if (auto const tables = uncounted(); !tables.empty()) {
      add({.name = "disk",
           .verdict = Go::unknown,
           .message = "what the phase builds is as large as " + tables +
                      ", and how large that is nobody has counted yet",
           .next = "ANALYZE " + tables});
      return;
    }
    auto const need = expected_bytes(needs_, weather_);
    auto const about = need == 0
                           ? std::string("the phase builds nothing of size")
                           : "the phase writes about " + size_words(static_cast<double>(need)) +
                                 ", and about as much log";
    if (!weather_.free_disk) {
      add({.name = "disk",
           .verdict = Go::unknown,
           .message = about + "; free space is not known: " + weather_.disk_told,
           .next = "on the server: df -h"});
      return;
    }
    auto const free = *weather_.free_disk;
    auto const verdict = free < need ? Go::no_go : free < 3 * need ? Go::wait : Go::go;
    add({.name = "disk",
         .verdict = verdict,
         .message = about + "; " + size_words(static_cast<double>(free)) + " are free (" +
                    weather_.disk_told + ")",
         .next = verdict == Go::go ? "" : "on the server: df -h"});
  }
  void temp() {
    if (auto const tables = uncounted(); !tables.empty()) {
      add({.name = "temp",
           .verdict = weather_.temp_limit < 0 ? Go::go : Go::unknown,
           .message = weather_.temp_limit < 0
                          ? "temp_file_limit is not set"
                          : "what the phase sorts is as large as " + tables +
                                ", which nobody has counted yet; temp_file_limit is " +
                                size_words(static_cast<double>(weather_.temp_limit)),
           .next = weather_.temp_limit < 0 ? "" : "ANALYZE " + tables});
      return;
    }
    auto const need = sorted_bytes();
    bool const too_small = weather_.temp_limit >= 0 && weather_.temp_limit < need;
    add({.name = "temp",
         .verdict = too_small ? Go::no_go : Go::go,
         .message =
             (need == 0 ? "the phase sorts nothing of size"
                        : "the phase sorts about " + size_words(static_cast<double>(need))) +
             (weather_.temp_limit < 0
                  ? "; temp_file_limit is not set"
                  : "; temp_file_limit is " + size_words(static_cast<double>(weather_.temp_limit))),
         .next = too_small ? "ALTER ROLE " + weather_.role + " SET temp_file_limit = -1" : ""});
  }
  std::int64_t sorted_bytes() const {
    auto without_rewrites = needs_;
    without_rewrites.rewrites.clear();
    return expected_bytes(without_rewrites, weather_);
  }
  void connections() {
    auto const left = weather_.connections_allowed - weather_.connections_used;
    auto const verdict = left < needs_.connections                       ? Go::no_go
                         : left < needs_.connections + spare_connections ? Go::wait
                                                                         : Go::go;
    add({.name = "connections",
         .verdict = verdict,
         .message = std::to_string(weather_.connections_used) + " of " +
                    std::to_string(weather_.connections_allowed) + " are used; the phase needs " +
                    std::to_string(needs_.connections),
         .next = verdict == Go::go ? ""
                                   : "SELECT application_name, state, count(*) FROM "
                                     "pg_stat_activity GROUP BY 1, 2 ORDER BY 3 DESC"});
  }

  PhaseNeeds const& needs_;
  Weather const& weather_;
  Preflight result_;
};

SeenTable const* seen(Weather const& weather, PhaseTable const& table) {
  auto const found = std::ranges::find(weather.tables, table, &SeenTable::table);
  return found == weather.tables.end() ? nullptr : &*found;
}

// A leaf's entry: the values, eight bytes of header, four of line pointer, pages nine tenths full.
std::int64_t index_bytes(IndexBuild const& build, SeenTable const& table) {
  constexpr int unknown_width = 16, overhead = 12;
  std::int64_t width = overhead + std::int64_t{build.expressions} * unknown_width;
  for (auto const& column : build.columns) {
    auto const known = table.widths.find(column);
    width += known == table.widths.end() ? unknown_width : known->second;
  }
  return std::max<std::int64_t>(table.rows, 0) * width * 10 / 9;
}

}  // namespace

std::string_view to_text(Go go) {
  switch (go) {
    case Go::go:
      return "go";
    case Go::unknown:
      return "unknown";
    case Go::wait:
      return "wait";
    case Go::no_go:
      return "no_go";
  }
  __builtin_unreachable();
}

std::int64_t expected_bytes(PhaseNeeds const& needs, Weather const& weather) {
  std::int64_t bytes = 0;
  for (auto const& build : needs.builds) {
    if (auto const* table = seen(weather, build.table)) {
      bytes += index_bytes(build, *table);
    }
  }
  for (auto const& name : needs.rewrites) {
    if (auto const* table = seen(weather, name)) {
      bytes += table->bytes;
    }
  }
  return bytes;
}

Preflight judge_preflight(PhaseNeeds const& needs, Weather const& weather) {
  return Judge(needs, weather).judge();
}

}  // namespace runbookd::planner
