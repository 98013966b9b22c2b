#include "planner/pg_json.h"

#include <array>
#include <cstring>
#include <limits>

#include "planner/utf8.h"

namespace runbookd::planner::pg {
namespace {

using Kind = Value::Kind;

// Fields begin in lower case.
bool names_a_type(std::string_view key) {
  return !key.empty() && key.front() >= 'A' && key.front() <= 'Z';
}

int hex_digit(char c) {
  return c >= '0' && c <= '9'   ? c - '0'
         : c >= 'a' && c <= 'f' ? c - 'a' + 10
         : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                : -1;
}

// A tree has millions of keys and types, and a few hundred different ones: each stands in one place
// only, so that looking for a field does not go through all of the text once more.
class Words {
 public:
  std::string_view one(std::string_view word) {
    if (word.empty()) {
      return word;
    }
    auto const mixed = static_cast<unsigned char>(word.front()) * 31U +
                       static_cast<unsigned char>(word[word.size() / 2]) * 7U +
                       static_cast<unsigned char>(word.back()) * 3U + word.size() * 61U;
    auto& kept = kept_[mixed % kept_.size()];
    if (kept != word) {
      kept = word;
    }
    return kept;
  }

 private:
  std::array<std::string_view, 512> kept_;
};

// Not recursive: a tree may be deeper than our stack. The text ends with NUL, which fits nowhere,
// so nothing is read behind it.
class Reader {
 public:
  explicit Reader(char* json) : at_(json) {
    constexpr std::size_t bytes_of_a_value = 16;  // a few less than there mostly are
    values_.reserve(std::strlen(json) / bytes_of_a_value);
  }

  std::vector<Value> read() {
    bool fits = value({});
    while (fits && !open_.empty()) {
      fits = step();
    }
    if (!fits || *at_ != '\0') {
      values_.clear();
    }
    return std::move(values_);
  }

 private:
  struct Open {
    std::size_t index;
    bool wrapped;  // closes twice
  };

  // The next member or item of what is open, or its end.
  bool step() {
    auto const [index, wrapped] = open_.back();
    bool const list = values_[index].kind == Kind::list;
    if (*at_ == (list ? ']' : '}')) {
      ++at_;
      values_[index].size = static_cast<std::uint32_t>(values_.size() - index);
      open_.pop_back();
      return !wrapped || take('}');
    }
    if (values_.size() > index + 1 && !take(',')) {
      return false;
    }
    if (list) {
      return value({});
    }
    auto const key = string();
    return key.data() != nullptr && take(':') && value(words_.one(key));
  }

  bool value(std::string_view key) {
    if (key.size() > std::numeric_limits<std::uint16_t>::max() ||
        values_.size() >= std::numeric_limits<std::uint32_t>::max()) {
      return false;
    }
    auto& made = values_.emplace_back();
    made.key = key.data();
    made.key_size = static_cast<std::uint16_t>(key.size());
    switch (*at_) {
      case '{':
        ++at_;
        made.kind = Kind::object;
        return object(made);
      case '[':
        ++at_;
        made.kind = Kind::list;
        open_.push_back({values_.size() - 1, false});
        return true;
      case '"':
        made.kind = Kind::text;
        return words(made, string());
      case 't':
        made.kind = Kind::yes;
        return take("true");
      case 'f':
        made.kind = Kind::no;
        return take("false");
      case 'n':
        made.kind = Kind::null;
        return take("null");
      default:
        made.kind = Kind::number;
        return words(made, number());
    }
  }

  // Up to its first member. Where that is an inner object with its type, it is this one.
  bool object(Value& made) {
    auto* const begin = at_;
    auto const type = *at_ == '"' ? string() : std::string_view();
    bool const wrapped = names_a_type(type) && at_[0] == ':' && at_[1] == '{';
    if (wrapped) {
      at_ += 2;
    } else {
      at_ = begin;  // a key has no escapes, so that reading it changed nothing
    }
    open_.push_back({values_.size() - 1, wrapped});
    return words(made, wrapped ? words_.one(type) : std::string_view(""));
  }

  static bool words(Value& made, std::string_view text) {
    made.words = text.data();
    made.words_size = static_cast<std::uint32_t>(text.size());
    return text.data() != nullptr && text.size() <= std::numeric_limits<std::uint32_t>::max();
  }

  std::string_view number() {
    auto const* const begin = at_;
    while ((*at_ >= '0' && *at_ <= '9') || *at_ == '-' || *at_ == '+' || *at_ == '.' ||
           *at_ == 'e' || *at_ == 'E') {
      ++at_;
    }
    return at_ == begin ? std::string_view() : std::string_view(begin, at_);
  }

  // What stands in quotation marks; no data = it cannot be read.
  std::string_view string() {
    if (!take('"')) {
      return {};
    }
    auto* const begin = at_;
    unsigned seen = 0;
    while (*at_ != '"' && *at_ != '\\' && *at_ != '\0') {
      seen |= static_cast<unsigned char>(*at_++);
    }
    auto* end = at_;
    while (*at_ != '"') {
      if (*at_ == '\0' || (*at_ == '\\' && !unescape())) {
        return {};
      }
      seen |= static_cast<unsigned char>(*at_);
      *end++ = *at_++;
    }
    ++at_;
    std::string_view const text(begin, end);
    return seen < 0x80 || bad_utf8(text) == std::string_view::npos ? text : std::string_view();
  }

  // Puts the character where its escape ends.
  bool unescape() {
    constexpr std::string_view escapes = "\"\\/bfnrt", characters = "\"\\/\b\f\n\r\t";
    ++at_;
    if (*at_ == 'u') {
      return unescape_number();
    }
    auto const found = *at_ == '\0' ? std::string_view::npos : escapes.find(*at_);
    if (found == std::string_view::npos) {
      return false;
    }
    *at_ = characters[found];
    return true;
  }

  // Only control characters are written by their number.
  bool unescape_number() {
    int code = 0;
    for (int i = 0; i < 4; ++i) {
      auto const digit = hex_digit(*++at_);
      if (digit < 0) {
        return false;
      }
      code = code * 16 + digit;
    }
    *at_ = static_cast<char>(code);
    return code < 0x80;
  }

  bool take(char c) {
    bool const there = *at_ == c;
    at_ += there ? 1 : 0;
    return there;
  }
  bool take(std::string_view word) {
    for (char const c : word) {
      if (!take(c)) {
        return false;
      }
    }
    return true;
  }

  char* at_;
  Words words_;
  std::vector<Value> values_;
  std::vector<Open> open_;
};

}  // namespace

std::vector<Value> read_json(char* json) { return Reader(json).read(); }

}  // namespace runbookd::planner::pg
