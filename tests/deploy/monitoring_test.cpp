// Alerts and dashboard name what the daemon really shows, and each alert has its page and its
// tests.
#include <fstream>
#include <regex>
#include <set>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>
#include <yaml-cpp/yaml.h>

#include "daemon/metric_table.h"
#include "web/alert_page.h"
#include "web/ctl/command_page.h"

namespace runbookd {
namespace {

std::string const root = RUNBOOKD_SOURCE_DIR;

std::set<std::string> names_that_exist() {
  std::set<std::string> names;
  for (auto const& words : daemon::metric_table()) {
    std::string const name(words.name);
    if (words.kind != daemon::MetricKind::histogram) {
      names.insert(name);
      continue;
    }
    for (auto const* part : {"_bucket", "_count", "_sum"}) {
      names.insert(name + part);
    }
  }
  return names;
}

std::set<std::string> names_in(std::string const& expression) {
  static std::regex const name("runbookd_\\w+");
  return {std::sregex_token_iterator(expression.begin(), expression.end(), name), {}};
}

void check_names(std::string const& expression) {
  static auto const known = names_that_exist();
  CAPTURE(expression);
  auto const named = names_in(expression);
  CHECK_FALSE((named.empty() && expression.find("up{job=\"runbookd\"}") == std::string::npos));
  for (auto const& name : named) {
    CAPTURE(name);
    CHECK(known.contains(name));
  }
}

std::vector<YAML::Node> alert_rules() {
  std::vector<YAML::Node> rules;
  for (auto const& group : YAML::LoadFile(root + "/deploy/prometheus/alerts.yml")["groups"]) {
    for (auto const& rule : group["rules"]) {
      rules.push_back(rule);
    }
  }
  return rules;
}

std::string text_of(YAML::Node const& node, char const* key) {
  return node[key] ? node[key].as<std::string>() : "";
}

TEST_CASE("alerts ask for metrics that exist, and say what to do next and where to read on") {
  auto const rules = alert_rules();
  CHECK(rules.size() == web::alert_table().size());
  for (auto const& rule : rules) {
    auto const name = text_of(rule, "alert");
    CAPTURE(name);
    check_names(text_of(rule, "expr"));
    CHECK_FALSE(text_of(rule["labels"], "severity").empty());
    auto const& words = rule["annotations"];
    CHECK_FALSE(text_of(words, "summary").empty());
    static std::regex const command("runbookctl |systemctl |curl ");
    CHECK(std::regex_search(text_of(words, "description"), command));
    CHECK(text_of(words, "runbook_url").ends_with("/api/v1/alerts/" + name));
    CHECK(web::alert_page(name).has_value());
  }
}

TEST_CASE("each alert is tested where it fires and where it does not") {
  std::set<std::string> fires, silent;
  for (auto const& test : YAML::LoadFile(root + "/tests/deploy/alerts_test.yml")["tests"]) {
    for (auto const& one : test["alert_rule_test"]) {
      auto& where = one["exp_alerts"].size() > 0 ? fires : silent;
      where.insert(text_of(one, "alertname"));
    }
  }
  for (auto const& rule : alert_rules()) {
    CAPTURE(text_of(rule, "alert"));
    CHECK(fires.contains(text_of(rule, "alert")));
    CHECK(silent.contains(text_of(rule, "alert")));
  }
}

TEST_CASE("an alert's page has all that is needed at night, and unknown names have none") {
  for (auto const& help : web::alert_table()) {
    CAPTURE(help.name);
    auto const page = web::alert_page(help.name);
    REQUIRE(page.has_value());
    for (auto const* part : {"What it means", "Stop it", "See it", "Go on"}) {
      CHECK(page->body.find(part) != std::string::npos);
    }
  }
  CHECK_FALSE(web::alert_page("NoSuchAlert").has_value());
}

// What stands behind "runbookctl" up to the end of that command.
void check_commands(std::string const& text) {
  static auto const program = ctl::runbookctl_page();
  static std::regex const asked(R"(runbookctl ([a-z]+)([^.:;,)]*))"), option(" (--[a-z-]+)");
  for (std::sregex_iterator at(text.begin(), text.end(), asked), end; at != end; ++at) {
    CAPTURE(at->str());
    std::set<std::string> options;
    bool known = false;
    for (auto const* page : ctl::pages_below(program)) {
      bool const fits = page->path.size() > 1 && page->path[1] == (*at)[1];
      known = known || fits;
      for (auto const& one : page->options) {
        if (fits || page == &program) {
          options.insert(one.names.begin(), one.names.end());
        }
      }
    }
    CHECK(known);
    auto const rest = (*at)[2].str();
    for (std::sregex_iterator one(rest.begin(), rest.end(), option); one != end; ++one) {
      CAPTURE(one->str());
      CHECK(options.contains((*one)[1]));
    }
  }
}

TEST_CASE("whoever is called at night is told commands that exist") {
  for (auto const& help : web::alert_table()) {
    for (auto const words : {help.meaning, help.stop, help.see, help.go_on}) {
      check_commands(std::string(words));
    }
  }
  for (auto const& rule : alert_rules()) {
    check_commands(text_of(rule["annotations"], "description"));
  }
}

TEST_CASE("the dashboard asks for metrics that exist, and shows every one") {
  std::ifstream file(root + "/deploy/grafana/runbookd.json");
  auto const dashboard = nlohmann::json::parse(file);
  std::set<std::string> shown;
  std::set<int> ids;
  for (auto const& panel : dashboard.at("panels")) {
    CHECK(ids.insert(panel.at("id").get<int>()).second);
    for (auto const& target : panel.at("targets")) {
      auto const expression = target.at("expr").get<std::string>();
      check_names(expression);
      shown.merge(names_in(expression));
    }
  }
  for (auto const& variable : dashboard.at("templating").at("list")) {
    if (variable.at("type") == "query") {
      check_names(variable.at("query").at("query").get<std::string>());
    }
  }
  for (auto const& words : daemon::metric_table()) {
    std::string const name(words.name);
    CAPTURE(name);
    CHECK((shown.contains(name) || shown.contains(name + "_bucket")));
  }
}

}  // namespace
}  // namespace runbookd
