#include "config/settings.h"

#include <algorithm>
#include <sstream>
#include <type_traits>

#include <doctest/doctest.h>

using namespace runbookd;
using namespace runbookd::config;
using namespace std::chrono_literals;

namespace {

ReadSettings read(std::string_view text) {
  return read_settings(text, "/etc/runbookd/runbookd.yaml");
}

Settings good(std::string_view text) {
  auto const result = read(text);
  for (auto const& finding : result.findings) {
    MESSAGE(planner::to_text(finding));
  }
  REQUIRE(result.settings);
  return *result.settings;
}

planner::Finding bad(std::string_view text) {
  auto const result = read(text);
  CHECK_FALSE(result.settings);
  REQUIRE(result.findings.size() == 1);
  return result.findings[0];
}

std::string everything(planner::Findings const& findings) {
  std::string text;
  for (auto const& finding : findings) {
    text += planner::to_text(finding) + "\n";
  }
  return text;
}

template <typename T>
concept Printable = requires(std::ostream& stream, T const& value) { stream << value; };

}  // namespace

TEST_CASE("a secret cannot be printed") {
  static_assert(Printable<std::string>);
  static_assert(!Printable<Secret>);
  static_assert(!std::is_convertible_v<Secret, std::string>);
  CHECK(Secret("x").reveal() == "x");
}

TEST_CASE("without settings the defaults hold") {
  auto const settings = good("log: {}\n");
  REQUIRE(settings.listen.size() == 1);
  CHECK(to_text(settings.listen[0]) == "127.0.0.1:8090");
  CHECK(settings.log.level == "info");
  CHECK(settings.log.format == LogFormat::human);
  CHECK(settings.shutdown_timeout == 30s);
  CHECK(settings.targets.empty());
}

TEST_CASE("the example file is read without a finding") {
  auto const result = load_settings(RUNBOOKD_EXAMPLE_SETTINGS);
  CHECK(everything(result.findings) == "");
  REQUIRE(result.settings);
  CHECK(result.settings->store.max_bytes == 1LL << 30);
  REQUIRE(result.settings->target("staging") != nullptr);
  CHECK(result.settings->target("staging")->connect_timeout == 5s);
  CHECK(result.settings->target("main")->passfile == "/etc/runbookd/pgpass");
  CHECK(result.settings->target("nobody") == nullptr);
}

TEST_CASE("JSON is read like YAML") {
  auto const settings = good(R"({"listen": ["[::1]:0"], "targets": {"main": {"dsn": "host=x"}}})");
  CHECK(to_text(settings.listen[0]) == "[::1]:0");
  CHECK(settings.target("main")->dsn.reveal() == "host=x");
}

TEST_CASE("relative paths are beside the settings") {
  auto const settings = good(
      "store: {path: data/run.db}\n"
      "targets: {main: {dsn: host=x, password_file: ../secret}}\n");
  CHECK(settings.store.path == "/etc/runbookd/data/run.db");
  CHECK(settings.target("main")->password_file == "/etc/secret");
}

TEST_SUITE("listening") {
  TEST_CASE("loopback and Unix sockets are welcome") {
    for (auto const* text : {"127.0.0.1:8090", "127.8.9.10:0", "localhost:80", "[::1]:65535",
                             "unix:/run/runbookd/runbookd.sock"}) {
      CAPTURE(std::string(text));
      auto const address = parse_listen(text);
      REQUIRE(address);
      CHECK(to_text(*address) == text);
    }
  }
  TEST_CASE("anything else is refused with the reason") {
    for (auto const* text :
         {"0.0.0.0:8090", "[::]:8090", "192.168.1.5:80", "db.example:80", ":8090",
          "127.0.0.1.example.org:80", "127.0.0:80", "127.0.0.999:80", "localhost.evil:80"}) {
      CAPTURE(std::string(text));
      auto const address = parse_listen(text);
      REQUIRE_FALSE(address);
      CHECK(address.error().detail.find("nothing would protect tokens") != std::string::npos);
      CHECK(address.error().next.find("loopback") != std::string::npos);
    }
  }
  TEST_CASE("an address needs a port, and a socket a path that fits") {
    for (auto const* text :
         {"127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:x", "unix:relative", "unix:"}) {
      CAPTURE(std::string(text));
      CHECK_FALSE(parse_listen(text));
    }
    CHECK_FALSE(parse_listen("unix:/" + std::string(107, 'a')));
    CHECK(parse_listen("unix:/" + std::string(106, 'a')));
  }
  TEST_CASE("one address or a list, each once") {
    CHECK(good("listen: 127.0.0.1:1\n").listen.size() == 1);
    CHECK(good("listen: [127.0.0.1:1, 'unix:/run/s']\n").listen.size() == 2);
    CHECK(bad("listen: [127.0.0.1:1, 127.0.0.1:1]\n").rule == "config/listen");
    CHECK(bad("listen: []\n").rule == "config/listen");
    CHECK(bad("listen: 0.0.0.0:1\n").place.line == 1);
  }
}

