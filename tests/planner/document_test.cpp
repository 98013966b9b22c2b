#include "planner/document.h"

#include <doctest/doctest.h>

#include "planner/plan.h"
#include "planner/source_text.h"

using namespace runbookd::planner;

namespace {

Node root_of(std::string const& text) {
  auto document = read_document(text, "f");
  for (auto const& finding : document.findings) {
    INFO(to_text(finding));
    CHECK(false);
  }
  REQUIRE(document.root);
  return *document.root;
}

Node const& value(Node const& root, std::string const& key) {
  auto const* node = root.find(key);
  REQUIRE(node != nullptr);
  return *node;
}

// The only finding about a text that must not be read.
Finding refusal(std::string const& text) {
  auto const document = read_document(text, "f");
  REQUIRE(document.findings.size() == 1);
  return document.findings.front();
}

std::string place(Finding const& finding) {
  return std::to_string(finding.place.line) + ":" + std::to_string(finding.place.column);
}

// Where the parser of SQL would put `word`, as "line:column".
std::string place_of(std::string const& word, std::string const& yaml) {
  Node const root = root_of(yaml);
  Node const& sql = value(root, "sql");
  SqlText const text{.text = sql.text,
                     .place = {"f", sql.text_spot.line, sql.text_spot.column},
                     .indent = sql.text_indent};
  auto const offset = sql.text.find(word);
  REQUIRE(offset != std::string::npos);
  auto const at = text.at(offset);
  return std::to_string(at.line) + ":" + std::to_string(at.column);
}

}  // namespace

TEST_CASE("every value and key knows its line and column") {
  Node const root = root_of("a: 1\nb:\n  - x\n  - {c: [2]}\n");
  Node const& list = value(root, "b");
  CHECK(list.key_spot.line == 2);
  CHECK(list.children.at(0).spot.line == 3);
  CHECK(list.children.at(0).spot.column == 5);
  Node const& c = value(list.children.at(1), "c");
  CHECK(c.key_spot.column == 6);
  CHECK(c.spot.column == 9);
}

TEST_CASE("columns count characters, not bytes") {
  Node const root = root_of("{\"é\": 1, b: x}");
  CHECK(value(root, "b").key_spot.column == 10);
}

TEST_CASE("JSON is read as it is meant") {
  Node const root = root_of(
      R"({"a": "x\/y \u00e9 \"q\" \\ \n\t|", "n": 1.50, "t": true, "z": null, "l": [{"k": ""}]})");
  CHECK(value(root, "a").text == "x/y é \"q\" \\ \n\t|");
  CHECK(value(root, "n").text == "1.50");
  CHECK(value(root, "t").plain);
  CHECK(value(root, "z").kind == Node::Kind::null);
  CHECK(value(value(root, "l").children.at(0), "k").text.empty());
}

TEST_CASE("JSON may leave out every blank") {
  Node const root = root_of(R"({"a":"b","c":[1,-2,{"d":{}}],"e":-1.5e3})");
  CHECK(value(root, "a").text == "b");
  CHECK(value(root, "c").children.at(1).text == "-2");
  CHECK(value(root, "e").text == "-1.5e3");
}

TEST_CASE("JSON may escape characters beyond the basic plane in two halves") {
  CHECK(value(root_of(R"({"a": "\ud83d\ude00!"})"), "a").text == "\xF0\x9F\x98\x80!");
  CHECK(value(root_of(R"({"a": "\\ud83d\\ude00"})"), "a").text == "\\ud83d\\ude00");
}

TEST_CASE("half of an escaped character is refused") {
  CHECK(refusal(R"({"a": "\ud83d"})").rule == "plan/syntax");
}

TEST_CASE("quoted values are text and plain ones mean what they say") {
  Node const root = root_of("a: true\nb: 'true'\nc: ~\nd: '~'\ne:\n");
  CHECK(value(root, "a").plain);
  CHECK_FALSE(value(root, "b").plain);
  CHECK(value(root, "c").kind == Node::Kind::null);
  CHECK(value(root, "d").kind == Node::Kind::scalar);
  CHECK(value(root, "e").kind == Node::Kind::null);
}

