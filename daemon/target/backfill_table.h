// The relations that hold a table's rows, and the order in which each of them is walked. Private to
// daemon/target.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/target/procedures.h"

namespace runbookd::daemon {

// Values of a key's columns. They travel as text and are compared by the server only.
using KeyValues = std::vector<std::string>;

// Stands for the columns of a table without a usable key: its blocks are walked in their order.
inline constexpr std::string_view by_blocks = "ctid";

// One table: the plan's own, a partition that is no parent, or a child.
struct FillRelation {
  std::string name;                  // qualified and quoted
  std::string known_as;              // quoted: what the plan's expressions call its rows
  bool is_named = false;             // by the plan: its expressions may call it by its schema too
  bool is_parent = false;            // partitioned: only a backfill of an older daemon walks it
  std::vector<std::string> columns;  // of the key, quoted; or by_blocks
  std::vector<std::string> types;    // to cast the values back
  std::int64_t blocks = 0;
  std::int64_t rows = 0;  // about; 0: not known
  bool may_vacuum = false;

  bool has_key() const { return columns.front() != by_blocks; }
  FillRelation walked_by_blocks() const;
  // "ONLY public.users_7 AS users": what stands behind UPDATE and FROM.
  std::string reference() const;
};

// Every relation that a backfill of the plan's table has to fill. The failure says what is wrong:
// not there, no table, a partition that is kept elsewhere, a right that is missing.
SqlResult<std::vector<FillRelation>> find_relations(Session& session,
                                                    planner::BackfillAction const& action);

// How many rows there are, and where the table can be parted, by some blocks that lie evenly over
// it. Needs no statistics, and is not misled by space that dead rows take.
struct Sample {
  std::int64_t rows = 0;
  std::vector<KeyValues> parting;  // ascending, at most parts - 1; the end is not among them
};
SqlResult<Sample> take_sample(Session& session, FillRelation const& relation, int parts);

// "u.a, u.b" with `behind` after each.
std::string key_list(FillRelation const& relation, std::string const& behind);
// Makes the server print values so that it reads them back as the same, until usual_text.
extern std::string_view const exact_text, usual_text;

// Nothing where the first of them is NULL.
std::optional<KeyValues> values_from(std::vector<Cell> const& row, std::size_t first,
                                     std::size_t count);

}  // namespace runbookd::daemon
