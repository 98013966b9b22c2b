// What the command line says about itself: pages of help, and what is wrong with a wish that cannot
// be read, in our own words instead of the parser's.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "web/ctl/failure.h"

namespace CLI {
class App;
class ParseError;
}  // namespace CLI

namespace runbookd::ctl {

// The page of the last command that was read.
std::string help_text(CLI::App const& app);
// Usage lines with the whole command, options with the kind of their value.
void use_our_pages(CLI::App& app);

Failure usage_failure(CLI::App const& app, CLI::ParseError const& error);
Failure usage_failure(CLI::App const& app, std::string why);

// What is wrong with the value of an option; empty for one that fits.
using ValueCheck = std::function<std::string(std::string const&)>;
ValueCheck one_of(std::vector<std::string> words);
ValueCheck whole_number(std::int64_t from, std::int64_t to);
ValueCheck duration();
ValueCheck share();
// "0.3" or "30%" in hundredths; nothing for what is not between 1 and 99 of them.
std::optional<int> percent_of(std::string const& word);

}  // namespace runbookd::ctl
