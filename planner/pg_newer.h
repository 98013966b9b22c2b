// SQL that only servers newer than the parser know, written as the parser knows it, and the tree
// that comes of it put right. Private to planner/pg_tree.cpp. Pure; thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "planner/pg_tree.h"

namespace runbookd::planner::pg {

class OlderText {
 public:
  explicit OlderText(std::string sql);

  std::string const& text() const { return text_; }
  // Rewrites what the parser stopped at, at this byte of text(); false where no rule knows it.
  bool rewrite(std::size_t error);
  // Where a byte of text() stood in the SQL as it was written.
  std::size_t original(std::size_t offset) const;
  // The tree that a newer parser would have made of the SQL, from the one of text().
  std::string restored(std::string_view json) const;
  std::vector<Newer> const& found() const { return found_; }

  // What a node says that no older form can: of the last constraint before `offset`, or of the
  // relation named there.
  enum class Mark { none, not_enforced, no_inherit, only };

 private:
  struct Marked {
    Mark mark;
    std::size_t offset;  // in the SQL as it was written
  };
  void replace(std::size_t from, std::size_t to, std::string const& now);
  bool rewrite_number(std::size_t error);

  std::string text_;
  std::vector<std::size_t> origin_;  // of each byte, and of the end
  std::vector<Newer> found_;
  std::vector<Marked> marks_;
};

}  // namespace runbookd::planner::pg
