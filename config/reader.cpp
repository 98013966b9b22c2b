#include "config/reader.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <utility>

#include "planner/nearest.h"

namespace runbookd::config {
namespace {

using planner::Node;

std::string joined(std::initializer_list<std::string_view> words) {
  std::string text;
  for (auto const word : words) {
    text += (text.empty() ? "" : ", ") + std::string(word);
  }
  return text;
}

std::optional<std::int64_t> factor_of(std::string_view unit) {
  constexpr std::array<std::pair<std::string_view, std::int64_t>, 7> units{{{"KiB", 1LL << 10U},
                                                                            {"MiB", 1LL << 20U},
                                                                            {"GiB", 1LL << 30U},
                                                                            {"TiB", 1LL << 40U},
                                                                            {"kB", 1'000},
                                                                            {"MB", 1'000'000},
                                                                            {"GB", 1'000'000'000}}};
  auto const found = std::ranges::find(units, unit, [](auto const& pair) { return pair.first; });
  return found == units.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::int64_t> parse_size(std::string_view text) {
  std::int64_t number = 0;
  auto const end = text.data() + text.size();
  auto const [read, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || number < 0) {
    return std::nullopt;
  }
  auto const factor = factor_of({read, end});
  constexpr std::int64_t most = 1LL << 50U;
  return factor && number <= most / *factor ? std::optional(number * *factor) : std::nullopt;
}

}  // namespace

planner::Place Reader::place(Node const& node) const {
  return {.file = file_, .line = node.spot.line, .column = node.spot.column};
}

std::string Reader::beside(std::string const& path) const {
  return (std::filesystem::path(file_).parent_path() / path).lexically_normal().string();
}

void Reader::add(planner::Findings const& more) {
  findings_.insert(findings_.end(), more.begin(), more.end());
}

void Reader::problem(Node const& node, std::string rule, std::string message, std::string fix) {
  findings_.push_back({.rule = std::move(rule),
                       .severity = planner::Severity::error,
                       .place = place(node),
                       .message = std::move(message),
                       .fix = std::move(fix)});
}

bool Reader::mapping(Node const& node, std::initializer_list<std::string_view> keys) {
  if (node.kind != Node::Kind::mapping) {
    problem(node, "config/wrong-type",
            "expected keys and values here, found " + std::string(planner::to_text(node.kind)),
            "known keys: " + joined(keys));
    return false;
  }
  for (auto const& child : node.children) {
    if (std::ranges::find(keys, child.key) != keys.end()) {
      continue;
    }
    auto const near = planner::nearest(child.key, {keys.begin(), keys.end()});
    findings_.push_back(
        {.rule = "config/unknown-key",
         .severity = planner::Severity::error,
         .place = {file_, child.key_spot.line, child.key_spot.column},
         .message = "unknown key \"" + child.key + "\"",
         .fix = near.empty() ? "known keys: " + joined(keys) : "did you mean \"" + near + "\"?"});
  }
  return true;
}

// The value itself is never quoted back: it may be a secret.
std::optional<std::string> Reader::text(Node const* node) {
  if (node == nullptr) {
    return std::nullopt;
  }
  if (node->kind != Node::Kind::scalar || node->text.empty()) {
    problem(*node, "config/wrong-type",
            "`" + node->key + "` needs a text, found " +
                (node->kind == Node::Kind::scalar ? "an empty one"
                                                  : std::string(planner::to_text(node->kind))));
    return std::nullopt;
  }
  return node->text;
}

std::optional<std::string> Reader::one_of(Node const* node,
                                          std::initializer_list<std::string_view> words) {
  auto const value = text(node);
  if (value && std::ranges::find(words, *value) == words.end()) {
    problem(*node, "config/value", "`" + node->key + "` cannot be \"" + *value + "\"",
            "one of " + joined(words));
    return std::nullopt;
  }
  return value;
}

std::optional<planner::Duration> Reader::duration(Node const* node) {
  auto const value = text(node);
  auto const parsed = value ? planner::parse_duration(*value) : std::nullopt;
  if (value && !parsed) {
    problem(*node, "config/value", "`" + node->key + "` is no duration: \"" + *value + "\"",
            "a number and its unit, such as 200ms, 30s or 10m");
  }
  return parsed;
}

std::optional<std::int64_t> Reader::size(Node const* node) {
  auto const value = text(node);
  auto const parsed = value ? parse_size(*value) : std::nullopt;
  if (value && !parsed) {
    problem(*node, "config/value", "`" + node->key + "` is no size: \"" + *value + "\"",
            "a number and its unit, such as 512MiB or 1GiB");
  }
  return parsed;
}

std::vector<Node const*> Reader::items(Node const* node) {
  std::vector<Node const*> found;
  if (node == nullptr) {
    return found;
  }
  if (node->kind != Node::Kind::sequence) {
    return {node};
  }
  for (auto const& child : node->children) {
    found.push_back(&child);
  }
  return found;
}

}  // namespace runbookd::config
