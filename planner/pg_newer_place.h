// Words around the place where the parser stopped, and how they are rewritten. Private to
// planner/pg_newer*.
#pragma once

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "planner/pg_newer.h"

namespace runbookd::planner::pg {

using Index = std::ptrdiff_t;

// The token that the parser stopped at, and those around it.
class Place {
 public:
  Place(std::string const& text, std::size_t error) : text_(text), tokens_(scan(text)) {
    std::erase_if(tokens_, [](Token const& token) { return token.comment; });
    at_ = std::ranges::lower_bound(tokens_, error, {}, &Token::offset) - tokens_.begin();
  }
  Index at() const { return at_; }
  Index count() const { return std::ssize(tokens_); }
  std::string_view word(Index i) const {
    return i < 0 || i >= count() ? std::string_view() : tokens_[std::size_t(i)].in(text_);
  }
  bool is(Index i, std::string_view upper) const { return same_word(word(i), upper); }
  // The words from `i` on.
  bool are(Index i, std::initializer_list<std::string_view> upper) const {
    return std::ranges::all_of(upper, [&](std::string_view one) { return is(i++, one); });
  }
  bool name(Index i) const {
    auto const first = word(i).empty() ? '\0' : word(i).front();
    return std::isalpha(static_cast<unsigned char>(first)) != 0 || first == '_' || first == '"' ||
           static_cast<unsigned char>(first) >= 0x80;
  }
  std::size_t begin(Index i) const {
    return i < count() ? tokens_[std::size_t(i)].offset : text_.size();
  }
  std::size_t end(Index i) const { return begin(i) + word(i).size(); }
  // Of the bracket that the one at `close` closes; -1 = none.
  Index opening(Index close) const {
    int depth = 0;
    for (auto i = close; i >= 0; --i) {
      depth += word(i) == ")" ? 1 : word(i) == "(" ? -1 : 0;
      if (depth == 0) {
        return i;
      }
    }
    return -1;
  }
  // Behind the last token of the statement, or of the bracket, that `i` is in.
  Index close_of(Index i) const {
    int depth = 0;
    for (; i < count() && word(i) != ";"; ++i) {
      depth += word(i) == "(" ? 1 : word(i) == ")" ? -1 : 0;
      if (depth < 0) {
        break;
      }
    }
    return i;
  }
  Index closing(Index open) const {  // behind it
    int depth = 0;
    for (auto i = open; i < count(); ++i) {
      depth += word(i) == "(" ? 1 : word(i) == ")" ? -1 : 0;
      if (depth == 0) {
        return i + 1;
      }
    }
    return count();
  }
  Index first_of_statement() const {
    auto i = at_;
    while (i > 0 && word(i - 1) != ";") {
      --i;
    }
    return i;
  }
  // The nearest `upper` before, within the last few words.
  Index back_to(std::string_view upper, Index most) const {
    for (auto i = at_ - 1; i >= 0 && i >= at_ - most; --i) {
      if (is(i, upper)) {
        return i;
      }
    }
    return -1;
  }

 private:
  std::string const& text_;
  std::vector<Token> tokens_;
  Index at_ = 0;
};

struct Change {  // tokens `from` up to `to`
  Index from, to;
  std::string now;
};
struct Rewrite {
  std::vector<Change> changes;  // from left to right
  OlderText::Mark mark = OlderText::Mark::none;
  Index about = -1;  // which token the mark is about; -1 = the first that is changed
};

}  // namespace runbookd::planner::pg
