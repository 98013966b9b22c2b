// Manual pages name every option and every key; completions offer every command and option, in the
// shells themselves.
#include "daemon/manual.h"

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "daemon/options.h"
#include "tests/support/running_daemon.h"

namespace runbookd {
namespace {

using ctl::CommandPage;
using testing::file_text;

std::string const root = RUNBOOKD_SOURCE_DIR;

std::map<std::string, std::string> const& files() {
  static auto const made = daemon::manual_files(file_text(root + "/config/runbookd.example.yaml"));
  return made;
}

// As a reader sees it.
std::string page(std::string const& name) {
  auto text = files().at(name);
  text = std::regex_replace(text, std::regex(R"(\\f[BIR])"), "");
  return std::regex_replace(text, std::regex(R"(\\-)"), "-");
}

bool has_word(std::string const& text, std::string const& word) {
  static std::regex const special(R"([.$*+?()\[\]{}|^\\])");
  auto const plain = std::regex_replace(word, special, R"(\$&)");
  return std::regex_search(text, std::regex("(^|[\\s,])" + plain + "($|[\\s,:])"));
}

std::vector<CommandPage> programs() { return {ctl::runbookctl_page(), daemon::options_page()}; }

struct Folder {
  Folder() {
    for (auto const& [name, text] : files()) {
      std::ofstream(path / name) << text;
    }
  }
  ~Folder() { std::filesystem::remove_all(path); }
  Folder(Folder const&) = delete;
  Folder& operator=(Folder const&) = delete;

  std::filesystem::path path = [] {
    std::string name = std::filesystem::temp_directory_path() / "runbookd-manual-XXXXXX";
    return std::filesystem::path(mkdtemp(name.data()));
  }();
};

std::string words_of(CommandPage const& command) {
  std::string words;
  for (auto const& word : command.path) {
    words += word + " ";
  }
  return words;
}

// What the shell offers behind the words of a command and `begun`; `script` answers that.
void offers_all(CommandPage const& program, std::string const& shell, auto const& script) {
  for (auto const* command : ctl::pages_below(program)) {
    CAPTURE(words_of(*command));
    auto const ask = [&](std::string const& begun) {
      auto const answer =
          testing::run_program({"/usr/bin/env", shell, "-c", script(*command, begun)});
      CHECK(answer.err == "");
      return answer.out;
    };
    auto const options = ask("--");
    for (auto const& option : command->options) {
      CAPTURE(option.names.back());
      CHECK(has_word(options, option.names.back()));
    }
    if (!command->commands.empty()) {
      auto const commands = ask("");
      for (auto const& below : command->commands) {
        CAPTURE(below.path.back());
        CHECK(has_word(commands, below.path.back()));
      }
    }
  }
}

TEST_CASE("the manual has every command and option of both programs") {
  auto const both = programs();
  for (auto const* name : {"runbookctl.1", "runbookd.8"}) {
    auto const text = page(name);
    for (auto const* command : ctl::pages_below(both[name == std::string("runbookd.8")])) {
      auto const words = words_of(*command);
      auto const own = words.substr(words.find(' ') + 1);
      CAPTURE(words);
      CHECK((!command->commands.empty() ||
             text.find("\n" + own.substr(0, own.size() - 1)) != std::string::npos));
      for (auto const& option : command->options) {
        CAPTURE(option.names.back());
        CHECK(has_word(text, option.names.back()));
        CHECK_FALSE(option.help.empty());
      }
    }
  }
}

TEST_CASE("the manual of plans has every key of the schema") {
  auto const text = page("runbookd-plan.5");
  std::set<std::string> keys;
  auto const gather = [&](auto const& self, nlohmann::json const& node) -> void {
    if (node.is_object() && node.contains("properties") && node.at("properties").is_object()) {
      for (auto const& [key, value] : node.at("properties").items()) {
        keys.insert(key);
      }
    }
    for (auto const& below : node) {
      if (below.is_structured()) {
        self(self, below);
      }
    }
  };
  gather(gather, nlohmann::json::parse(file_text(root + "/config/plan.schema.json")));
  CHECK(keys.size() > 50);
  for (auto const& key : keys) {
    CAPTURE(key);
    CHECK(has_word(text, key + ":"));
  }
}

TEST_CASE("the manual of the settings has every key that they are read by") {
  auto const text = page("runbookd.conf.5");
  auto const source = file_text(root + "/config/settings.cpp");
  static std::regex const list(R"re(mapping\([^{;]*\{([^}]*)\})re"), word("\"(\\w+)\"");
  std::set<std::string> keys;
  for (std::sregex_iterator at(source.begin(), source.end(), list), end; at != end; ++at) {
    auto const names = (*at)[1].str();
    for (std::sregex_iterator one(names.begin(), names.end(), word); one != end; ++one) {
      keys.insert((*one)[1]);
    }
  }
  CHECK(keys.size() > 15);
  for (auto const& key : keys) {
    CAPTURE(key);
    CHECK(has_word(text, key));
  }
}

TEST_CASE("bash offers every command and option") {
  Folder const folder;
  for (auto const& program : programs()) {
    auto const name = program.path.front();
    offers_all(program, "bash", [&](CommandPage const& command, std::string const& begun) {
      return "source " + (folder.path / (name + ".bash")).string() + "; COMP_WORDS=(" +
             words_of(command) + "'" + begun +
             "'); COMP_CWORD=" + std::to_string(command.path.size()) + "; _" + name +
             "; printf '%s\\n' \"${COMPREPLY[@]}\"";
    });
  }
}

TEST_CASE("zsh offers every command and option") {
  Folder const folder;
  for (auto const& program : programs()) {
    auto const name = program.path.front();
    offers_all(program, "zsh", [&](CommandPage const& command, std::string const& begun) {
      return "_describe() { print -rl -- ${(P)@[-1]}; }; _files() { }; compadd() { }; words=(" +
             words_of(command) + "'" + begun +
             "'); CURRENT=" + std::to_string(command.path.size() + 1) + "; source " +
             (folder.path / ("_" + name)).string();
    });
  }
}

TEST_CASE("fish offers every command and option") {
  Folder const folder;
  for (auto const& program : programs()) {
    auto const name = program.path.front();
    offers_all(program, "fish", [&](CommandPage const& command, std::string const& begun) {
      return "source " + (folder.path / (name + ".fish")).string() + "; complete -C '" +
             words_of(command) + begun + "'";
    });
  }
}

TEST_CASE("a value that is spelled like a command leads nowhere") {
  Folder const folder;
  auto const answer = testing::run_program(
      {"/usr/bin/env", "bash", "-c",
       "source " + (folder.path / "runbookctl.bash").string() +
           "; COMP_WORDS=(runbookctl --reason plan run ''); COMP_CWORD=4; _runbookctl; printf "
           "'%s\\n' \"${COMPREPLY[@]}\""});
  CHECK(has_word(answer.out, "create"));
  CHECK_FALSE(has_word(answer.out, "lint"));
}

}  // namespace
}  // namespace runbookd
