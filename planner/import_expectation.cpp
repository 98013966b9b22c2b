// "Expected: is_nullable = 'YES'", "Must return 0", "should be at least 1": what a comment says
// that a query gives, as an expectation.
#include <algorithm>
#include <array>
#include <regex>

#include "planner/import_parts.h"
#include "planner/sql.h"

namespace runbookd::planner::import {
namespace {

constexpr std::size_t most_to_search = 400;  // std::regex recurses for each character

std::regex icase(char const* pattern) { return std::regex(pattern, std::regex::icase); }

struct Phrase {
  std::string_view words;
  std::string_view condition;
};
// As the server says them, and as people do.
constexpr std::array phrases{
    Phrase{"violates not-null", "not_null_violation"},
    Phrase{"null value in column", "not_null_violation"},
    Phrase{"not-null constraint", "not_null_violation"},
    Phrase{"not null constraint", "not_null_violation"},
    Phrase{"violates foreign key", "foreign_key_violation"},
    Phrase{"foreign key violation", "foreign_key_violation"},
    Phrase{"duplicate key", "unique_violation"},
    Phrase{"violates unique", "unique_violation"},
    Phrase{"violates check", "check_violation"},
    Phrase{"violates exclusion", "exclusion_violation"},
    Phrase{"permission denied", "insufficient_privilege"},
    Phrase{"column does not exist", "undefined_column"},
    Phrase{"relation does not exist", "undefined_table"},
    Phrase{"table does not exist", "undefined_table"},
};

std::optional<Draft> error_in(std::string const& words) {
  bool const fails = mentions(words, "error", "fail", "violat", "reject", "refuse", "denied");
  if (!fails) {
    return std::nullopt;
  }
  for (Phrase const& phrase : phrases) {
    if (words.find(phrase.words) != std::string::npos) {
      return Draft{{"error", phrase.condition}};
    }
  }
  static std::regex const column = icase(R"(column .{1,80} does not exist)");
  static std::regex const word(R"([a-z0-9_]{5,40})");
  if (std::regex_search(words, column)) {
    return Draft{{"error", "undefined_column"}};
  }
  for (std::sregex_iterator it(words.begin(), words.end(), word), end; it != end; ++it) {
    auto const candidate = it->str();
    bool const coded = candidate.size() == 5 && candidate.find_first_of("0123456789") == 0;
    if ((coded || candidate.find('_') != std::string::npos) && !sqlstate_of(candidate).empty()) {
      return Draft{{"error", candidate}};
    }
  }
  return std::nullopt;
}

std::string stem(std::string_view name) {
  auto text = lower(name);
  for (std::string_view end : {"_after", "_before", "_now", "_post", "_pre"}) {
    if (text.ends_with(end)) {
      text.resize(text.size() - end.size());
    }
  }
  return text;
}

std::optional<Draft> baseline_in(std::string const& words,
                                 std::vector<std::string> const& baselines,
                                 std::string_view alias) {
  if (!mentions(words, "baseline", "before", "unchanged", "same as", "pre-migration", "match")) {
    return std::nullopt;
  }
  for (auto const& name : baselines) {
    if (words.find(name) != std::string::npos || stem(alias) == stem(name)) {
      return Draft{{"baseline", name}};
    }
  }
  return std::nullopt;
}

std::string without_quotes(std::string text) {
  if (text.size() > 1 && (text.front() == '\'' || text.front() == '"' || text.front() == '`') &&
      text.back() == text.front()) {
    return text.substr(1, text.size() - 2);
  }
  return text;
}

// true and false as the server prints them are t and f; the plan file has words for them.
Draft cell_of(std::string const& raw) {
  auto const text = without_quotes(raw);
  bool const quoted = text != raw;
  auto const low = lower(text);
  if (!quoted && low == "null") {
    return nullptr;
  }
  if (!quoted && (low == "true" || low == "false")) {
    return low == "true";
  }
  return text;
}

std::optional<Draft> comparison_in(std::string const& words) {
  static std::regex const pattern = icase(
      R"(^(?:(?:count|rows?|value|result)\s+)?(>=|<=|<>|!=|>|<|at least|at most|more than|greater than|less than|fewer than|under|over|not)\s+(-?\d{1,18}(?:\.\d{1,9})?)\b)");
  std::smatch match;
  if (!std::regex_search(words, match, pattern)) {
    return std::nullopt;
  }
  auto const how = match[1].str();
  std::string const key =
      how == ">=" || how == "at least"                                            ? "ge"
      : how == "<=" || how == "at most"                                           ? "le"
      : how == "<>" || how == "!=" || how == "not"                                ? "ne"
      : how == "<" || how == "less than" || how == "fewer than" || how == "under" ? "lt"
                                                                                  : "gt";
  return Draft{{key, match[2].str()}};
}

std::optional<Draft> rows_in(std::string const& words) {
  static std::regex const none = icase(R"(^(?:no|0|zero) (?:rows?|results?|records?)\b)");
  static std::regex const some = icase(
      R"(^(?:(?:one|\d{1,9}|some|a|the|at least one|at least 1|exactly one) rows?\b|not empty|non-empty))");
  if (std::regex_search(words, none) || words.starts_with("empty") ||
      words.starts_with("nothing")) {
    return Draft{{"empty", true}};
  }
  return std::regex_search(words, some) ? std::optional{Draft{{"empty", false}}} : std::nullopt;
}

// "1, 'x'", ">= 5 and < 10", "between 5 and 10": more than one value or bound, and a check compares
// one.
bool says_several(std::string const& words) {
  static std::regex const several(
      R"(^(?:between\b|(?:[<>=!]+\s*|(?:at least|at most|more than|less than|over|under)\s+)?(?:'[^']{0,200}'|-?\d{1,30}(?:\.\d{1,20})?)\s*(?:,|and|or|to|-|–|\.\.)\s*(?:[<>=]|'|-?\d|at (?:least|most)|less|more|fewer|under|over|up to)))",
      std::regex::icase);
  return std::regex_search(words, several);
}

// What stands behind "Expected:", "Should be", "Must return" and the like.
std::string said_value(std::string const& comment) {
  static std::regex const opening = icase(
      R"(^(?:expect(?:ed|s|ation)?(?: (?:result|value|output|outcome))?|(?:it |this |result |output )?(?:should|must|needs to|has to)(?: (?:be|return|equal|give|show|yield|print|read|have))*|returns?|results?|output|want|->|=>|→)\s*[:=]?\s*(?:be |is |to be |exactly |equal to )?)");
  std::smatch match;
  auto const text = comment.substr(0, most_to_search);
  return std::regex_search(text, match, opening) ? trimmed(text.substr(match.length())) : "";
}

bool is_hedged(std::string const& words) {
  return mentions(words, "(or ", " or irrelevant", "irrelevant", "approximately", "roughly",
                  "about ", "~", "if applicable", "usually", "depends");
}

Expected simple_value(std::string const& value) {
  static std::regex const named(
      R"(^([A-Za-z_][\w.]{0,60})\s*(?:=|==|is|:)\s*('[^']{0,200}'|"[^"]{0,200}"|[\w.+-]{1,200})(?:\s|[.,;)]|$))");
  static std::regex const bare(
      R"(^('[^']{0,200}'|"[^"]{0,200}"|`[^`]{0,200}`|-?\d{1,30}(?:\.\d{1,20})?|true|false|null|yes|no|t|f)(?:\s|[.,;)]|$))",
      std::regex::icase);
  std::smatch match;
  Expected found;
  if (std::regex_search(value, match, bare)) {
    found.expect = {{"value", cell_of(match[1].str())}};
  } else if (std::regex_search(value, match, named)) {
    found.expect = {{"value", cell_of(match[2].str())}};
    found.column = match[1].str();
  } else if (value == "zero" || value.starts_with("zero ")) {
    found.expect = {{"value", "0"}};
  }
  return found;
}

}  // namespace

Expected expectation_in(std::string_view comment, std::vector<std::string> const& baselines,
                        std::string_view alias) {
  Expected found;
  auto const value = said_value(std::string(comment));
  if (value.empty()) {
    return found;
  }
  auto const words = lower(value);
  auto const all = lower(comment.substr(0, most_to_search));
  found.hedged = is_hedged(words);
  if (says_several(words)) {
    found.several = true;
    return found;
  }
  if (auto error = error_in(words)) {
    found.expect = std::move(*error);
  } else if (auto baseline = baseline_in(all, baselines, alias)) {
    found.expect = std::move(*baseline);
  } else if (auto rows = rows_in(words)) {
    found.expect = std::move(*rows);
  } else if (auto comparison = comparison_in(words)) {
    found.expect = std::move(*comparison);
  } else {
    bool const hedged = found.hedged;
    found = simple_value(value);
    found.hedged = hedged;
  }
  return found;
}

}  // namespace runbookd::planner::import
