#include "daemon/options.h"

#include <vector>

#include <doctest/doctest.h>

using namespace runbookd::daemon;

namespace {

ParsedOptions parsed(std::vector<std::string> words) {
  words.insert(words.begin(), "runbookd");
  std::vector<char*> arguments;
  for (auto& word : words) {
    arguments.push_back(word.data());
  }
  return parse_options(static_cast<int>(arguments.size()), arguments.data());
}

Options good(std::vector<std::string> words) {
  auto const result = parsed(std::move(words));
  REQUIRE(result.options);
  return *result.options;
}

using Verb = StoreCommand::Verb;

}  // namespace

TEST_CASE("without words the daemon starts with the installed settings") {
  auto const options = good({});
  CHECK(options.config_file == "/etc/runbookd/runbookd.yaml");
  CHECK_FALSE(options.check_config);
  CHECK_FALSE(options.store);
}

TEST_CASE("the settings' file may be named before and behind a store command") {
  CHECK(good({"-c", "a.yaml", "store", "check"}).config_file == "a.yaml");
  CHECK(good({"store", "check", "--config", "b.yaml"}).config_file == "b.yaml");
  CHECK(good({"--check-config", "--config", "c.yaml"}).check_config);
}

TEST_CASE("each store command knows its file") {
  auto const check = good({"store", "check"}).store;
  REQUIRE(check);
  CHECK(check->verb == Verb::check);
  CHECK(check->file.empty());
  CHECK(good({"store", "check", "old.db"}).store->file == "old.db");
  CHECK(good({"store", "backup", "new.db"}).store->verb == Verb::backup);
  auto const restore = good({"store", "restore", "old.db", "--force"}).store;
  CHECK(restore->verb == Verb::restore);
  CHECK(restore->file == "old.db");
  CHECK(restore->force);
  CHECK_FALSE(good({"store", "restore", "old.db"}).store->force);
}

TEST_CASE("a wrong command line ends with 2, a question about it with 0") {
  for (auto const& words : std::vector<std::vector<std::string>>{
           {"--nonsense"}, {"store"}, {"store", "backup"}, {"store", "restore"}, {"start"}}) {
    CAPTURE(words.back());
    auto const result = parsed(words);
    CHECK_FALSE(result.options);
    CHECK(result.exit_code == 2);
  }
  for (auto const* word : {"--help", "--version"}) {
    CAPTURE(std::string(word));
    auto const result = parsed({word});
    CHECK_FALSE(result.options);
    CHECK(result.exit_code == 0);
  }
}
