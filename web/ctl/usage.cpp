#include "web/ctl/usage.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <CLI/CLI.hpp>

#include "planner/time.h"
#include "web/ctl/text.h"

namespace runbookd::ctl {

namespace {

CLI::App const& innermost(CLI::App const& app) {
  auto const parsed = app.get_subcommands();
  return parsed.empty() ? app : innermost(*parsed.front());
}

// "runbookctl plan lint"
std::string path_of(CLI::App const& app) {
  auto const* parent = app.get_parent();
  return (parent == nullptr ? "" : path_of(*parent) + ' ') + app.get_name();
}

std::vector<std::string> commands_of(CLI::App const& app) {
  std::vector<std::string> names;
  for (auto const* each : app.get_subcommands([](CLI::App const*) { return true; })) {
    names.push_back(each->get_name());
  }
  return names;
}

// Also those of the commands around it, which may stand here as well.
std::vector<std::string> options_of(CLI::App const& app) {
  std::vector<std::string> names;
  for (auto const* option : app.get_options()) {
    for (auto const& name : option->get_lnames()) {
      names.push_back("--" + name);
    }
  }
  if (auto const* parent = app.get_parent()) {
    auto const more = options_of(*parent);
    names.insert(names.end(), more.begin(), more.end());
  }
  return names;
}

std::string did_you_mean(std::string const& word, std::vector<std::string> const& known) {
  auto const similar = nearest(word, known);
  return similar.empty() ? "" : "; did you mean '" + similar + "'?";
}

std::string about_stray(CLI::App const& where, std::string const& word) {
  if (word.starts_with('-')) {
    auto const options = options_of(where);
    auto const known = std::find(options.begin(), options.end(), word) != options.end();
    return known ? word + " has to stand after the command"
                 : "there is no option '" + word + "'" + did_you_mean(word, options);
  }
  auto const commands = commands_of(where);
  return commands.empty() ? "'" + word + "' is one word too many"
                          : "there is no command '" + word + "'" + did_you_mean(word, commands);
}

std::string about_missing(CLI::App const& where, std::string const& said) {
  if (auto const commands = commands_of(where); !commands.empty()) {
    return "a command is missing: " + joined(commands, ", ");
  }
  auto const name = said.substr(0, said.find(' '));
  auto const* option = where.get_option_no_throw(name);
  auto const value = option == nullptr ? std::string() : option->get_option_text();
  return name + (value.empty() ? "" : ' ' + value) + " is missing";
}

// Which option the parser's sentence is about: "--yes" of "Could not convert: --yes = foo".
std::string option_in(std::string const& said) {
  auto const start = said.find('-');
  return start == std::string::npos ? said
                                    : said.substr(start, said.find_first_of(" :,", start) - start);
}

std::string why_of(CLI::App const& app, CLI::ParseError const& error) {
  std::string const said = error.what();
  auto const& where = innermost(app);
  auto const code = static_cast<CLI::ExitCodes>(error.get_exit_code());
  auto const strays = app.remaining(true);
  if (code == CLI::ExitCodes::ExtrasError || code == CLI::ExitCodes::RequiredError) {
    return strays.empty() ? about_missing(where, said) : about_stray(where, strays.front());
  }
  if (code == CLI::ExitCodes::ArgumentMismatch) {
    auto const missing = said.ends_with("missing");
    return option_in(said) + (missing ? " needs a value" : " stands there more than once");
  }
  // values are checked before they are converted: only a flag that was given one comes here
  return code == CLI::ExitCodes::ConversionError ? option_in(said) + " takes no value" : said;
}

class Pages : public CLI::Formatter {
 public:
  std::string make_usage(CLI::App const* app, std::string) const override {
    return CLI::Formatter::make_usage(app, path_of(*app));
  }
  std::string make_option_opts(CLI::Option const* option) const override {
    auto const& value = option->get_option_text();
    auto const missing = option->get_required() && !option->get_positional();
    return (value.empty() ? "" : ' ' + value) + (missing ? " (needed)" : "");
  }
};

}  // namespace

std::string help_text(CLI::App const& app) { return innermost(app).help(); }

void use_our_pages(CLI::App& app) {
  auto const pages = std::make_shared<Pages>();
  pages->label("SUBCOMMAND", "COMMAND");
  pages->column_width(34);
  app.formatter(pages);
}

Failure usage_failure(CLI::App const& app, std::string why) {
  auto const& where = innermost(app);
  auto const path = path_of(where);
  auto const what = where.get_parent() == nullptr ? "usage" : path.substr(path.find(' ') + 1);
  return {Exit::usage, what, std::move(why), path + " --help", ""};
}

Failure usage_failure(CLI::App const& app, CLI::ParseError const& error) {
  return usage_failure(app, why_of(app, error));
}

ValueCheck one_of(std::vector<std::string> words) {
  return [words = std::move(words)](std::string const& word) {
    auto const fits = std::find(words.begin(), words.end(), word) != words.end();
    return fits ? std::string() : "'" + word + "' is none of " + joined(words, ", ");
  };
}

ValueCheck whole_number(std::int64_t from, std::int64_t to) {
  return [from, to](std::string const& word) {
    std::int64_t number = 0;
    auto const* const end = word.data() + word.size();
    auto const read = std::from_chars(word.data(), end, number);
    if (read.ec != std::errc{} || read.ptr != end) {
      return "'" + word + "' is not a whole number";
    }
    return number >= from && number <= to
               ? std::string()
               : word + " is not from " + std::to_string(from) + " to " + std::to_string(to);
  };
}

std::optional<int> percent_of(std::string const& word) {
  bool const hundredths = word.ends_with('%');
  auto const digits = word.substr(0, word.size() - (hundredths ? 1 : 0));
  double value = 0;
  auto const* const end = digits.data() + digits.size();
  auto const read = std::from_chars(digits.data(), end, value);
  auto const percent = std::lround(hundredths ? value : value * 100);
  bool const fits = read.ec == std::errc{} && read.ptr == end && percent >= 1 && percent <= 99;
  return fits ? std::optional{static_cast<int>(percent)} : std::nullopt;
}

ValueCheck share() {
  return [](std::string const& word) {
    return percent_of(word)
               ? std::string()
               : "'" + word +
                     "' is not a share of full speed; write it as 0.3 or 30%. To stand "
                     "still: --stop; to go as before: --off";
  };
}

ValueCheck duration() {
  return [](std::string const& word) {
    return planner::parse_duration(word)
               ? std::string()
               : "'" + word + "' is not a duration; write it as 30s, 10m or 2h";
  };
}

}  // namespace runbookd::ctl
