#include "planner/variables.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

using namespace runbookd::planner;

namespace {
Variables const some{{"name", "users"}, {"tricky", "${name}"}};
}

TEST_CASE("a declared variable is replaced wherever it stands") {
  CHECK(fill("${name}, ${name}", some).text == "users, users");
}

TEST_CASE("the text of a variable is literal") { CHECK(fill("${tricky}", some).text == "${name}"); }

TEST_CASE("an undeclared variable stays and is told") {
  auto const filled = fill("a ${other} b", some);
  CHECK(filled.text == "a ${other} b");
  CHECK(filled.unknown == std::vector<UnknownVariable>{{"other", 2}});
}

TEST_CASE("a doubled dollar stands for the text itself") {
  auto const filled = fill("$${name} $${other}", some);
  CHECK(filled.text == "${name} ${other}");
  CHECK(filled.unknown.empty());
}

TEST_CASE("dollar quoting of SQL is left alone") {
  for (auto const* sql :
       {"DO $$ BEGIN END $$", "SELECT $${\"a\": 1}$$", "$1", "${", "$", "${}", "${1}", "${a b}"}) {
    CAPTURE(sql);
    auto const filled = fill(sql, some);
    CHECK(filled.text == sql);
    CHECK(filled.unknown.empty());
  }
}

TEST_CASE("escaped text is read back whatever variables there are") {
  CHECK(rc::check([] {
    auto const part = rc::gen::elementOf(
        std::vector<std::string>{"$", "{", "}", "${", "$${", "name", "${name}", "x", "\n"});
    std::string text;
    for (auto const& piece : *rc::gen::container<std::vector<std::string>>(part)) {
      text += piece;
    }
    auto const filled = fill(escape(text), some);
    RC_ASSERT(filled.text == text);
    RC_ASSERT(filled.unknown.empty());
  }));
}
