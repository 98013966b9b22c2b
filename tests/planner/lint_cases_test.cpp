// Every rule over statements, by cases that are data.
#include "lint_cases.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include <doctest/doctest.h>

#include "planner/lint/rule.h"

using namespace runbookd::planner;

namespace {

std::vector<std::string> rules_found(lint_cases::Case const& one, int major) {
  auto options = one.options;
  options.server_major = major;
  std::set<std::string> ids;
  for (auto const& finding :
       lint_sql({.text = one.sql, .place = {"case.sql", 1, 1}}, options).findings) {
    if (finding.acknowledged.empty()) {
      ids.insert(finding.rule);
    }
  }
  return {ids.begin(), ids.end()};
}

std::string joined(std::vector<std::string> const& ids) {
  std::string text;
  for (auto const& id : ids) {
    text += id + " ";
  }
  return text.empty() ? "nothing " : text;
}

std::string page_file() { return RUNBOOKD_SOURCE_DIR "/planner/lint/RULES.md"; }

}  // namespace

TEST_CASE("every lint case finds the rules that it names, on every version, and no other") {
  auto const cases = lint_cases::read_all();
  CHECK(cases.size() >= 500);
  std::string wrong;
  for (auto const& one : cases) {
    for (int major = one.from; major <= one.to; ++major) {
      auto const found = rules_found(one, major);
      if (found != one.expected) {
        wrong += one.file + ":" + std::to_string(one.line) + " on " + std::to_string(major) +
                 " finds " + joined(found) + "instead of " + joined(one.expected) + "in\n  " +
                 one.sql + "\n";
        break;
      }
    }
  }
  CHECK_MESSAGE(wrong.empty(), wrong);
}

TEST_CASE("every rule over statements is found in some case, and there are safe forms beside it") {
  std::set<std::string> named;
  std::size_t safe = 0;
  for (auto const& one : lint_cases::read_all()) {
    named.insert(one.expected.begin(), one.expected.end());
    safe += one.expected.empty() ? 1 : 0;
  }
  CHECK(safe >= 200);
  for (auto const& id : named) {
    CAPTURE(id);
    CHECK(find_rule(id) != nullptr);
  }
  for (auto const& rule : all_rules()) {
    auto const group = rule.id.substr(0, rule.id.find('/'));
    bool const of_plans = group == "plan" || group == "check" || group == "throttle" ||
                          group == "rollback" || rule.id.starts_with("data/backfill") ||
                          rule.id == "session/replaces-limits" ||
                          rule.id == "session/setting-ends-with-step";
    CAPTURE(std::string(rule.id));
    CHECK((of_plans || named.contains(std::string(rule.id))));
  }
}

TEST_CASE("rules have ids that are told apart, and words for everything") {
  auto const& all = all_rules();
  CHECK(all.size() >= 100);
  for (std::size_t i = 0; i < all.size(); ++i) {
    CAPTURE(std::string(all[i].id));
    CHECK((i == 0 || all[i - 1].id != all[i].id));
    CHECK(all[i].id.find('/') != std::string_view::npos);
    CHECK_FALSE(all[i].title.empty());
    CHECK_FALSE(all[i].why.empty());
    CHECK_FALSE(all[i].fix.empty());
  }
}

TEST_CASE("the page of rules is what the code says") {
  if (std::getenv("RUNBOOKD_WRITE_RULES") != nullptr) {
    std::ofstream(page_file()) << rules_page();
  }
  std::ostringstream written;
  written << std::ifstream(page_file()).rdbuf();
  bool const same = written.str() == rules_page();
  CHECK(same);
}
