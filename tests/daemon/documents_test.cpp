#include "daemon/documents.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace runbookd;
using nlohmann::json;

TEST_CASE("readiness shows each check, and a detail only where there is one") {
  auto const shown =
      json::parse(daemon::readiness_json(false, {{"store", false, "no room left"}, {"hold"}}));
  CHECK(shown.at("ready") == false);
  CHECK(shown.at("checks").at(0).at("detail") == "no room left");
  CHECK_FALSE(shown.at("checks").at(1).contains("detail"));
}

TEST_CASE("a plan is valid until a finding is an error") {
  planner::Finding finding{.rule = "a/b", .severity = planner::Severity::warning};
  CHECK(json::parse(daemon::validation_json({finding})).at("valid") == true);
  finding.severity = planner::Severity::error;
  auto const shown = json::parse(daemon::validation_json({finding}));
  CHECK(shown.at("valid") == false);
  CHECK(shown.at("findings").at(0).at("rule") == "a/b");
}

TEST_CASE("a list has a cursor only where more follows") {
  CHECK_FALSE(json::parse(daemon::plan_list_json({}, "")).contains("next_cursor"));
  CHECK(json::parse(daemon::run_list_json({}, "abc")).at("next_cursor") == "abc");
}

TEST_CASE("bytes that are no UTF-8 do not break the document they stand in") {
  daemon::BackupFacts const facts{
      .state = daemon::BackupFacts::State::failed, .file = "/x/\xFF.backup", .detail = "no room"};
  auto const shown = json::parse(daemon::backup_json(facts));
  CHECK(shown.at("state") == "failed");
  CHECK(shown.at("file") == "/x/\xEF\xBF\xBD.backup");
}

TEST_CASE("what the daemon says about itself names its targets and no connection strings") {
  auto const shown = json::parse(
      daemon::about_json("1.2", "store-1", {{"main", "accounts"}}, planner::Moment{}, {}));
  CHECK(shown.at("targets") == json::array({{{"name", "main"}, {"description", "accounts"}}}));
  CHECK(shown.at("store") == "store-1");
}