TEST_CASE("a duplicate key is refused at its second place") {
  auto const finding = refusal("a: 1\nb: {c: 1, c: 2}\n");
  CHECK(finding.rule == "plan/duplicate");
  CHECK(place(finding) == "2:11");
}

TEST_CASE("the same key in two mappings is no duplicate") { root_of("[{a: 1}, {a: 2}]"); }

TEST_CASE("anchors, aliases and tags are refused") {
  auto const document = read_document("a: &x 1\nb: *x\nc: !!str 2\nd: !mine {}\n", "f");
  REQUIRE(document.findings.size() == 4);
  CHECK(place(document.findings[0]) == "1:4");
  CHECK(place(document.findings[1]) == "2:4");
  CHECK(place(document.findings[2]) == "3:4");
  CHECK(place(document.findings[3]) == "4:4");
}

TEST_CASE("a key that is not text is refused") {
  CHECK(refusal("? [a]\n: b\n").rule == "plan/syntax");
}

TEST_CASE("a second document is refused where it begins") {
  CHECK(place(refusal("a: 1\n---\nb: 2\n")) == "3:1");
  CHECK(place(refusal("{\"a\": 1}\n{\"b\": 2}\n")) == "2:1");
}

TEST_CASE("one document may have its markers") { root_of("---\na: 1\n...\n"); }

TEST_CASE("text that is not UTF-8 is refused at its place") {
  for (auto const* bad : {"\xFF", "\xC0\xAF", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80",
                          "\xC3", "\xE2\x82"}) {
    auto const finding = refusal("a: 1\nb: é" + std::string(bad) + "\n");
    CHECK(finding.message.find("UTF-8") != std::string::npos);
    CHECK(finding.place.line == 2);
  }
}

TEST_CASE("NUL is refused in the file and as an escape") {
  CHECK(refusal(std::string("a: b\0c\n", 7)).message.find("NUL") != std::string::npos);
  CHECK(refusal(R"(a: "b\0c")").message.find("NUL") != std::string::npos);
  CHECK(refusal(R"({"a": "\u0000"})").message.find("NUL") != std::string::npos);
}

TEST_CASE("control characters are refused in the file") {
  CHECK(place(refusal("a: b\x07\n")) == "1:5");
  CHECK(place(refusal("a: 1\rb: 2\n")) == "1:5");
}

TEST_CASE("windows line ends and a byte order mark change nothing") {
  Node const root = root_of(
      "\xEF\xBB\xBF"
      "a: 1\r\nb: |\r\n  x\r\n  y\r\n");
  CHECK(value(root, "a").key_spot.column == 1);
  CHECK(value(root, "b").text == "x\ny\n");
}