TEST_SUITE("problems") {
  TEST_CASE("every problem is reported at once, each with its place") {
    auto const result = read(
        "lisen: 127.0.0.1:1\n"
        "log:\n"
        "  level: loud\n"
        "  formt: json\n"
        "store: {max_size: big}\n"
        "shutdown_timeout: 30\n"
        "targets:\n"
        "  main: {description: no dsn}\n");
    CHECK_FALSE(result.settings);
    std::vector<int> lines;
    for (auto const& finding : result.findings) {
      lines.push_back(finding.place.line);
      CHECK(finding.place.file == "/etc/runbookd/runbookd.yaml");
      CHECK(finding.place.column > 0);
    }
    std::ranges::sort(lines);
    CHECK(lines == std::vector<int>{1, 3, 4, 5, 6, 8});
  }
  TEST_CASE("an unknown key is answered with the nearest one") {
    auto const finding = bad("shutdown_timeot: 3s\n");
    CHECK(finding.rule == "config/unknown-key");
    CHECK(finding.fix == "did you mean \"shutdown_timeout\"?");
  }
  TEST_CASE("a duplicate key is refused") {
    CHECK_FALSE(read("store: {path: a}\nstore: {path: b}\n").settings);
  }
  TEST_CASE("a value of the wrong kind is refused") {
    CHECK(bad("log: loud\n").rule == "config/wrong-type");
    CHECK(bad("targets: [main]\n").rule == "config/wrong-type");
    CHECK(bad("store: {path: [a]}\n").rule == "config/wrong-type");
    CHECK(bad("- a\n").rule == "config/wrong-type");
  }
  TEST_CASE("sizes have a unit, and a store has some room") {
    CHECK(good("store: {max_size: 2MiB}\n").store.max_bytes == 2 << 20);
    for (auto const* size : {"10", "1 GiB", "-1GiB", "99999999TiB", "10kB", "GiB"}) {
      CAPTURE(std::string(size));
      CHECK(bad("store: {max_size: '" + std::string(size) + "'}\n").rule == "config/value");
    }
  }
  TEST_CASE("a file that cannot be read is a finding, not a crash") {
    CHECK(load_settings("/nowhere/at/all.yaml").findings.at(0).rule == "config/unreadable");
    CHECK_FALSE(read("a: b: c\n").settings);
  }
}

TEST_SUITE("targets") {
  TEST_CASE("a target has exactly one source") {
    CHECK(bad("targets: {main: {dsn: host=x, dsn_env: X}}\n").rule == "config/target");
    CHECK(bad("targets: {main: {}}\n").rule == "config/target");
    CHECK(bad("targets: {main: {dsn: host=x, password_env: A, password_file: b}}\n").rule ==
          "config/target");
  }
  TEST_CASE("a target's name fits into an address") {
    for (auto const* name : {"Main", "a b", "-a", "a/b"}) {
      CAPTURE(std::string(name));
      CHECK(bad("targets: {'" + std::string(name) + "': {dsn: host=x}}\n").rule == "config/target");
    }
    CHECK(good("targets: {orders-eu_2: {dsn: host=x}}\n").targets.size() == 1);
  }
  TEST_CASE("no finding repeats a secret") {
    auto const result = read(
        "targets:\n"
        "  a: {dsn: [host=x password=hunter2]}\n"
        "  b: {dsn: {password: hunter2}}\n"
        "  c: {dsn: host=x password=hunter2, dsn_env: Y, connect_timeout: 1}\n"
        "  d: {dsn: host=x password=hunter2, unknown: 1}\n");
    CHECK_FALSE(result.settings);
    CHECK(result.findings.size() >= 4);
    CHECK(everything(result.findings).find("hunter2") == std::string::npos);
  }
}

TEST_CASE("users and groups of the machine have roles, one or a list") {
  auto const read = read_settings(
      "access:\n  users: {ana: operator, ben: [viewer, 'approver@billing-*']}\n  groups: {dba: "
      "oncall}\n",
      "s.yaml");
  REQUIRE(read.settings);
  auto const& access = read.settings->access;
  CHECK(to_text(access.users.at("ana")) == "operator");
  CHECK(to_text(access.users.at("ben")) == "viewer approver@billing-*");
  CHECK(to_text(access.groups.at("dba")) == "oncall");
  CHECK_FALSE(access.empty());
  CHECK(read_settings("{}", "s.yaml").settings->access.empty());
}

TEST_CASE("what is no role is told at its place") {
  auto const read = read_settings("access:\n  users:\n    ana: king\n  group: {}\n", "s.yaml");
  CHECK_FALSE(read.settings);
  CHECK(read.findings.size() == 2);
  CHECK(to_text(read.findings.front()).find("s.yaml:") == 0);
}
