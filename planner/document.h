// Strict YAML and JSON as a tree of values that know their place. Anchors, aliases, tags and
// duplicate keys are refused: a plan has one obvious reading. Knows nothing about plans.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "planner/diagnostic.h"

namespace runbookd::planner {

// Line and column from 1; columns in characters.
struct Spot {
  int line = 0;
  int column = 0;
};

struct Node {
  enum class Kind { null, scalar, sequence, mapping };
  Kind kind = Kind::null;
  Spot spot;

  std::string text;    // scalar: the value
  bool plain = false;  // scalar: without quotation marks, so `true` and `12` mean what they say
  Spot text_spot;      // scalar: where the first character of `text` stands
  int text_indent =
      0;  // columns stripped from further lines; -1 = folded or escaped, only text_spot is known
  std::string comment;  // scalar: a comment that cut a plain value off on its own line

  std::string key;  // child of a mapping: its key
  Spot key_spot;
  std::vector<Node> children;  // of a sequence or a mapping, as written

  Node const* find(std::string_view name) const;  // in a mapping; nullptr = no such key
};

struct Document {
  std::optional<Node> root;  // empty when the text cannot be read at all
  Findings findings;
};

inline constexpr std::size_t max_document_bytes = 8UL * 1024 * 1024;

Document read_document(std::string_view text, std::string const& file);

// What keeps a text from being read at all: too large, not UTF-8, NUL or other control characters.
Findings text_findings(std::string_view text, std::string const& file);

// "a mapping", "a list", "text", "nothing"
std::string_view to_text(Node::Kind kind);

}  // namespace runbookd::planner
