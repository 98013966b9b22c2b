#include "planner/server_work.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <initializer_list>
#include <span>
#include <string_view>

#include "planner/size.h"

namespace runbookd::planner {
namespace {

using namespace std::string_view_literals;
using Row = std::map<std::string, std::string>;

std::string word(Row const& row, std::string const& column) {
  auto const found = row.find(column);
  return found == row.end() ? "" : found->second;
}
std::int64_t number(Row const& row, std::string const& column) {
  auto const text = word(row, column);
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

struct Measure {
  std::string_view done, total, unit;
};
// The first with a total counts: in each phase a server fills in only what it then does.
constexpr std::array measures{Measure{"heap_blks_vacuumed"sv, "heap_blks_total"sv, "blocks"sv},
                              Measure{"heap_blks_scanned"sv, "heap_blks_total"sv, "blocks"sv},
                              Measure{"indexes_processed"sv, "indexes_total"sv, "indexes"sv},
                              Measure{"sample_blks_scanned"sv, "sample_blks_total"sv, "blocks"sv},
                              Measure{"blocks_done"sv, "blocks_total"sv, "blocks"sv},
                              Measure{"tuples_done"sv, "tuples_total"sv, "rows"sv},
                              Measure{"bytes_processed"sv, "bytes_total"sv, "bytes"sv},
                              Measure{"partitions_done"sv, "partitions_total"sv, "partitions"sv}};

bool fits(Measure const& measure, std::string const& view, std::string const& phase) {
  bool const vacuuming = phase == "vacuuming heap";
  if (measure.done == "heap_blks_vacuumed") {
    return vacuuming;
  }
  if (measure.done == "heap_blks_scanned") {
    return !vacuuming && (view != "vacuum" || phase == "scanning heap") &&
           (view != "cluster" || phase == "seq scanning heap");
  }
  return true;
}

void measure(ServerWork& work, std::string const& view, Row const& row) {
  for (auto const& one : measures) {
    auto const total = number(row, std::string(one.total));
    if (total > 0 && fits(one, view, work.phase)) {
      work.total = total;
      work.done = std::min(number(row, std::string(one.done)), total);
      work.unit = one.unit;
      return;
    }
  }
}

// In the order in which a server passes them.
constexpr std::array building{
    "initializing"sv,
    "waiting for writers before build"sv,
    "building index"sv,
    "waiting for writers before validation"sv,
    "index validation: scanning index"sv,
    "index validation: sorting tuples"sv,
    "index validation: scanning table"sv,
    "waiting for old snapshots"sv,
    "waiting for readers before marking dead"sv,
    "waiting for readers before dropping"sv,
};
constexpr std::array vacuuming{
    "initializing"sv,        "scanning heap"sv,   "vacuuming indexes"sv,       "vacuuming heap"sv,
    "cleaning up indexes"sv, "truncating heap"sv, "performing final cleanup"sv};
constexpr std::array analyzing{"initializing"sv,
                               "acquiring sample rows"sv,
                               "acquiring inherited sample rows"sv,
                               "computing statistics"sv,
                               "computing extended statistics"sv,
                               "finalizing analyze"sv};

int place_in(std::span<std::string_view const> phases, std::string_view phase) {
  auto const found =
      std::ranges::find_if(phases, [&](std::string_view one) { return phase.starts_with(one); });
  return found == phases.end() ? 0 : static_cast<int>(found - phases.begin()) + 1;
}

void count_phases(ServerWork& work, std::string const& view) {
  auto const count = [&work](std::span<std::string_view const> phases, std::size_t of) {
    work.phase_number = place_in(phases, work.phase);
    work.phases = work.phase_number == 0 ? 0 : static_cast<int>(of);
  };
  if (view == "create_index") {
    if (!work.command.ends_with("CONCURRENTLY")) {
      return;
    }
    // the last two are those of REINDEX
    count(building, work.command.starts_with("REINDEX") ? building.size() : building.size() - 2);
  } else if (view == "vacuum") {
    count(vacuuming, vacuuming.size());
  } else if (view == "analyze") {
    count(analyzing, analyzing.size());
  }
}

std::string upper(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return text;
}

std::string one_decimal(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", value);
  return text;
}

std::string how_far(ServerWork const& work) {
  std::string text;
  if (auto const share = percent(work)) {
    text = ", " + one_decimal(*share) + " % of " + std::to_string(work.total) + " " + work.unit;
  } else if (work.done > 0) {
    text = ", " + std::to_string(work.done) + " " + work.unit;
  }
  if (work.lockers_total > 0) {
    text += ", waited for " + std::to_string(work.lockers_done) + " of " +
            std::to_string(work.lockers_total) +
            (work.lockers_total == 1 ? " session" : " sessions");
  }
  if (work.locker_pid > 0) {
    text += ", now for pid " + std::to_string(work.locker_pid);
  }
  return text;
}

}  // namespace

ServerWork work_of(std::string const& view, Row const& row) {
  auto const command = word(row, "command");
  ServerWork work{.command = command.empty() ? upper(view) : command,
                  .told = true,
                  .phase = word(row, "phase"),
                  .relation = word(row, "relation"),
                  .lockers_done = static_cast<int>(number(row, "lockers_done")),
                  .lockers_total = static_cast<int>(number(row, "lockers_total")),
                  .locker_pid = static_cast<int>(number(row, "current_locker_pid"))};
  count_phases(work, view);
  measure(work, view, row);
  if (work.total == 0 && view == "copy") {
    work.done = number(row, "tuples_processed");
    work.unit = "rows";
  }
  // what is counted while it waits for others belongs to the phase before
  if (work.phase.starts_with("waiting")) {
    work.done = work.total = 0;
  }
  return work;
}

std::optional<double> percent(ServerWork const& work) {
  if (work.total <= 0) {
    return std::nullopt;
  }
  return 100.0 * static_cast<double>(work.done) / static_cast<double>(work.total);
}

std::string to_text(ServerWork const& work) {
  auto const on = work.relation.empty() ? "" : " on " + work.relation;
  if (!work.told) {
    auto const size = work.relation_size > 0
                          ? " (" + size_words(static_cast<double>(work.relation_size)) + ")"
                          : std::string();
    auto const seconds = std::chrono::duration_cast<std::chrono::seconds>(work.running);
    return work.command + on + size + ": for " + to_text(Duration(seconds)) +
           "; servers tell no progress of such a statement";
  }
  auto const place = work.phases > 0 ? " (" + std::to_string(work.phase_number) + " of " +
                                           std::to_string(work.phases) + ")"
                                     : "";
  return work.command + on + (work.phase.empty() ? "" : ": " + work.phase) + place + how_far(work);
}

}  // namespace runbookd::planner
