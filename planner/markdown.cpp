#include "planner/markdown.h"

#include <algorithm>
#include <memory>

#include <cmark-gfm-core-extensions.h>
#include <cmark-gfm.h>

namespace runbookd::planner::markdown {
namespace {

std::string or_empty(char const* text) { return text == nullptr ? "" : text; }
std::string_view type_of(cmark_node* node) { return cmark_node_get_type_string(node); }

// Text, strong text and code of one block, with the line that each stands on.
class Inlines {
 public:
  explicit Inlines(int line) : line_(line) {}

  Runs of(cmark_node* block) && {
    walk(block, Run::Kind::text);
    return std::move(runs_);
  }

 private:
  void put(Run::Kind kind, std::string text) {
    bool const joins = kind == Run::Kind::text || kind == Run::Kind::strong;
    if (joins && !runs_.empty() && runs_.back().kind == kind && runs_.back().line == line_) {
      runs_.back().text += text;
      return;
    }
    runs_.push_back({.kind = kind, .text = std::move(text), .line = line_});
  }

  void visit(cmark_node* node, Run::Kind around) {
    std::string const literal = or_empty(cmark_node_get_literal(node));
    auto const type = type_of(node);
    if (type == "text") {
      put(around, literal);
    } else if (type == "code") {
      put(Run::Kind::code, literal);
    } else if (type == "softbreak" || type == "linebreak") {
      put(type == "softbreak" ? Run::Kind::soft_break : Run::Kind::hard_break, "");
      ++line_;
    } else if (type == "html_inline") {
      if (literal.starts_with("<br")) {
        put(Run::Kind::hard_break, "");
      }
    } else {
      walk(node, type == "strong" ? Run::Kind::strong : around);
    }
  }

  void walk(cmark_node* node, Run::Kind around) {
    for (auto* child = cmark_node_first_child(node); child != nullptr;
         child = cmark_node_next(child)) {
      visit(child, around);
    }
  }

  Runs runs_;
  int line_;
};

class Blocks {
 public:
  std::vector<Block> of(cmark_node* document) && {
    walk(document, 0);
    return std::move(blocks_);
  }

 private:
  static Block block_at(cmark_node* node, Block::Kind kind) {
    Block block;
    block.kind = kind;
    block.line = cmark_node_get_start_line(node);
    return block;
  }

  void put_text(cmark_node* node, Block::Kind kind, int level) {
    auto block = block_at(node, kind);
    block.level = level;
    block.runs = Inlines(block.line).of(node);
    blocks_.push_back(std::move(block));
  }

  void put_code(cmark_node* node) {
    auto block = block_at(node, Block::Kind::code);
    int length = 0;
    int offset = 0;
    char character = 0;
    bool const fence = cmark_node_get_fenced(node, &length, &offset, &character) != 0;
    block.text = or_empty(cmark_node_get_literal(node));
    block.info = or_empty(cmark_node_get_fence_info(node));
    block.first_line = block.line + (fence ? 1 : 0);
    block.indent = std::max(cmark_node_get_start_column(node) - 1, 0);
    if (block.text.ends_with('\n')) {
      block.text.pop_back();
    }
    blocks_.push_back(std::move(block));
  }

  void put_table(cmark_node* table) {
    bool header = true;
    for (auto* row = cmark_node_first_child(table); row != nullptr; row = cmark_node_next(row)) {
      auto block = block_at(row, Block::Kind::row);
      block.header = header;
      header = false;
      for (auto* cell = cmark_node_first_child(row); cell != nullptr;
           cell = cmark_node_next(cell)) {
        block.cells.push_back(Inlines(block.line).of(cell));
      }
      blocks_.push_back(std::move(block));
    }
  }

  // The first paragraph of an item is the item; what else stands in it follows as blocks of its
  // own.
  void put_item(cmark_node* item, int depth) {
    auto const before = blocks_.size();
    walk(item, depth);
    if (before < blocks_.size() && blocks_[before].kind == Block::Kind::paragraph) {
      blocks_[before].kind = Block::Kind::item;
      blocks_[before].level = depth;
      blocks_[before].task = type_of(item) == "tasklist";
    }
  }

