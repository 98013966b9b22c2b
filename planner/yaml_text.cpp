#include "planner/yaml_text.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "planner/words.h"

namespace runbookd::planner {
namespace {

constexpr std::array short_keys{"lock",     "batch",      "throttle", "set",
                                "approval", "not_before", "metadata", "database"};
constexpr std::size_t width = 110;

bool one_of(std::string_view word, auto const& words) {
  return std::ranges::find(words, word) != std::end(words);
}

// Words that YAML, in one of its versions, takes for something else than text.
bool is_word_of_yaml(std::string const& text) {
  constexpr std::array words{"null", "true", "false", "yes", "no", "on", "off", "y", "n"};
  return one_of(lower(text), words);
}

bool is_plain(std::string const& text) {
  auto const letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  auto const fits = [&](char c) {
    return letter(c) || std::string_view(" _./()'<>=+*%;\"$-").find(c) != std::string_view::npos;
  };
  return !text.empty() && letter(text.front()) && text.back() != ' ' &&
         std::ranges::all_of(text, fits) && !is_word_of_yaml(text);
}

bool is_block(std::string const& text) {
  bool const control = std::ranges::any_of(text, [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') || c == '\x7f';
  });
  bool const odd = text.find("\xE2\x80\xA8") != std::string::npos ||
                   text.find("\xE2\x80\xA9") != std::string::npos ||
                   text.find("\xC2\x85") != std::string::npos ||
                   text.find("\xEF\xBB\xBF") != std::string::npos ||
                   text.find(" \n") != std::string::npos || text.find("\t\n") != std::string::npos;
  return text.find('\n') != std::string::npos && !control && !odd &&
         std::string_view(" \t\n").find(text.front()) == std::string_view::npos &&
         std::string_view(" \t\n").find(text.back()) == std::string_view::npos;
}

std::string scalar(Draft const& value) {
  if (value.is_string() && is_plain(value.get_ref<std::string const&>())) {
    return value.get<std::string>();
  }
  return value.dump();  // JSON's quoted text is YAML's
}

bool is_comment(std::string const& key) { return key.starts_with('#'); }

class Writer {
 public:
  void mapping(Draft const& object, std::size_t indent) {
    for (auto const& [key, value] : object.items()) {
      if (!is_comment(key)) {
        comment(object.value("#" + key, ""), indent);
        pad(indent);
        text += scalar(key) + ":";
        member(key, value, indent);
      }
    }
  }

  std::string text;

 private:
  void pad(std::size_t indent) {
    if (!after_dash_) {
      text.append(indent, ' ');
    }
    after_dash_ = false;
  }

  void comment(std::string const& words, std::size_t indent) {
    for (std::size_t start = 0; !words.empty() && start <= words.size();) {
      auto const end = std::min(words.find('\n', start), words.size());
      pad(indent);
      text += "# " + words.substr(start, end - start) + "\n";
      start = end + 1;
    }
  }

  void member(std::string const& key, Draft const& value, std::size_t indent) {
    if (value.is_object() || value.is_array()) {
      auto const line = yaml_line(value);
      bool const scalars = value.is_array() && std::ranges::none_of(value, [](auto const& v) {
                             return v.is_structured();
                           });
      bool const fits = indent + key.size() + line.size() + 2 <= width;
      if (value.empty() || scalars || key == "expect" || (fits && one_of(key, short_keys))) {
        text += " " + line + "\n";
        return;
      }
      text += "\n";
      if (value.is_object()) {
        mapping(value, indent + 2);
      } else {
        list(value, indent + 2);
      }
      return;
    }
    if (value.is_string() && is_block(value.get_ref<std::string const&>())) {
      block(value.get_ref<std::string const&>(), indent + 2);
      return;
    }
    text += " " + scalar(value) + "\n";
  }

  void list(Draft const& values, std::size_t indent) {
    for (auto const& value : values) {
      if (value.is_object()) {
        comment(value.value("#", ""), indent);
        pad(indent);
        text += "- ";
        after_dash_ = true;
        mapping(value, indent + 2);
      } else {
        pad(indent);
        text += "- " + yaml_line(value) + "\n";
      }
    }
  }

  void block(std::string const& value, std::size_t indent) {
    text += " |\n";
    for (std::size_t start = 0; start <= value.size();) {
      auto const end = std::min(value.find('\n', start), value.size());
      if (end > start) {
        text.append(indent, ' ').append(value, start, end - start);
      }
      text += "\n";
      start = end + 1;
    }
  }

  bool after_dash_ = false;
};

}  // namespace

std::string yaml_text(Draft const& document) {
  Writer writer;
  writer.mapping(document, 0);
  return std::move(writer.text);
}

std::string yaml_line(Draft const& value) {
  if (!value.is_structured()) {
    return scalar(value);
  }
  std::string line;
  for (auto const& [key, child] : value.items()) {
    if (value.is_object() && is_comment(key)) {
      continue;
    }
    line += line.empty() ? "" : ", ";
    line += value.is_object() ? scalar(key) + ": " : "";
    line += yaml_line(child);
  }
  return value.is_object() ? "{" + line + "}" : "[" + line + "]";
}

}  // namespace runbookd::planner
