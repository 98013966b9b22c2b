// How far the store had come, in a small file beside it ("<path>.mark"). SQLite takes an older
// copy, an empty file or a log of another day without a word; the mark tells.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "planner/error.h"

namespace runbookd::store {

struct MarkFacts {
  std::string store_id;
  std::int64_t events = 0;  // in all runs together
  bool operator==(MarkFacts const&) const = default;
};
std::string to_text(MarkFacts const& facts);  // always of the same length
std::optional<MarkFacts> read_mark(std::string_view text);

std::string mark_path(std::string const& store);
// Empty: there is no mark. One that cannot be read is an error: it says something, and we do not
// know what.
planner::Result<std::optional<MarkFacts>> marked(std::string const& store);

// May what was found in the file be used, after the mark says how far it had been?
planner::Result<void> expect_not_behind(std::string const& store, MarkFacts const& found,
                                        std::optional<MarkFacts> const& mark);
// An empty or missing file where a store has been is not "no runs".
planner::Result<void> expect_never_there(std::string const& store,
                                         std::optional<MarkFacts> const& mark);

// Kept open for as long as the store is. Written after each commit and not synced: it may stay
// behind after a power cut, never run ahead, because the commit before it is on the disk.
class Mark {
 public:
  static planner::Result<std::unique_ptr<Mark>> write(std::string const& store, MarkFacts facts);
  ~Mark();
  Mark(Mark const&) = delete;
  Mark& operator=(Mark const&) = delete;
  void grown_by(std::int64_t events);

 private:
  Mark(int descriptor, MarkFacts facts) : descriptor_(descriptor), facts_(std::move(facts)) {}
  int descriptor_;
  MarkFacts facts_;
};

}  // namespace runbookd::store
