// Our reading of libpg_query's trees and tokens, beside what libpg_query and a general reader of
// JSON say.
#include "planner/pg_tree.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>
#include <pg_query.h>
#include <rapidcheck.h>

#include "planner/sql_syntax.h"
#include "source_files.h"

namespace runbookd::planner::pg {
namespace {

using Json = nlohmann::json;

// Every script of the tests, and every statement that a real server was asked to do.
std::vector<std::string> real_sql() {
  std::vector<std::string> texts;
  for (auto const* folder : {"tests/planner/lint", "tests/fuzz/corpus/sql", "tests/documents"}) {
    for (auto const& file : std::filesystem::recursive_directory_iterator(source_dir() / folder)) {
      if (file.path().extension() == ".sql") {
        texts.push_back(content(file.path()));
      }
    }
  }
  auto const cases = Json::parse(content(source_dir() / "tests/planner/locktruth/cases.json"));
  for (auto const& value : cases.flatten()) {
    if (value.is_string()) {
      texts.push_back(value.get<std::string>());
    }
  }
  return texts;
}

// The tree as a general reader would have it, so that both can be compared.
Json as_json(Value const& value);

Json members(Value const& value) {
  Json object = Json::object();
  for (auto const* member = value.begin(); member != value.end(); member = member->next()) {
    object[std::string(member->field())] = as_json(*member);
  }
  return value.text().empty() ? object : Json{{std::string(value.text()), object}};
}

Json as_json(Value const& value) {
  switch (value.kind) {
    case Value::Kind::object:
      return members(value);
    case Value::Kind::list: {
      Json list = Json::array();
      for (auto const* item = value.begin(); item != value.end(); item = item->next()) {
        list.push_back(as_json(*item));
      }
      return list;
    }
    case Value::Kind::text:
      return std::string(value.text());
    case Value::Kind::number:
      return Json::parse(value.text());
    case Value::Kind::yes:
      return true;
    case Value::Kind::no:
      return false;
    case Value::Kind::null:
      return nullptr;
  }
  __builtin_unreachable();
}

Json read(std::string text) {
  auto const values = read_json(text.data());
  return values.empty() ? Json(Json::value_t::discarded) : as_json(values.front());
}

void same_tree(std::string const& sql) {
  auto result = pg_query_parse(sql.c_str());
  if (result.error == nullptr) {
    auto const expected = Json::parse(result.parse_tree, nullptr, false);
    CHECK_MESSAGE(read(result.parse_tree) == expected, sql);
  }
  pg_query_free_parse_result(result);
}

bool same_tokens(std::string const& sql) {
  auto const plain = scan_plainly(sql);
  return !plain || *plain == scan_slowly(sql);
}

// What a scanner decides by looking at more than one character.
constexpr char const* pieces[] = {
    "select", "E",  "e'x'", "U&", "n", "a$1", "$1", "$$", "$a$", "$",   "1",  "2.5",   "1e5",
    "12a",    ".",  "..",   ":",  "=", ":=",  "::", "'",  "''",  "'x'", "\"", "\"q\"", "--",
    "-",      "/*", "*/",   "*",  "/", "\n",  "\r", " ",  "\t",  ",",   ";",  "(",     "]",
    "<",      ">",  "!",    "|",  "@", "?",   "\\", "é",  "x",   "+",   "%",  "#",     "\f"};

}  // namespace

TEST_CASE("a tree is read as a general reader of JSON reads it") {
  std::size_t trees = 0;
  for (auto const& sql : real_sql()) {
    same_tree(sql);
    ++trees;
  }
  CHECK(trees > 500);
  same_tree(
      "SELECT E'\\x01\\b\\t\\n\\r\\f\\\\/\"', 'é', -9223372036854775807, 1.5e300, \"q\"\"r\"");
}

TEST_CASE("JSON that is cut off or broken is no tree") {
  std::string const whole = R"({"a":[{"B":{"c":"d\n\"é"}},true,null,-12,{}],"e":false})";
  CHECK(read(whole) == Json::parse(whole));
  for (std::size_t length = 0; length < whole.size(); ++length) {
    CHECK_MESSAGE(read(whole.substr(0, length)).is_discarded(), length);
  }
  for (auto const* wrong : {"{\"a\":\"\\q\"}", "{\"a\":\"\\u12\"}", "{\"a\":\"\xC3\"}", "{\"a\" 1}",
                            "[1 2]", "[1]]", "{\"A\":{\"b\":1},\"c\":2}"}) {
    CHECK_MESSAGE(read(wrong).is_discarded(), wrong);
  }
}

