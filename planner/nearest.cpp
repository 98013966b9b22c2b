#include "planner/nearest.h"

#include <algorithm>
#include <numeric>

namespace runbookd::planner {
namespace {

// Insertions, deletions, replacements and swaps of neighbours that turn one word into the other.
std::size_t distance(std::string_view from, std::string_view to) {
  std::vector<std::size_t> before_last;
  std::vector<std::size_t> last(to.size() + 1);
  std::iota(last.begin(), last.end(), 0UL);
  for (std::size_t i = 1; i <= from.size(); ++i) {
    std::vector<std::size_t> row(to.size() + 1, i);
    for (std::size_t j = 1; j <= to.size(); ++j) {
      std::size_t const replaced = last[j - 1] + (from[i - 1] == to[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replaced});
      if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1]) {
        row[j] = std::min(row[j], before_last[j - 2] + 1);
      }
    }
    before_last = std::move(last);
    last = std::move(row);
  }
  return last.back();
}

}  // namespace

std::string nearest(std::string_view wrong, std::vector<std::string> const& known) {
  constexpr std::size_t longest_word = 64;  // nobody mistypes more than that, and it costs squared
  if (wrong.size() > longest_word) {
    return {};
  }
  for (std::string const& word : known) {
    if (wrong.size() >= 3 && word.starts_with(wrong)) {
      return word;
    }
  }
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(2, wrong.size() / 3) + 1;
  for (std::string const& word : known) {
    if (auto const d = distance(wrong, word); d < best_distance && d < word.size()) {
      best = word;
      best_distance = d;
    }
  }
  return best;
}

}  // namespace runbookd::planner