TEST_CASE("deep nesting is refused, however deep") {
  CHECK(refusal(std::string(40, '[') + std::string(40, ']')).message.find("32 levels") !=
        std::string::npos);
  CHECK(refusal(std::string(100'000, '[')).rule == "plan/syntax");
  CHECK(refusal(std::string(100'000, '{')).rule == "plan/syntax");
}

TEST_CASE("a file beyond 8 MiB is refused unread") {
  CHECK(refusal(std::string(max_document_bytes + 1, 'a')).message.find("8 MiB") !=
        std::string::npos);
}

TEST_CASE("a flood of values is refused") {
  std::string flood = "[";
  for (int i = 0; i < 200'001; ++i) {
    flood += "0,";
  }
  CHECK(refusal(flood + "0]").message.find("200000") != std::string::npos);
}

TEST_CASE("an empty file is told so") {
  CHECK(refusal("").message.find("empty") != std::string::npos);
  CHECK(refusal("# nothing\n").message.find("empty") != std::string::npos);
}

TEST_CASE("a quotation mark that is never closed is refused where it opens") {
  CHECK(place(refusal("a: 1\nb: \"x\n")) == "2:4");
  CHECK(place(refusal("a: 1\nb: 'it''s\n")) == "2:4");
}

TEST_CASE("broken YAML is refused with a place and a hint") {
  auto const finding = refusal("a: 1\nb: SELECT x: y\n");
  CHECK(finding.rule == "plan/syntax");
  CHECK(place(finding) == "2:12");
  CHECK(finding.fix.find("quotation marks") != std::string::npos);
  for (auto const* text :
       {"a: [1\n", "a: {b: 1\n", "{\"a\": 1}}\n", "a:\n\t- b\n", "a: @x\n", "a: b\n c: d\n", "]"}) {
    CAPTURE(text);
    CHECK(refusal(text).rule == "plan/syntax");
  }
}

TEST_CASE("a place in a literal block is exact") {
  CHECK(place_of("FROM", "sql: |\n  SELECT 1\n\n    FROM t\n") == "4:5");
  CHECK(place_of("SELECT", "a: 1\nsql: |-\n      SELECT 1\n") == "3:7");
  CHECK(place_of("FROM", "sql: |+ # why\n  -- é\n  SELECT 'é' FROM t\n\n\n") == "3:14");
}

TEST_CASE("a place in a literal block with blank lines before the text is exact") {
  CHECK(place_of("SELECT", "sql: |\n\n\n   SELECT 1\n") == "4:4");
}

TEST_CASE("a place in a literal block with an indentation indicator is exact") {
  CHECK(place_of("SELECT", "sql: |2\n    SELECT 1\n  FROM t\n") == "2:5");
  CHECK(place_of("FROM", "sql: |2\n    SELECT 1\n  FROM t\n") == "3:3");
}

TEST_CASE("a place in a nested literal block is exact") {
  Node const root = root_of("a:\n  - b:\n      sql: |\n        SELECT\n          1\n");
  Node const& sql = value(value(value(root, "a").children.at(0), "b"), "sql");
  CHECK(sql.text_spot.line == 4);
  CHECK(sql.text_spot.column == 9);
  CHECK(sql.text_indent == 8);
}

TEST_CASE("a place in a value on one line is exact") {
  CHECK(place_of("FROM", "sql: SELECT a FROM t\n") == "1:15");
  CHECK(place_of("FROM", "sql: 'SELECT a FROM t'\n") == "1:16");
  CHECK(place_of("FROM", "sql: \"SELECT a FROM t\"\n") == "1:16");
  CHECK(place_of("FROM", "{\"sql\": \"SELECT a FROM t\"}") == "1:19");
  CHECK(place_of("FROM", "sql: >\n  SELECT a FROM t\n") == "2:12");
}

TEST_CASE("a place in folded or escaped text is where the text begins") {
  CHECK(place_of("FROM", "sql: >\n  SELECT a\n  FROM t\n") == "2:3");
  CHECK(place_of("FROM", "sql: SELECT a\n  FROM t\n") == "1:6");
  CHECK(place_of("FROM", "sql: \"SELECT a\n  FROM t\"\n") == "1:7");
  CHECK(place_of("FROM", "{\"sql\": \"SELECT\\na FROM t\"}") == "1:10");
  CHECK(place_of("FROM", "sql: 'SELECT ''x'' FROM t'\n") == "1:7");
}

TEST_CASE("a comment behind a plain value is kept beside it") {
  Node const root = root_of("a: SELECT x #> y\nb: 'x' # z\nc: 1\n");
  CHECK(value(root, "a").comment == "#> y");
  CHECK(value(root, "b").comment.empty());
  CHECK(value(root, "c").comment.empty());
}

TEST_CASE("a large document is read in linear time") {
  // a quadratic reader would take minutes here, and the suite's time limit would tell
  std::string text = "{\"a\": [";
  for (int i = 0; i < 20'000; ++i) {
    text += "{\"k\": \"v\\n\", \"l\": [1, 2]},\n";
  }
  CHECK(value(root_of(text + "{}]}"), "a").children.size() == 20'001);
}
