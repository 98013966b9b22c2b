#include "daemon/target_sources.h"

#include <doctest/doctest.h>

using namespace runbookd;

namespace {

std::optional<std::string> environment(std::string const& name) {
  if (name == "BAD") {
    return "host=x passwrd=hunter2";
  }
  return name == "EMPTY" ? std::optional<std::string>("") : std::nullopt;
}

std::vector<std::string> findings(std::string const& targets) {
  auto const read = config::read_settings("targets:\n" + targets, "/etc/r.yaml");
  REQUIRE(read.settings);
  std::vector<std::string> texts;
  for (auto const& finding : daemon::target_findings(read.targets, environment)) {
    texts.push_back(planner::to_text(finding));
    CHECK(texts.back().find("hunter2") == std::string::npos);
  }
  return texts;
}

}  // namespace

TEST_CASE("every target is looked at, and each finding stands at the key it is about") {
  auto const found = findings(
      "  a: {dsn_env: BAD}\n  b: {dsn: host=x, password_env: EMPTY}\n"
      "  c: {dsn: \"host=x,y port=0\"}\n  good: {dsn: host=x dbname=d}\n");
  REQUIRE(found.size() == 4);
  CHECK(found[0].starts_with("/etc/r.yaml:2:16: error: target \"a\": the connection string"));
  CHECK(found[0].find("did you mean \"password\"?") != std::string::npos);
  CHECK(found[1].starts_with("/etc/r.yaml:3:34: error: target \"b\": password_env"));
  CHECK(found[1].find("which is empty") != std::string::npos);
  CHECK(found[2].starts_with("/etc/r.yaml:4:12: "));
  CHECK(found[3].find("several hosts") != std::string::npos);
}

TEST_CASE("a target is looked at also where the rest of the file cannot be used") {
  auto const read = config::read_settings(
      "lisen: []\ntargets:\n  a: {dsn: host=x port=0}\n  b: {descripton: no string}\n",
      "/etc/r.yaml");
  REQUIRE_FALSE(read.settings);
  auto const found = daemon::target_findings(read.targets, environment);
  REQUIRE(found.size() == 1);
  CHECK(planner::to_text(found[0]).starts_with("/etc/r.yaml:3:12: error: target \"a\": `port`"));
}

TEST_CASE("a password file in the string counts, unless the settings name another") {
  CHECK(findings("  a: {dsn: host=x passfile=/nowhere/p}\n").size() == 1);
  auto const found = findings("  a: {dsn: host=x passfile=/nowhere/p, passfile: /nowhere/q}\n");
  REQUIRE(found.size() == 1);
  CHECK(found[0].find("/nowhere/q") != std::string::npos);
}
