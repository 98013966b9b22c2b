// The parse tree of PostgreSQL's own parser, as small values. Private to planner/sql*.cpp and
// planner/lint/; nothing else sees libpg_query or the JSON in which it hands out its trees.
// Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <ranges>
#include <string>
#include <string_view>
#include <vector>

#include "planner/pg_json.h"
#include "planner/pg_scan.h"

namespace runbookd::planner::pg {

class Nodes;

// One node; cheap to copy; valid as long as its Tree. A node that is not there answers with
// nothing.
class Node {
 public:
  Node() = default;
  explicit Node(Value const* value) : value_(value) {}
  explicit operator bool() const { return value_ != nullptr; }

  // "AlterTableStmt"; empty where the field says it
  std::string_view type() const { return object() ? value_->text() : std::string_view(); }
  bool is(std::string_view type) const { return this->type() == type; }
  bool has(std::string_view field) const { return find(field) != nullptr; }
  Node operator[](std::string_view field) const;
  std::string text(std::string_view field) const { return std::string(word(field)); }
  std::string_view word(std::string_view field) const;  // valid as long as the Tree
  bool flag(std::string_view field) const;
  std::int64_t number(std::string_view field, std::int64_t missing = 0) const;
  Nodes list(std::string_view field) const;
  // visit(field, node): those right below
  template <typename Visit>
  void each_child(Visit visit) const;

 private:
  friend class Every;
  friend class Nodes;
  bool object() const { return value_ != nullptr && value_->kind == Value::Kind::object; }
  Value const* find(std::string_view field) const;

  Value const* value_ = nullptr;
};

// The items of a list; valid as long as the Tree.
class Nodes {
 public:
  class Iterator {
   public:
    using value_type = Node;
    using difference_type = std::ptrdiff_t;
    using iterator_concept = std::forward_iterator_tag;

    Iterator() = default;
    explicit Iterator(Value const* at) : at_(at) {}
    Node operator*() const { return Node(at_); }
    Iterator& operator++() {
      at_ = at_->next();
      return *this;
    }
    Iterator operator++(int) {
      auto const old = *this;
      ++*this;
      return old;
    }
    bool operator==(Iterator const&) const = default;

   private:
    Value const* at_ = nullptr;
  };

  Nodes() = default;
  explicit Nodes(Value const* list) : begin_(list->begin()), end_(list->end()) {}
  static Nodes of(Node one) {
    Nodes nodes;
    nodes.begin_ = Iterator(one.value_);
    nodes.end_ = Iterator(one ? one.value_->next() : nullptr);
    return nodes;
  }
  Iterator begin() const { return begin_; }
  Iterator end() const { return end_; }
  bool empty() const { return begin_ == end_; }
  Node front() const { return *begin_; }
  std::size_t size() const {  // walks over all of them; so does what follows
    return static_cast<std::size_t>(std::ranges::distance(begin_, end_));
  }
  Node operator[](std::size_t index) const {
    return *std::ranges::next(begin_, static_cast<std::ptrdiff_t>(index));
  }
  Node back() const { return (*this)[size() - 1]; }

 private:
  Iterator begin_, end_;
};

// The node and everything below it, top first. Where `skip` names a field, that branch is left out.
class Every {
 public:
  class Iterator {
   public:
    using value_type = Node;
    using difference_type = std::ptrdiff_t;
    using iterator_concept = std::forward_iterator_tag;

    Iterator() = default;
    Iterator(Value const* at, Value const* end, std::string_view skip)
        : at_(at), end_(end), skip_(skip) {}
    Node operator*() const { return Node(at_); }
    Iterator& operator++() {
      do {
        ++at_;
        while (at_ != end_ && !skip_.empty() && at_->field() == skip_) {
          at_ = at_->next();
        }
      } while (at_ != end_ && at_->kind != Value::Kind::object);
      return *this;
    }
    Iterator operator++(int) {
      auto const old = *this;
      ++*this;
      return old;
    }
    bool operator==(Iterator const& other) const { return at_ == other.at_; }

   private:
    Value const *at_ = nullptr, *end_ = nullptr;
    std::string_view skip_;
  };

  Every(Node root, std::string_view skip)
      : begin_(root.value_), end_(root ? root.value_->end() : nullptr), skip_(skip) {}
  Iterator begin() const { return {begin_, end_, skip_}; }
  Iterator end() const { return {end_, end_, skip_}; }

 private:
  Value const *begin_, *end_;
  std::string_view skip_;
};

template <typename Visit>
void Node::each_child(Visit visit) const {
  if (!object()) {
    return;
  }
  for (auto const* member = value_->begin(); member != value_->end(); member = member->next()) {
    if (member->kind == Value::Kind::object) {
      visit(member->field(), Node(member));
    } else if (member->kind == Value::Kind::list) {
      for (auto const item : Nodes(member)) {
        visit(member->field(), item);
      }
    }
  }
}

inline Every every(Node root, std::string_view skip = "") { return {root, skip}; }

// {"a", "b"} of a list of String nodes such as a qualified name.
std::vector<std::string> names(Nodes strings);

struct ParsedStatement {
  Node node;
  std::size_t offset = 0;  // bytes; may start with blanks and comments
  std::size_t length = 0;
};
// SQL that the parser does not know, and that was read all the same: what it says is in the tree.
struct Newer {
  std::string_view words;  // "[NOT] ENFORCED"
  int since = 0;           // the first major version that knows it
  std::size_t offset = 0;  // bytes
};
struct Tree {
  std::shared_ptr<void const> source;  // what the nodes point into
  std::vector<ParsedStatement> statements;
  std::string error;             // the server parser's words; empty = parsed
  std::size_t error_offset = 0;  // bytes
  std::vector<Newer> newer;
  bool ok() const { return error.empty(); }
};
// The text must be valid UTF-8 without NUL, and not too_deep.
Tree parse(std::string const& sql);

}  // namespace runbookd::planner::pg

template <>
inline constexpr bool std::ranges::enable_borrowed_range<runbookd::planner::pg::Nodes> = true;
template <>
inline constexpr bool std::ranges::enable_borrowed_range<runbookd::planner::pg::Every> = true;
