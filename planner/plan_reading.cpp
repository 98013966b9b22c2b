#include "planner/plan_reading.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>
#include <tuple>

#include "planner/nearest.h"

namespace runbookd::planner {
namespace {

std::string code(std::string_view text) { return "`" + std::string(text) + "`"; }

std::string listed(std::vector<std::string> const& words) {
  std::string text;
  for (std::string const& word : words) {
    text += word.empty() ? "" : (text.empty() ? "" : ", ") + word;
  }
  return text;
}

bool is_name(std::string_view text) {
  auto const ordinary = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return !text.empty() && text.size() <= 63 && ordinary(text.front()) &&
         std::all_of(text.begin(), text.end(),
                     [&](char c) { return ordinary(c) || c == '-' || c == '_'; });
}

std::string what_stands_there(Node const& node) {
  if (node.kind != Node::Kind::scalar) {
    return "here is " + std::string(to_text(node.kind));
  }
  return (node.plain ? "here is " : "here is the text ") + code(node.text.substr(0, 40));
}

}  // namespace

void Reading::report(Severity severity, Place place, std::string_view rule, std::string message,
                     std::string fix) {
  findings_.push_back({.rule = std::string(rule),
                       .severity = severity,
                       .place = std::move(place),
                       .message = std::move(message),
                       .fix = std::move(fix),
                       .step = step});
}

void Reading::error_at(Place place, std::string_view rule, std::string message, std::string fix) {
  report(Severity::error, std::move(place), rule, std::move(message), std::move(fix));
}

void Reading::error(Spot spot, std::string_view rule, std::string message, std::string fix) {
  report(Severity::error, place(spot), rule, std::move(message), std::move(fix));
}

void Reading::warning(Spot spot, std::string_view rule, std::string message, std::string fix) {
  report(Severity::warning, place(spot), rule, std::move(message), std::move(fix));
}

void Reading::merge(Findings findings) {
  for (Finding& finding : findings) {
    finding.step = finding.step.empty() ? step : finding.step;
    findings_.push_back(std::move(finding));
  }
}

// The plan's own findings first, then those of files beside it, each from top to bottom.
Findings Reading::sorted_findings() const {
  Findings sorted = findings_;
  auto const order = [this](Finding const& f) {
    return std::tuple(f.place.file != file_, f.place.file, f.place.line, f.place.column);
  };
  std::stable_sort(sorted.begin(), sorted.end(),
                   [&](Finding const& a, Finding const& b) { return order(a) < order(b); });
  return sorted;
}

void Reading::wrong_type(Node const& node, std::string_view wanted, std::string_view example) {
  std::string const key = node.key.empty() ? "an entry of this list" : code(node.key);
  error(node.kind == Node::Kind::null && !node.key.empty() ? node.key_spot : node.spot,
        "plan/wrong-type",
        key + " must be " + std::string(wanted) + ", but " + what_stands_there(node),
        std::string(example));
}

bool Reading::is_mapping(Node const& node, std::string_view what) {
  if (node.kind != Node::Kind::mapping) {
    std::string const more = what.starts_with('`') ? "" : " (" + std::string(what) + ")";
    wrong_type(node, "a mapping" + more, "write its keys below it, indented");
  }
  return node.kind == Node::Kind::mapping;
}

bool Reading::is_list(Node const& node) {
  if (node.kind != Node::Kind::sequence) {
    wrong_type(node, "a list", "begin each entry with `- `, or write [a, b]");
  }
  return node.kind == Node::Kind::sequence;
}

std::optional<std::string> Reading::text(Node const& node) {
  if (node.kind != Node::Kind::scalar) {
    wrong_type(node, "text", "write the text behind the colon, or after `|` as a block");
    return std::nullopt;
  }
  return without_end_space(fill(node.text, variables).text);
}

bool Reading::is_good_name(std::string const& name, Spot spot) {
  if (!is_name(name)) {
    error(spot, "plan/bad-name",
          code(name) + " cannot be a name: names stand in addresses and commands",
          "use up to 63 lower-case letters, digits, - and _, beginning with a letter or digit");
  }
  return is_name(name);
}

std::optional<std::string> Reading::name(Node const& node) {
  auto found = text(node);
  return found && is_good_name(*found, node.spot) ? found : std::nullopt;
}

std::string Reading::free_name(Node const& node) {
  std::string found = name(node).value_or("");
  if (found == "all" || found == "last") {  // `rollback --to all`
    error(node.spot, "plan/bad-name",
          code(found) + " is a word of the commands and cannot be a name", "choose another name");
  }
  return found;
}

std::optional<bool> Reading::flag(Node const& node) {
  if (auto const cell_text = node.plain ? cell(node) : Cell{};
      cell_text == "t" || cell_text == "f") {
    return cell_text == "t";
  }
  wrong_type(node, "true or false", "write true or false, without quotation marks");
  return std::nullopt;
}

std::optional<std::int64_t> Reading::number(Node const& node, std::int64_t least) {
  std::string const digits = node.kind == Node::Kind::scalar ? fill(node.text, variables).text : "";
  std::int64_t value = 0;
  auto const [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (digits.empty() || problem != std::errc{} || end != digits.data() + digits.size()) {
    wrong_type(node, "a whole number", "write digits only");
    return std::nullopt;
  }
  if (value < least || value > 1'000'000'000) {
    error(node.spot, "plan/bad-value",
          code(node.key) + " must be from " + std::to_string(least) + " to 1000000000", "");
    return std::nullopt;
  }
  return value;
}

std::optional<Duration> Reading::duration(Node const& node, Duration least) {
  auto const written = node.kind == Node::Kind::scalar ? fill(node.text, variables).text : "";
  auto const found = parse_duration(written);
  if (!found) {
    wrong_type(node, "a duration",
               "write a number with its unit, such as 200ms, 30s, 10m, 72h or 7d");
    return std::nullopt;
  }
  if (*found < least) {
    error(node.spot, "plan/bad-value", code(node.key) + " must be at least " + to_text(least), "");
    return std::nullopt;
  }
  return found;
}

std::optional<std::size_t> Reading::one_of(Node const& node,
                                           std::vector<std::string> const& words) {
  auto const found = text(node);
  if (!found) {
    return std::nullopt;
  }
  auto const at = std::find(words.begin(), words.end(), *found);
  if (at == words.end()) {
    std::string const meant = nearest(*found, words);
    error(node.spot, "plan/bad-value", code(node.key) + " cannot be " + code(*found),
          meant.empty() ? "write one of: " + listed(words) : "write " + code(meant));
    return std::nullopt;
  }
  return static_cast<std::size_t>(at - words.begin());
}

// As the server prints it: booleans are t and f, the rest as written.
Cell Reading::cell(Node const& node) {
  if (node.kind == Node::Kind::null) {
    return std::nullopt;
  }
  if (node.kind != Node::Kind::scalar) {
    wrong_type(node, "one value", "write one number, text, true, false or null");
    return std::nullopt;
  }
  if (node.plain && (node.text == "true" || node.text == "True" || node.text == "TRUE")) {
    return "t";
  }
  if (node.plain && (node.text == "false" || node.text == "False" || node.text == "FALSE")) {
    return "f";
  }
  return fill(node.text, variables).text;
}

namespace {

// Keys of the whole plan that people look for in a phase or a step.
constexpr std::array<std::string_view, 6> of_the_plan{
    "on_failure", "on_restart", "oncall_rollback", "baselines", "final_checks", "variables"};

std::string fix_for_key(std::string const& key, std::vector<std::string> const& known) {
  if (std::ranges::find(of_the_plan, key) != of_the_plan.end()) {
    return "it stands at the top level of the plan, beside " + code("phases");
  }
  std::string const meant = nearest(key, known);
  return meant.empty() ? "its keys are: " + listed(known) : "write " + code(meant);
}

}  // namespace

void Reading::check_keys(Node const& node, std::string_view what,
                         std::vector<std::string> const& seen,
                         std::vector<std::string> const& known) {
  for (Node const& child : node.children) {
    if (std::find(seen.begin(), seen.end(), child.key) != seen.end()) {
      continue;
    }
    error(child.key_spot, "plan/unknown-key", std::string(what) + " has no key " + code(child.key),
          fix_for_key(child.key, known));
  }
}

void Reading::unknown(Node const& node, std::string const& wanted, std::string_view what,
                      std::vector<std::string> const& known) {
  std::string const meant = nearest(wanted, known);
  std::string const all = known.empty() ? "the plan has none" : "known: " + listed(known);
  error(node.spot, "plan/unknown-reference",
        "there is no " + std::string(what) + " named " + code(wanted),
        meant.empty() ? all : "write " + code(meant));
}

void Reading::check_unique(Node const& list, std::string_view what) {
  std::set<std::string> seen;
  for (Node const& child : list.children) {
    Node const* named = child.find("name");
    if (named != nullptr && named->kind == Node::Kind::scalar && !seen.insert(named->text).second) {
      error(named->spot, "plan/duplicate",
            "another " + std::string(what) + " is named " + code(named->text) + " already",
            "give each its own name");
    }
  }
}

}  // namespace runbookd::planner
