#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <doctest/doctest.h>

#include "config/settings.h"

using namespace runbookd::config;

namespace {

class SecretFile {
 public:
  explicit SecretFile(std::string const& content) {
    std::string name = (std::filesystem::temp_directory_path() / "runbookd-secret-XXXXXX").string();
    auto const descriptor = ::mkstemp(name.data());
    REQUIRE(descriptor >= 0);
    path_ = name;
    std::ofstream(path_, std::ios::binary) << content;
  }
  ~SecretFile() { std::filesystem::remove(path_); }
  SecretFile(SecretFile const&) = delete;
  SecretFile& operator=(SecretFile const&) = delete;
  std::string const& path() const { return path_; }

 private:
  std::string path_;
};

std::optional<std::string> environment(std::string const& name) {
  return name == "SECRET" ? std::optional<std::string>("it's a \\ secret") : std::nullopt;
}

std::string joined(TargetSource target) {
  target.name = "main";
  auto const dsn = connection_string(target, environment);
  REQUIRE(dsn);
  return dsn->reveal();
}

std::string problem(TargetSource target) {
  target.name = "main";
  auto const dsn = connection_string(target, environment);
  REQUIRE_FALSE(dsn);
  return dsn.error().detail;
}

}  // namespace

TEST_CASE("a connection string is taken as it stands") {
  CHECK(joined({.dsn = Secret("host=x dbname=y")}) == "host=x dbname=y");
}

TEST_CASE("a connection string comes from the environment or from a file") {
  CHECK(joined({.dsn_env = "SECRET"}) == "it's a \\ secret");
  SecretFile const file("host=from-file\n");
  CHECK(joined({.dsn_file = file.path()}) == "host=from-file");
}

TEST_CASE("a password is added in the form that the connection string has") {
  CHECK(joined({.dsn = Secret("host=x"), .password_env = "SECRET"}) ==
        "host=x password='it\\'s a \\\\ secret'");
  CHECK(joined({.dsn = Secret("postgresql://u@x/d"), .password_env = "SECRET"}) ==
        "postgresql://u@x/d?password=it%27s%20a%20%5C%20secret");
  CHECK(joined({.dsn = Secret("postgres://u@x/d?sslmode=require"), .password_env = "SECRET"}) ==
        "postgres://u@x/d?sslmode=require&password=it%27s%20a%20%5C%20secret");
}

TEST_CASE("a password file of libpq is named in the connection string") {
  CHECK(joined({.dsn = Secret("host=x"), .passfile = "/etc/pgpass"}) ==
        "host=x passfile='/etc/pgpass'");
}

TEST_CASE("the last line end of a secret's file does not belong to the secret") {
  SecretFile const file("pass word\r\n");
  CHECK(joined({.dsn = Secret("host=x"), .password_file = file.path()}) ==
        "host=x password='pass word'");
}

TEST_CASE("what is missing is named, and by whom") {
  CHECK(problem({.dsn_env = "NOT_SET"}) ==
        "target \"main\": dsn_env names the environment variable NOT_SET, which is not set");
  CHECK(problem({.dsn = Secret("host=x"), .password_file = "/nowhere"}) ==
        "target \"main\": password_file names /nowhere, which cannot be read");
  SecretFile const empty("\n");
  CHECK(problem({.dsn = Secret("host=x"), .password_file = empty.path()})
            .ends_with("which is empty"));
}

TEST_CASE("a file of several lines is refused without showing them") {
  SecretFile const file("hunter2\nhunter3\n");
  auto const words = problem({.dsn = Secret("host=x"), .password_file = file.path()});
  CHECK(words.find("more than one line") != std::string::npos);
  CHECK(words.find("hunter") == std::string::npos);
}

namespace {

std::vector<std::string> problems(TargetSource target) {
  target.name = "main";
  target.dsn_place = {.file = "f", .line = 3};
  target.secret_place = {.file = "f", .line = 4};
  std::vector<std::string> texts;
  for (auto const& finding : source_findings(target, environment)) {
    texts.push_back(std::to_string(finding.place.line) + ": " + finding.message);
  }
  return texts;
}

}  // namespace

TEST_CASE("every place that is missing is a finding at its own key") {
  auto const found = problems({.dsn_env = "NOT_SET", .password_env = "NOT_SET_EITHER"});
  REQUIRE(found.size() == 2);
  CHECK(found[0].starts_with("3: target \"main\": dsn_env names"));
  CHECK(found[1].starts_with("4: target \"main\": password_env names"));
  CHECK(problems({.dsn = Secret("host=x"), .password_env = "SECRET"}).empty());
}

TEST_CASE("a password file that libpq would pass over is a finding") {
  using std::filesystem::perms;
  SecretFile const file("*:*:*:*:hunter2\n");
  TargetSource target{.dsn = Secret("host=x"), .passfile = file.path()};
  std::filesystem::permissions(file.path(), perms::owner_read | perms::owner_write);
  CHECK(problems(target).empty());
  std::filesystem::permissions(file.path(), perms::owner_read | perms::group_read);
  REQUIRE(problems(target).size() == 1);
  CHECK(problems(target)[0].find("chmod 0600") != std::string::npos);
  target.passfile = "/nowhere/pgpass";
  REQUIRE(problems(target).size() == 1);
  CHECK(problems(target)[0].find("there is no such file") != std::string::npos);
  target.passfile = "/tmp";
  CHECK(problems(target).at(0).find("no ordinary file") != std::string::npos);
}