  void visit(cmark_node* node, int depth) {
    auto const type = type_of(node);
    if (type == "heading") {
      put_text(node, Block::Kind::heading, cmark_node_get_heading_level(node));
    } else if (type == "paragraph") {
      put_text(node, Block::Kind::paragraph, 0);
    } else if (type == "code_block") {
      put_code(node);
    } else if (type == "table") {
      put_table(node);
    } else if (type == "item" || type == "tasklist") {
      put_item(node, depth);
    } else {
      walk(node, type == "list" ? depth + 1 : depth);  // also block quotes; HTML has no children
    }
  }

  void walk(cmark_node* node, int depth) {
    for (auto* child = cmark_node_first_child(node); child != nullptr;
         child = cmark_node_next(child)) {
      visit(child, depth);
    }
  }

  std::vector<Block> blocks_;
};

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         static_cast<unsigned char>(c) >= 0x80;
}

bool needs_escape(std::string_view text, std::size_t at) {
  char const c = text[at];
  if (c == '_') {  // within a word it is nothing but itself
    bool const inside = at > 0 && is_alphanumeric(text[at - 1]) && at + 1 < text.size() &&
                        is_alphanumeric(text[at + 1]);
    return !inside;
  }
  bool const first = at == 0 || text[at - 1] == '\n';
  auto const digits = text.substr(0, at).find_last_not_of("0123456789");
  bool const numbers = at > 0 && (digits == std::string_view::npos || text[digits] == '\n');
  return std::string_view("\\`*[]<>&|#").find(c) != std::string_view::npos ||
         (first && std::string_view("-+=~:").find(c) != std::string_view::npos) ||
         (numbers && (c == '.' || c == ')'));
}

}  // namespace

std::vector<Block> read(std::string_view text) {
  // Registering is once per process and for good; the parser's own state is its own.
  static bool const registered = (cmark_gfm_core_extensions_ensure_registered(), true);
  using Parser = std::unique_ptr<cmark_parser, decltype(&cmark_parser_free)>;
  Parser const parser(cmark_parser_new(CMARK_OPT_DEFAULT), &cmark_parser_free);
  for (char const* name : {"table", "tasklist"}) {
    if (auto* extension = cmark_find_syntax_extension(name); registered && extension != nullptr) {
      cmark_parser_attach_syntax_extension(parser.get(), extension);
    }
  }
  cmark_parser_feed(parser.get(), text.data(), text.size());
  using Tree = std::unique_ptr<cmark_node, decltype(&cmark_node_free)>;
  Tree const tree(cmark_parser_finish(parser.get()), &cmark_node_free);
  return Blocks().of(tree.get());
}

std::string plain(Runs const& runs) {
  std::string text;
  for (Run const& run : runs) {
    switch (run.kind) {
      case Run::Kind::text:
      case Run::Kind::strong:
        text += run.text;
        break;
      case Run::Kind::code:
        text += "`" + run.text + "`";
        break;
      case Run::Kind::soft_break:
        text += ' ';
        break;
      case Run::Kind::hard_break:
        text += '\n';
    }
  }
  return text;
}

std::string escaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n' || needs_escape(text, i)) {
      out += '\\';
    }
    out += text[i];
  }
  return out;
}

bool is_tame(std::string_view text) {
  char before = '\n';
  for (char const c : text) {
    bool const control = static_cast<unsigned char>(c) < 0x20 && c != '\n';
    bool const blank_end = before == ' ' && c == '\n';
    bool const blank_start = before == '\n' && (c == ' ' || c == '\n');
    if (control || c == '\x7f' || blank_end || blank_start) {
      return false;
    }
    before = c;
  }
  return before != ' ' && before != '\n';
}

std::string fenced(std::string_view text, std::string_view info) {
  std::size_t longest = 0;
  std::size_t row = 0;
  for (char const c : text) {
    row = c == '`' ? row + 1 : 0;
    longest = std::max(longest, row);
  }
  std::string const fence(std::max<std::size_t>(3, longest + 1), '`');
  return fence + std::string(info) + "\n" + std::string(text) + "\n" + fence + "\n";
}

}  // namespace runbookd::planner::markdown
