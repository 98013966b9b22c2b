// Edits of findings, made in the text.
#include <algorithm>
#include <utility>

#include "planner/lint.h"

namespace runbookd::planner {
namespace {

// Where a line and column are; columns count characters. The text's length where there is none.
std::size_t offset_of(std::string const& text, Place const& at) {
  std::size_t offset = 0;
  for (int line = 1; line < at.line; ++line) {
    offset = text.find('\n', offset);
    if (offset == std::string::npos) {
      return text.size();
    }
    ++offset;
  }
  auto const continues = [&](std::size_t i) {
    return i < text.size() && (static_cast<unsigned char>(text[i]) & 0xC0U) == 0x80U;
  };
  for (int column = 1; column < at.column && offset < text.size() && text[offset] != '\n';
       ++column) {
    ++offset;
    while (continues(offset)) {
      ++offset;
    }
  }
  return offset;
}

struct Change {
  std::size_t offset;
  Edit const* edit;
};

}  // namespace

Mended mend(std::string text, std::string const& file, Findings const& findings) {
  std::vector<Change> changes;
  for (auto const& finding : findings) {
    for (auto const& edit : finding.edits) {
      if (edit.at.file == file && finding.acknowledged.empty()) {
        changes.push_back({offset_of(text, edit.at), &edit});
      }
    }
  }
  // from the end, so that the places of the others stay what they are
  std::ranges::stable_sort(changes,
                           [](Change const& a, Change const& b) { return a.offset > b.offset; });
  Mended mended{.text = std::move(text)};
  auto untouched = mended.text.size() + 1;
  for (auto const& [offset, edit] : changes) {
    bool const fits = offset <= mended.text.size() && offset + edit->was.size() < untouched &&
                      mended.text.compare(offset, edit->was.size(), edit->was) == 0;
    if (fits) {
      mended.text.replace(offset, edit->was.size(), edit->now);
      untouched = offset;
      ++mended.edits;
    }
  }
  return mended;
}

}  // namespace runbookd::planner
