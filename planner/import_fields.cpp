// The small forms of a document: labels, names, durations, placeholders.
#include <algorithm>
#include <array>
#include <charconv>

#include "planner/import_parts.h"
#include "planner/words.h"

namespace runbookd::planner::import {
namespace {

using markdown::Run;
using markdown::Runs;

bool is_word(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
char lowered(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool opens_field(Runs const& runs, std::size_t at) {
  if (runs[at].kind != Run::Kind::strong) {
    return false;
  }
  bool const first = at == 0 || runs[at - 1].kind == Run::Kind::soft_break ||
                     runs[at - 1].kind == Run::Kind::hard_break ||
                     trimmed(runs[at - 1].text).ends_with('|');
  bool const colon_behind = at + 1 < runs.size() && runs[at + 1].kind == Run::Kind::text &&
                            runs[at + 1].text.starts_with(':');
  return first && (trimmed(runs[at].text).ends_with(':') || colon_behind);
}

// The bar or the break between one field and the next on the same lines is no part of either.
void cut_separator(Runs& value) {
  if (!value.empty() &&
      (value.back().kind == Run::Kind::hard_break || value.back().kind == Run::Kind::soft_break)) {
    value.pop_back();
  }
  if (!value.empty() && value.back().kind == Run::Kind::text) {
    auto& text = value.back().text;
    auto const bar = text.find_last_not_of(' ');
    if (bar != std::string::npos && text[bar] == '|' && bar + 1 < text.size()) {
      text.resize(bar);
      while (text.ends_with(' ')) {
        text.pop_back();
      }
      if (text.empty()) {
        value.pop_back();
      }
    }
  }
}

std::string label_of(Run const& run) {
  auto label = trimmed(run.text);
  while (label.ends_with(':')) {
    label.pop_back();
  }
  return lower(label);
}

struct Unit {
  std::string_view word;
  std::int64_t ms;
};
constexpr std::array units{
    Unit{"second", 1000},    Unit{"sec", 1000},         Unit{"minute", 60'000},
    Unit{"min", 60'000},     Unit{"hour", 3'600'000},   Unit{"hr", 3'600'000},
    Unit{"day", 86'400'000}, Unit{"week", 604'800'000}, Unit{"ms", 1},
    Unit{"s", 1000},         Unit{"m", 60'000},         Unit{"h", 3'600'000},
    Unit{"d", 86'400'000}};

std::optional<std::int64_t> unit_of(std::string_view word) {
  for (Unit const& unit : units) {
    if (word == unit.word || (unit.word.size() > 2 && word == std::string(unit.word) + "s")) {
      return unit.ms;
    }
  }
  return std::nullopt;
}

}  // namespace

std::string slug(std::string_view text) {
  std::string out;
  for (char const raw : text) {
    char const c = lowered(raw);
    if (is_word(c) || c == '_') {
      out += c;
    } else if (!out.empty() && out.back() != '-' && raw != '\'' && raw != '`') {
      out += '-';
    }
  }
  constexpr std::size_t longest = 48;
  if (out.size() > longest) {
    auto const end = out.rfind('-', longest);
    out.resize(end == std::string::npos || end < 12 ? longest : end);
  }
  while (out.ends_with('-')) {
    out.pop_back();
  }
  while (out.starts_with('_')) {
    out.erase(0, 1);
  }
  return out;
}

std::optional<Duration> duration_in(std::string_view text) {
  auto const words = lower(text);
  std::optional<Duration> longest;
  for (std::size_t at = 0; at < words.size();) {
    if (words[at] < '0' || words[at] > '9' || (at > 0 && is_word(words[at - 1]))) {
      ++at;
      continue;
    }
    std::int64_t number = 0;
    auto const* const begin = words.data() + at;
    auto const* const end = words.data() + words.size();
    auto const read = std::from_chars(begin, end, number);
    at += static_cast<std::size_t>(read.ptr - begin);
    auto start = at;
    while (start < words.size() && (words[start] == ' ' || words[start] == '-')) {
      ++start;
    }
    auto stop = start;
    while (stop < words.size() && words[stop] >= 'a' && words[stop] <= 'z') {
      ++stop;
    }
    auto const unit = unit_of(std::string_view(words).substr(start, stop - start));
    if (unit && read.ec == std::errc{} && number > 0 && number < 100'000) {
      longest = std::max(longest.value_or(Duration{0}), Duration{number * *unit});
    }
  }
  return longest;
}

bool is_placeholder(std::string_view text) {
  auto const word = trimmed(text);
  return word.size() > 2 && word.front() == '[' && word.back() == ']' &&
         word.find(']') == word.size() - 1;
}

bool is_exact_value(Runs const& runs) {
  return runs.size() == 1 && runs[0].kind == Run::Kind::code && runs[0].text.starts_with('"');
}

std::string value_of(Runs const& runs) {
  if (is_exact_value(runs)) {
    auto const json = Draft::parse(runs[0].text, nullptr, false);
    if (json.is_string()) {
      return json.get<std::string>();
    }
  }
  return markdown::plain(runs);
}

std::vector<Field> fields_in(Runs const& runs) {
  std::vector<Field> found;
  Runs value;
  Field field;
  bool open = false;
  auto const close = [&](bool another) {
    if (another) {
      cut_separator(value);
    }
    if (!value.empty() && value.front().kind == Run::Kind::soft_break) {
      value.erase(value.begin());
    }
    field.value = value_of(value);
    field.exact = is_exact_value(value);
    if (open || !field.value.empty()) {
      found.push_back(std::move(field));
    }
    field = {};
    value.clear();
  };
  for (std::size_t at = 0; at < runs.size(); ++at) {
    if (!opens_field(runs, at)) {
      if (!open && value.empty()) {
        field.line = runs[at].line;
      }
      value.push_back(runs[at]);
      continue;
    }
    close(true);
    open = true;
    field.label = label_of(runs[at]);
    field.line = runs[at].line;
    if (at + 1 < runs.size() && runs[at + 1].kind == Run::Kind::text) {
      auto rest = runs[at + 1];
      rest.text.erase(0, rest.text.starts_with(':') ? 1 : 0);
      rest.text.erase(0, rest.text.starts_with(' ') ? 1 : 0);
      if (!rest.text.empty()) {
        value.push_back(std::move(rest));
      }
      ++at;
    }
  }
  close(false);
  return found;
}

ListItem item_of(Block const& block) {
  ListItem item{.line = block.line, .task = block.task};
  auto runs = block.runs;
  if (runs.size() > 1 && is_exact_value({runs[0]}) && runs[1].text.starts_with(": ")) {
    item.owner = value_of({runs[0]});
    runs.erase(runs.begin());
    runs.front().text.erase(0, 2);
    if (runs.front().text.empty()) {
      runs.erase(runs.begin());
    }
  } else if (runs.size() > 1 && runs[0].kind == markdown::Run::Kind::strong &&
             runs[0].text.ends_with(':') && runs[1].text.starts_with(' ')) {
    item.owner = runs[0].text.substr(0, runs[0].text.size() - 1);
    runs.erase(runs.begin());
    runs.front().text.erase(0, 1);
    if (runs.front().text.empty()) {
      runs.erase(runs.begin());
    }
  }
  item.text = value_of(runs);
  return item;
}

namespace {

std::string without_number(std::string text) {
  auto const low = lower(text);
  if (low.starts_with("step ")) {
    auto const end = low.find_first_not_of("0123456789. ", 5);
    if (end != std::string::npos && (low[end] == ':' || low[end] == '-' || low[end] == ')')) {
      return trimmed(text.substr(end + 1));
    }
  }
  return text;
}

std::string headline(std::string const& text) {
  std::size_t end = text.size();
  for (std::string_view stop : {" (", " — ", " - ", ". ", ": ", "; "}) {
    end = std::min(end, text.find(stop));
  }
  return text.substr(0, end);
}

}  // namespace

Words words_above(std::vector<Comment> const& comments) {
  Words words;
  int last = 0;
  for (auto const& comment : comments) {
    auto const low = lower(comment.text);
    if (low.starts_with("note") || low.starts_with("migration:") || low.starts_with("grep ") ||
        (tells_a_result(low) && comment.line == last + 1)) {
      last = comment.line;
      continue;
    }
    auto const text = without_number(comment.text);
    if (comment.line != last + 1) {
      // "Must return 0" is no name of what is counted
      words = {.name = tells_a_result(text) ? "" : slug(headline(text)), .description = text};
    } else {
      words.description += " " + text;
    }
    last = comment.line;
  }
  return words;
}

void Report::say(Severity severity, Place place, std::string rule, std::string message,
                 std::string fix) {
  place.file = file;
  findings.push_back({.rule = std::move(rule),
                      .severity = severity,
                      .place = std::move(place),
                      .message = std::move(message),
                      .fix = std::move(fix),
                      .step = {}});
}

std::string Names::free(std::string wanted) {
  if (wanted.empty() || wanted == "all" || wanted == "last") {
    wanted = "part";
  }
  auto name = wanted;
  for (int i = 2; !taken_.insert(name).second; ++i) {
    name = wanted + "-" + std::to_string(i);
  }
  return name;
}

}  // namespace runbookd::planner::import
