// Private to the plan reader: one reading of one text, and the tables of keys that drive it. A
// table says which keys a mapping has and how each is read; suggestions and the published schema's
// test use the same table.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "planner/document.h"
#include "planner/plan.h"
#include "planner/plan_reader.h"
#include "planner/variables.h"
#include "planner/way_back.h"

namespace runbookd::planner {

std::string without_end_space(std::string text);

// What steps and checks get when they say nothing themselves.
struct Timing {
  LockPolicy lock;
  Duration statement_timeout{30'000};
};
struct Defaults {
  Timing timing;
  Duration check_timeout{30'000};
};

class Reading {
 public:
  Reading(std::string file, FileLookup const& lookup) : file_(std::move(file)), lookup_(lookup) {}

  // Known before the values that need them are read.
  Variables variables;
  Defaults defaults;
  int oldest_server = 0;                 // that the plan is for; 0 = any
  std::vector<std::string> phase_names;  // of the whole plan, in order
  std::vector<std::string> baseline_names;
  // Where the reading is.
  std::size_t phase_index = 0;
  std::string step;                  // "phase/step", for findings; empty outside of steps
  ReadStatements earlier;            // of the steps that were read already, forward …
  std::vector<Statement> and_these;  // … and after those, in case that somebody asks

  Place place(Spot spot) const { return {file_, spot.line, spot.column}; }
  void error(Spot spot, std::string_view rule, std::string message, std::string fix);
  void warning(Spot spot, std::string_view rule, std::string message, std::string fix);
  void merge(Findings findings);
  Findings sorted_findings() const;

  // Each reads one value or reports why it cannot.
  bool is_mapping(Node const& node, std::string_view what);
  bool is_list(Node const& node);
  std::optional<std::string> text(
      Node const& node);  // variables put in, white space at the end cut
  std::optional<std::string> name(Node const& node);
  std::string free_name(Node const& node);  // of a phase or step: no word of the commands
  bool is_good_name(std::string const& name, Spot spot);
  std::optional<bool> flag(Node const& node);
  std::optional<std::int64_t> number(Node const& node, std::int64_t least);
  std::optional<Duration> duration(Node const& node, Duration least);
  std::optional<std::size_t> one_of(Node const& node, std::vector<std::string> const& words);
  Cell cell(Node const& node);
  std::optional<SqlText> sql(Node const& node);
  std::optional<SqlText> sql_file(Node const& node);
  // Text of SQL that stands inside another statement: undeclared variables are errors here, too.
  std::string sql_fragment(Node const& node);

  // Every key that was not `seen` is an error; a near one of the `known` is suggested.
  void check_keys(Node const& node, std::string_view what, std::vector<std::string> const& seen,
                  std::vector<std::string> const& known);
  void unknown(Node const& node, std::string const& name, std::string_view what,
               std::vector<std::string> const& known);
  void check_unique(Node const& list, std::string_view what);

 private:
  void report(Severity severity, Place place, std::string_view rule, std::string message,
              std::string fix);
  std::string filled_sql(SqlText const& raw);
  void error_at(Place place, std::string_view rule, std::string message, std::string fix);
  void wrong_type(Node const& node, std::string_view wanted, std::string_view example);

  std::string file_;
  FileLookup const& lookup_;
  Findings findings_;
};

enum class Presence { optional, required, not_yet };

template <typename T>
struct Key {
  std::string_view name;
  void (*read)(Reading&, Node const&, T&);
  Presence presence = Presence::optional;
};

template <typename T>
struct Table {
  std::string_view id;    // the definition in the schema: "step"
  std::string_view what;  // for people: "a step"
  std::span<Key<T> const> keys;
};

// The same without the readers, for the test that holds the schema against it.
struct KeySet {
  std::string id;
  std::vector<std::string> names;
  std::vector<std::string> required;
};
std::vector<KeySet> known_keys();

template <typename T>
KeySet key_set(Table<T> const& table) {
  KeySet set{.id = std::string(table.id), .names = {}, .required = {}};
  for (Key<T> const& key : table.keys) {
    if (key.presence != Presence::not_yet) {
      set.names.emplace_back(key.name);
    }
    if (key.presence == Presence::required) {
      set.required.emplace_back(key.name);
    }
  }
  return set;
}

// `value` brings the defaults and comes back filled. Keys are read in the table's order, not the
// file's.
template <typename T>
T read_mapping(Reading& reading, Node const& node, Table<T> const& table, T value = {}) {
  if (!reading.is_mapping(node, table.what)) {
    return value;
  }
  std::vector<std::string> const known = key_set(table).names;
  std::vector<std::string> seen;
  for (Key<T> const& key : table.keys) {
    if (Node const* child = node.find(key.name)) {
      key.read(reading, *child, value);
      seen.emplace_back(key.name);
    } else if (key.presence == Presence::required) {
      reading.error(node.spot, "plan/missing-key",
                    std::string(table.what) + " needs the key `" + std::string(key.name) + "`",
                    "add `" + std::string(key.name) + ":`");
    }
  }
  reading.check_keys(node, table.what, seen, known);
  return value;
}

template <typename T, typename M>
T owner_of(M T::*);
template <auto member>
using OwnerOf = decltype(owner_of(member));

// Readers for the tables: `{"title", read_text<&Plan::title>}`.
template <auto member>
void read_text(Reading& reading, Node const& node, OwnerOf<member>& into) {
  into.*member = reading.text(node).value_or("");
}
template <auto member>
void read_name(Reading& reading, Node const& node, OwnerOf<member>& into) {
  into.*member = reading.name(node).value_or("");
}
template <auto member>
void read_flag(Reading& reading, Node const& node, OwnerOf<member>& into) {
  into.*member = reading.flag(node).value_or(into.*member);
}
template <auto member, std::int64_t least_ms>
void read_duration(Reading& reading, Node const& node, OwnerOf<member>& into) {
  into.*member = reading.duration(node, Duration{least_ms}).value_or(into.*member);
}
// Kept for later, when the other keys beside it are known.
template <auto member>
void keep_node(Reading&, Node const& node, OwnerOf<member>& into) {
  into.*member = &node;
}
template <auto member, auto const& table>
void read_part(Reading& reading, Node const& node, OwnerOf<member>& into) {
  into.*member = read_mapping(reading, node, table, std::move(into.*member));
}
template <auto member, auto const& table>
void read_list(Reading& reading, Node const& node, OwnerOf<member>& into) {
  if (reading.is_list(node)) {
    for (Node const& child : node.children) {
      (into.*member).push_back(read_mapping(reading, child, table));
    }
  }
}
template <auto member>
void read_texts(Reading& reading, Node const& node, OwnerOf<member>& into) {
  if (reading.is_list(node)) {
    for (Node const& child : node.children) {
      (into.*member).push_back(reading.text(child).value_or(""));
    }
  }
}

// The parts of a plan, each in a file of its own.
Phase read_phase(Reading& reading, Node const& node);
Step read_step(Reading& reading, Node const& node);
Check read_check(Reading& reading, Node const& node);
std::vector<Check> read_checks(Reading& reading, Node const& node);
Expectation read_expectation(Reading& reading, Node const& node);
BackfillAction read_backfill(Reading& reading, Node const& node, Timing const& timing);
LockPolicy read_lock(Reading& reading, Node const& node, LockPolicy inherited);
ThrottlePolicy read_throttle(Reading& reading, Node const& node);
KeySet throttle_keys();
std::vector<KeySet> phase_keys();
std::vector<KeySet> step_keys();
std::vector<KeySet> backfill_keys();
std::vector<KeySet> check_keys();

}  // namespace runbookd::planner
