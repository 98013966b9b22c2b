#include "planner/document.h"

#include <algorithm>
#include <set>
#include <sstream>
#include <utility>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include "planner/scalar_place.h"
#include "planner/source_text.h"

namespace runbookd::planner {
namespace {

constexpr std::size_t max_depth = 32;
constexpr std::size_t max_nodes = 200'000;

// Ends the reading: nothing after it would make sense. Caught in read_document.
struct Unreadable {
  Spot spot;
  std::string message;
  std::string fix;
};

// Builds the tree from the parser's events and refuses what a plan must not use.
class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(SourceText const& source, std::string const& file) : source_(source), file_(file) {}

  std::optional<Node> take_root() { return std::exchange(root_, std::nullopt); }
  Findings take_findings() { return std::exchange(findings_, {}); }

  void OnDocumentStart(YAML::Mark const&) override {}
  void OnDocumentEnd() override {}
  void OnNull(YAML::Mark const& mark, YAML::anchor_t anchor) override {
    refuse_anchor(mark, anchor);
    add(Node{.kind = Node::Kind::null, .spot = spot(mark)});
  }
  void OnAlias(YAML::Mark const& mark, YAML::anchor_t) override {
    report(spot(mark), "plan/syntax",
           "an alias (`*name`) is not allowed: a plan is read as it stands",
           "write the value out, or use `variables:`");
    add(Node{.kind = Node::Kind::null, .spot = spot(mark)});
  }
  void OnScalar(YAML::Mark const& mark, std::string const& tag, YAML::anchor_t anchor,
                std::string const& value) override {
    refuse_anchor(mark, anchor);
    refuse_tag(mark, tag);
    Node node{.kind = Node::Kind::scalar, .spot = spot(mark), .text = value};
    node.plain = tag == "?";
    if (!locate_scalar(source_, static_cast<std::size_t>(mark.pos), node)) {
      throw Unreadable{node.spot, "the quotation mark that opens here is never closed", "close it"};
    }
    if (value.find('\0') != std::string::npos) {
      report(node.spot, "plan/syntax", "the text holds a NUL character, which no SQL text can hold",
             "remove the escape \\u0000");
    }
    add(std::move(node));
  }
  void OnSequenceStart(YAML::Mark const& mark, std::string const& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(Node::Kind::sequence, mark, tag, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(YAML::Mark const& mark, std::string const& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(Node::Kind::mapping, mark, tag, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Level {
    Node node;
    std::optional<Node> key;     // a mapping's key that waits for its value
    std::set<std::string> keys;  // of a mapping
  };

  Spot spot(YAML::Mark const& mark) const {
    return source_.spot(static_cast<std::size_t>(std::max(mark.pos, 0)));
  }

  void report(Spot at, std::string rule, std::string message, std::string fix) {
    findings_.push_back({.rule = std::move(rule),
                         .place = {file_, at.line, at.column},
                         .message = std::move(message),
                         .fix = std::move(fix)});
  }

  void refuse_anchor(YAML::Mark const& mark, YAML::anchor_t anchor) {
    if (anchor != YAML::NullAnchor) {
      report(spot(mark), "plan/syntax",
             "an anchor (`&name`) is not allowed: a plan is read as it stands",
             "remove it, or use `variables:`");
    }
  }
  void refuse_tag(YAML::Mark const& mark, std::string const& tag) {
    if (tag != "?" && tag != "!" && !tag.empty()) {
      report(spot(mark), "plan/syntax",
             "a tag (`" + tag + "`) is not allowed: every key knows its own type",
             "remove the tag; put text into quotation marks");
    }
  }

  void open(Node::Kind kind, YAML::Mark const& mark, std::string const& tag,
            YAML::anchor_t anchor) {
    refuse_anchor(mark, anchor);
    refuse_tag(mark, tag);
    if (levels_.size() == max_depth) {
      throw Unreadable{spot(mark), "values are nested more than 32 levels deep",
                       "flatten the plan"};
    }
    levels_.push_back({.node = Node{.kind = kind, .spot = spot(mark)}, .key = {}, .keys = {}});
  }
  void close() {
    Node node = std::move(levels_.back().node);
    levels_.pop_back();
    add(std::move(node));
  }

  void add(Node node) {
    if (++count_ > max_nodes) {
      throw Unreadable{node.spot, "the document holds more than 200000 values", "split the plan"};
    }
    if (levels_.empty()) {
      root_ = std::move(node);
    } else if (Level& level = levels_.back(); level.node.kind == Node::Kind::sequence) {
      level.node.children.push_back(std::move(node));
    } else if (!level.key) {
      take_key(level, std::move(node));
    } else {
      give_value(level, std::move(node));
    }
  }

  void take_key(Level& level, Node key) {
    if (key.kind != Node::Kind::scalar) {
      report(key.spot, "plan/syntax",
             "a key must be text, but here is " + std::string(to_text(key.kind)),
             "write `name: value`");
    } else if (!level.keys.insert(key.text).second) {
      report(key.spot, "plan/duplicate", "the key `" + key.text + "` stands twice in one mapping",
             "keep one of the two");
    }
    level.key = std::move(key);
  }
  void give_value(Level& level, Node value) {
    value.key = std::move(level.key->text);
    value.key_spot = level.key->spot;
    level.key.reset();
    level.node.children.push_back(std::move(value));
  }

  SourceText const& source_;
  std::string const& file_;
  std::optional<Node> root_;
  std::vector<Level> levels_;
  Findings findings_;
  std::size_t count_ = 0;
};

std::string fix_for(std::string const& message) {
  if (message == "illegal map value") {
    return "put text that holds `: ` into quotation marks, or into a block after `|`; check the "
           "indentation";
  }
  if (message == "unknown token" || message == "unknown escape character: ") {
    return "put the text into quotation marks";
  }
  if (message.find("flow") != std::string::npos) {
    return "check brackets, braces and commas";
  }
  return "check the indentation (spaces, no tabs), quotation marks and brackets";
}

Finding syntax_error(Spot at, std::string const& file, std::string message, std::string fix) {
  return {.rule = "plan/syntax",
          .place = {file, at.line, at.column},
          .message = std::move(message),
          .fix = std::move(fix)};
}

// A second document in one file would be silently ignored.
void refuse_more(YAML::Parser& parser, TreeBuilder& builder) {
  if (parser.HandleNextDocument(builder)) {
    throw Unreadable{builder.take_root().value_or(Node{}).spot,
                     "a second document begins here; a plan is one document",
                     "keep each plan in a file of its own"};
  }
}

Document parsed(SourceText const& source, std::string const& file) {
  std::istringstream in(source.text());
  YAML::Parser parser(in);
  TreeBuilder builder(source, file);
  Document document;
  try {
    if (parser.HandleNextDocument(builder)) {
      document.root = builder.take_root();
      refuse_more(parser, builder);
    }
    document.findings = builder.take_findings();
  } catch (YAML::Exception const& error) {
    Spot const at = source.spot(static_cast<std::size_t>(std::max(error.mark.pos, 0)));
    document = {.root = {}, .findings = builder.take_findings()};
    document.findings.push_back(
        syntax_error(at, file, "this is not valid YAML: " + error.msg, fix_for(error.msg)));
  } catch (Unreadable const& error) {
    document = {.root = {}, .findings = builder.take_findings()};
    document.findings.push_back(syntax_error(error.spot, file, error.message, error.fix));
  }
  return document;
}

}  // namespace

Node const* Node::find(std::string_view name) const {
  if (kind != Kind::mapping) {
    return nullptr;
  }
  auto const found = std::find_if(children.begin(), children.end(),
                                  [&](Node const& child) { return child.key == name; });
  return found == children.end() ? nullptr : &*found;
}

std::string_view to_text(Node::Kind kind) {
  switch (kind) {
    case Node::Kind::null:
      return "nothing";
    case Node::Kind::scalar:
      return "text";
    case Node::Kind::sequence:
      return "a list";
    case Node::Kind::mapping:
      return "a mapping";
  }
  __builtin_unreachable();
}

Document read_document(std::string_view text, std::string const& file) {
  Findings findings = text_findings(text, file);
  if (!findings.empty()) {
    return {.root = {}, .findings = std::move(findings)};
  }
  SourceText const source(text);
  Document document = parsed(source, file);
  if (!document.root && document.findings.empty()) {
    document.findings.push_back(
        syntax_error({1, 1}, file, "the file is empty", "begin with `runbook: 1`"));
  }
  return document;
}

}  // namespace runbookd::planner
