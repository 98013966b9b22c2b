// Containers: what can be held against our own code without Docker or a cluster.
#include <filesystem>
#include <set>

#include <doctest/doctest.h>
#include <yaml-cpp/yaml.h>

#include "config/settings.h"
#include "tests/support/running_daemon.h"

namespace runbookd {
namespace {

std::string const root = std::string(RUNBOOKD_SOURCE_DIR) + "/deploy/";

config::Settings settings_in(std::string const& text) {
  auto read = config::read_settings(text, "/etc/runbookd/runbookd.yaml");
  for (auto const& finding : read.findings) {
    FAIL_CHECK(to_text(finding));
  }
  REQUIRE(read.settings.has_value());
  return std::move(*read.settings);
}

YAML::Node of_kind(std::string const& kind) {
  for (auto const& document : YAML::LoadAllFromFile(root + "kubernetes/runbookd.yaml")) {
    if (document["kind"].as<std::string>() == kind) {
      return document;
    }
  }
  FAIL("no " << kind);
  return {};
}

std::string mounted_at(YAML::Node const& pod, std::string const& path) {
  for (auto const& mount : pod["containers"][0]["volumeMounts"]) {
    auto const at = mount["mountPath"].as<std::string>();
    if (path.starts_with(at + "/")) {
      return mount["name"].as<std::string>();
    }
  }
  return "";
}

TEST_CASE("in Kubernetes one pod at a time has the store, on a disk that outlives it") {
  auto const deployment = of_kind("Deployment")["spec"];
  CHECK(deployment["replicas"].as<int>() == 1);
  CHECK(deployment["strategy"]["type"].as<std::string>() == "Recreate");
  auto const pod = deployment["template"]["spec"];
  auto const settings =
      settings_in(of_kind("ConfigMap")["data"]["runbookd.yaml"].as<std::string>());
  auto const volume = mounted_at(pod, settings.store.path);
  bool claimed = false;
  for (auto const& one : pod["volumes"]) {
    claimed = claimed || (one["name"].as<std::string>() == volume && one["persistentVolumeClaim"]);
  }
  CHECK(claimed);
  CHECK(mounted_at(pod, settings.targets.at(0).password_file) == "main");
  CHECK(pod["containers"][0]["securityContext"]["readOnlyRootFilesystem"].as<bool>());
  CHECK(pod["securityContext"]["runAsNonRoot"].as<bool>());
  auto const stop = std::chrono::seconds(pod["terminationGracePeriodSeconds"].as<int>());
  CHECK(stop > 2 * settings.shutdown_timeout);
}

TEST_CASE("what compose mounts is there, and its settings are good") {
  auto const compose = YAML::LoadFile(root + "docker/compose.yaml");
  int mounted = 0;
  for (auto const& service : compose["services"]) {
    for (auto const& volume : service.second["volumes"]) {
      auto const text = volume.as<std::string>();
      if (text.starts_with('.')) {
        ++mounted;
        auto const from = root + "docker/" + text.substr(0, text.find(':'));
        CAPTURE(from);
        CHECK(std::filesystem::exists(from));
      }
    }
  }
  CHECK(mounted == 3);
  auto const settings = settings_in(testing::file_text(root + "docker/runbookd.yaml"));
  CHECK(settings.targets.at(0).password_file == "/run/secrets/database_password");
  auto const build = compose["services"]["runbookd"]["build"];
  auto const context = root + "docker/" + build["context"].as<std::string>() + "/";
  CHECK(std::filesystem::exists(context + build["dockerfile"].as<std::string>()));
}

TEST_CASE(
    "the settings that the package installs are good, and its store is where the unit may write") {
  auto const settings = settings_in(testing::file_text(root + "debian/runbookd.yaml"));
  CHECK(settings.store.path.starts_with("/var/lib/runbookd/"));
  CHECK(settings.targets.empty());
}

TEST_CASE("a probe of a container is a command that the program knows") {
  auto const pod = of_kind("Deployment")["spec"]["template"]["spec"];
  testing::RunningDaemon const daemon{{}};
  for (auto const* probe : {"livenessProbe", "readinessProbe"}) {
    auto words = pod["containers"][0][probe]["exec"]["command"].as<std::vector<std::string>>();
    words.front() = testing::runbookctl_program();
    words.push_back("--addr");
    words.push_back(daemon.socket());
    auto const answer = testing::run_program(words);
    CHECK(answer.exit_code == 0);
    words.back() = "unix:/nowhere";
    CHECK(testing::run_program(words).exit_code != 0);
  }
}

}  // namespace
}  // namespace runbookd
