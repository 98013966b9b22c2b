#include "planner/pg_scan.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <optional>
#include <string_view>

#include <pg_query.h>

namespace runbookd::planner::pg {
namespace {

// Just enough of the protocol buffer wire form for the scanner's answer.
class Wire {
 public:
  explicit Wire(std::string_view bytes) : bytes_(bytes) {}
  bool done() const { return at_ >= bytes_.size(); }
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; !done() && shift < 64; shift += 7) {
      auto const byte = static_cast<unsigned char>(bytes_[at_++]);
      value |= std::uint64_t{byte & 0x7FU} << shift;
      if ((byte & 0x80U) == 0) {
        break;
      }
    }
    return value;
  }
  std::string_view bytes() {
    auto const length = std::min<std::size_t>(varint(), bytes_.size() - at_);
    at_ += length;
    return bytes_.substr(at_ - length, length);
  }

 private:
  std::string_view bytes_;
  std::size_t at_ = 0;
};

constexpr std::uint64_t sql_comment = 275, c_comment = 276;

Token token_from(std::string_view bytes) {
  Wire wire(bytes);
  std::uint64_t start = 0, end = 0, kind = 0;
  while (!wire.done()) {
    auto const tag = wire.varint();
    auto const value = wire.varint();  // every field of a token is a number
    switch (tag >> 3U) {
      case 1:
        start = value;
        break;
      case 2:
        end = value;
        break;
      case 4:
        kind = value;
        break;
      default:
        break;
    }
  }
  return {start, end - start, kind == sql_comment || kind == c_comment};
}

std::vector<Token> tokens_from(std::string_view bytes) {
  std::vector<Token> tokens;
  Wire wire(bytes);
  while (!wire.done()) {
    auto const tag = wire.varint();
    if ((tag & 7U) == 2) {
      tokens.push_back(token_from(wire.bytes()));
    } else {
      wire.varint();
    }
  }
  return tokens;
}

// libpg_query's scanner packs and unpacks each token, which takes longer than parsing. Most texts
// hold nothing but the plain forms below; for any other, libpg_query is asked about the whole text.
class Plain {
 public:
  explicit Plain(std::string_view text) : text_(text) {}

  // Nothing where something stands in it that is not plain.
  std::optional<std::vector<Token>> scan() {
    std::vector<Token> tokens;
    tokens.reserve(text_.size() / 4);
    for (skip_blanks(); at_ < text_.size(); skip_blanks()) {
      auto const begin = at_;
      bool const comment = starts("--") || starts("/*");
      auto const end = comment ? end_of_comment() : end_of_token();
      if (end == nowhere) {
        return std::nullopt;
      }
      tokens.push_back({begin, end - begin, comment});
      at_ = end;
    }
    return tokens;
  }

