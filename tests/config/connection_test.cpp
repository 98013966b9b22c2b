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