TEST_CASE("a tree of ten thousand levels is read") {
  std::string const sql = "SELECT " + std::string(9'000, '(') + "1" + std::string(9'000, ')');
  same_tree("SELECT NOT NOT NOT 1");
  std::string json;
  for (int i = 0; i < 100'000; ++i) {
    json += "{\"a\":[";
  }
  CHECK(read_json(json.data()).empty());
  CHECK(parse(sql).ok());
}

TEST_CASE("every walks from the top down, and leaves out what is to be skipped") {
  auto const tree = parse("SELECT a FROM t WHERE f(b, c) = 1");
  auto const select = tree.statements.at(0).node;
  std::vector<std::string> columns;
  for (auto const node : every(select)) {
    if (node.is("ColumnRef")) {
      columns.push_back(names(node.list("fields")).back());
    }
  }
  CHECK(columns == std::vector<std::string>{"a", "b", "c"});
  CHECK(std::ranges::none_of(every(select, "whereClause"),
                             [](Node node) { return node.is("FuncCall"); }));
  CHECK(std::ranges::distance(every(Node{})) == 0);
}

TEST_CASE("tokens that are found without libpg_query are the ones that it finds") {
  std::size_t plain = 0;
  for (auto const& sql : real_sql()) {
    CHECK_MESSAGE(same_tokens(sql), sql);
    plain += scan_plainly(sql).has_value() ? 1 : 0;
  }
  CHECK(plain > 500);
}

TEST_CASE("… also in text that nobody would write") {
  CHECK(rc::check([](std::vector<unsigned char> const& choice) {
    std::string sql;
    for (std::size_t i = 0; i < choice.size(); ++i) {
      sql += pieces[choice[i] % std::size(pieces)];
      if (i % 4 == 3) {  // of longer ones, few are plain
        RC_ASSERT(same_tokens(sql));
        sql.clear();
      }
    }
    RC_ASSERT(same_tokens(sql));
  }));
}

TEST_CASE("slices one after the other stand where each of them alone stands") {
  CHECK(rc::check([](std::vector<unsigned char> const& choice, bool folded) {
    SqlText script{.place = {"plan.yaml", 7, 5}, .indent = folded ? -1 : 4};
    for (auto const one : choice) {
      script.text += pieces[one % std::size(pieces)];
    }
    Slices slices(script);
    for (std::size_t from = 0; from < script.text.size(); from += 3) {
      auto const next = slices.next(from, from + 2);
      auto const alone = slice(script, from, from + 2);
      RC_ASSERT(next.text == alone.text);
      RC_ASSERT(next.place.line == alone.place.line);
      RC_ASSERT(next.place.column == alone.place.column);
    }
  }));
}

TEST_CASE("numbers that only a newer scanner reads take no other token away") {
  for (auto const* sql :
       {"SELECT 0xFF_FF + E'\\n'", "SELECT 1_000 || E''", "SELECT 0b1, 0o17, E'1_0'"}) {
    CHECK_MESSAGE(scan(sql).size() >= 4, sql);
  }
  CHECK(scan("SELECT 12a || E''").empty());
}

TEST_CASE("a string that goes on in the next line is left to libpg_query") {
  for (auto const* sql : {"'a'\n'b'", "'a' -- c\r 'b'", "'a'--c\n--d\n'b'"}) {
    CHECK_MESSAGE(!scan_plainly(sql).has_value(), sql);
    CHECK_MESSAGE(scan(sql).size() == scan_slowly(sql).size(), sql);
  }
}

}  // namespace runbookd::planner::pg