 private:
  static constexpr auto nowhere = std::string_view::npos;
  static bool digit(char c) { return c >= '0' && c <= '9'; }
  static bool letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           static_cast<unsigned char>(c) >= 0x80;
  }
  static bool blank(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f'; }
  static bool in_operator(char c) {
    return std::string_view("~!@#^&|`?+-*/%<>=").find(c) != nowhere;
  }

  char look(std::size_t at) const { return at < text_.size() ? text_[at] : '\0'; }
  bool starts(std::string_view with) const { return text_.substr(at_).starts_with(with); }
  void skip_blanks() {
    while (at_ < text_.size() && blank(text_[at_])) {
      ++at_;
    }
  }

  std::size_t end_of_token() const {
    auto const c = text_[at_];
    if (letter(c)) {
      return end_of_word();
    }
    if (digit(c)) {
      return end_of_number();
    }
    switch (c) {
      case ',':
      case '(':
      case ')':
      case '[':
      case ']':
      case ';':
        return at_ + 1;
      case '.':
        return look(at_ + 1) == '.' || digit(look(at_ + 1)) ? nowhere : at_ + 1;
      case ':':
        return at_ + (look(at_ + 1) == ':' || look(at_ + 1) == '=' ? 2 : 1);
      case '\'':
        return end_of_string();
      case '"':
        return look(at_ + 1) == '"' ? nowhere : end_of_quoted('"');
      case '$':
        return end_of_dollar();
      default:
        return in_operator(c) ? end_of_operator() : nowhere;
    }
  }

  // E'', B'', X'', N'', U&'' and U&"" are no plain words.
  std::size_t end_of_word() const {
    auto end = at_ + 1;
    while (letter(look(end)) || digit(look(end)) || look(end) == '$') {
      ++end;
    }
    auto const next = look(end);
    return end == at_ + 1 && (next == '\'' || next == '&') ? nowhere : end;
  }

  std::size_t end_of_number() const {
    auto end = at_;
    while (digit(look(end))) {
      ++end;
    }
    if (look(end) == '.' && digit(look(end + 1))) {
      do {
        ++end;
      } while (digit(look(end)));
    }
    return letter(look(end)) || look(end) == '$' || look(end) == '.' ? nowhere : end;
  }

  // A doubled mark stands for itself.
  std::size_t end_of_quoted(char mark) const {
    for (auto end = text_.find(mark, at_ + 1); end != nowhere; end = text_.find(mark, end + 2)) {
      if (look(end + 1) != mark) {
        return end + 1;
      }
    }
    return nowhere;
  }

  // 'a' on one line and 'b' on the next are one string; what is between may be comments.
  std::size_t end_of_string() const {
    auto const end = end_of_quoted('\'');
    auto next = end;
    while (next < text_.size() && (blank(text_[next]) || text_.substr(next).starts_with("--"))) {
      next = blank(text_[next]) ? next + 1 : text_.find_first_of("\n\r", next);
    }
    return look(next) == '\'' ? nowhere : end;
  }

  // $1, or $tag$ … $tag$.
  std::size_t end_of_dollar() const {
    auto end = at_ + 1;
    if (digit(look(end))) {
      while (digit(look(end))) {
        ++end;
      }
      return letter(look(end)) ? nowhere : end;
    }
    while (letter(look(end)) || digit(look(end))) {
      ++end;
    }
    if (look(end) != '$') {
      return nowhere;
    }
    auto const tag = text_.substr(at_, end + 1 - at_);
    auto const closing = text_.find(tag, end + 1);
    return closing == nowhere ? nowhere : closing + tag.size();
  }

  // As long as it can be. A comment ends it, and "+" or "-" at its end belongs to what follows,
  // except behind characters that SQL's own operators do not have.
  std::size_t end_of_operator() const {
    auto end = at_;
    while (in_operator(look(end)) && !text_.substr(end).starts_with("--") &&
           !text_.substr(end).starts_with("/*")) {
      ++end;
    }
    auto const word = text_.substr(at_, end - at_);
    if (word.find_first_of("~!@#^&|`?%") != nowhere) {
      return end;
    }
    while (end > at_ + 1 && (text_[end - 1] == '+' || text_[end - 1] == '-')) {
      --end;
    }
    return end;
  }

  std::size_t end_of_comment() const {
    if (text_[at_] == '-') {
      return std::min(text_.find_first_of("\n\r", at_), text_.size());
    }
    auto end = at_;
    int depth = 0;
    do {
      bool const opens = text_.substr(end).starts_with("/*");
      bool const closes = text_.substr(end).starts_with("*/");
      depth += opens ? 1 : closes ? -1 : 0;
      end += opens || closes ? 2 : 1;
    } while (depth > 0 && end < text_.size());
    return depth == 0 ? end : nowhere;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

namespace {

std::optional<std::vector<Token>> scanned(std::string const& sql) {
  std::optional<std::vector<Token>> tokens;
  auto result = pg_query_scan(sql.c_str());
  if (result.error == nullptr) {
    tokens = tokens_from({result.pbuf.data, result.pbuf.len});
  }
  pg_query_free_scan_result(result);
  return tokens;
}

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '$';
}

bool newer_number(std::string_view word) {
  bool const based = word.size() > 2 && word[0] == '0' &&
                     std::string_view("xXoObB").find(word[1]) != std::string_view::npos;
  auto const digits = based ? "0123456789abcdefABCDEF_" : "0123456789_";
  return word.find_first_not_of(digits, based ? 2 : 0) == std::string_view::npos;
}

// 0x1F and 1_000, which the scanner of PostgreSQL 15 refuses, as numbers of the same length; what
// looks like one inside a string or a name stays inside.
std::string with_older_numbers(std::string sql) {
  for (std::size_t from = 0; from < sql.size(); ++from) {
    auto to = from;
    while (to < sql.size() && is_word(sql[to])) {
      ++to;
    }
    bool const number = to > from && std::isdigit(static_cast<unsigned char>(sql[from])) != 0;
    if (number && newer_number(std::string_view(sql).substr(from, to - from))) {
      std::fill(sql.begin() + static_cast<std::ptrdiff_t>(from),
                sql.begin() + static_cast<std::ptrdiff_t>(to), '1');
    }
    from = to;
  }
  return sql;
}

}  // namespace

std::vector<Token> scan_slowly(std::string const& sql) {
  auto tokens = scanned(sql);
  if (!tokens) {
    tokens = scanned(with_older_numbers(sql));
  }
  return tokens.value_or(std::vector<Token>{});
}

std::optional<std::vector<Token>> scan_plainly(std::string_view sql) { return Plain(sql).scan(); }

std::vector<Token> scan(std::string const& sql) {
  auto tokens = scan_plainly(sql);
  return tokens ? *std::move(tokens) : scan_slowly(sql);
}

bool too_deep(std::string_view sql, std::vector<Token> const& tokens) {
  // Every token since the last comma may be a level of its own; a closed bracket gives its levels
  // back. Measured: 60,000 such levels still fit into 8 MiB of stack, whatever the construct.
  constexpr std::size_t limit = 20'000;
  std::vector<std::size_t> open{0};
  std::size_t total = 0;
  for (auto const& token : tokens) {
    auto const text = token.in(sql);
    ++open.back();
    ++total;
    if (text == "(" || text == "[") {
      open.push_back(0);
    } else if ((text == ")" || text == "]") && open.size() > 1) {
      total -= open.back();
      open.pop_back();
    } else if (text == "," || text == ";") {
      total -= open.back();
      open.back() = 0;
    }
    if (total > limit) {
      return true;
    }
  }
  return false;
}

bool same_word(std::string_view text, std::string_view upper_word) {
  return std::ranges::equal(text, upper_word, [](char have, char want) {
    return (have >= 'a' && have <= 'z' ? have - 'a' + 'A' : have) == want;
  });
}

}  // namespace runbookd::planner::pg
