#include "web/ctl/completions.h"

#include <algorithm>

namespace runbookd::ctl {
namespace {

constexpr auto run_ids = "timeout 0.3 runbookctl run list -o name --no-input 2>/dev/null";

// What a shell script calls a command: "/plan/lint"; the program itself is "".
std::string place_of(CommandPage const& page) {
  std::string place;
  for (std::size_t i = 1; i < page.path.size(); ++i) {
    place += "/" + page.path[i];
  }
  return place;
}

// In single quotes; a quote within ends them for a moment.
std::string in_quotes(std::string_view text) {
  std::string out = "'";
  for (char const c : text) {
    out += c == '\'' ? "'\\''" : std::string(1, c);
  }
  return out + "'";
}

std::vector<OptionPage> options_of(CommandPage const& program, CommandPage const& page) {
  auto options = page.options;
  if (&page != &program) {
    for (auto const& option : program.options) {
      auto const known =
          std::ranges::any_of(options, [&](auto const& own) { return own.names == option.names; });
      if (!known && option.names.back() != "--version") {
        options.push_back(option);
      }
    }
  }
  return options;
}

bool takes_run(CommandPage const& page) {
  return std::ranges::any_of(page.places, [](auto const& place) { return place.name == "RUN"; });
}

std::string name_of(CommandPage const& program) { return program.path.front(); }

// Options whose value is the next word: it is no command, and may be a file.
std::string with_value(CommandPage const& program) {
  std::vector<std::string> names;
  for (auto const* page : pages_below(program)) {
    for (auto const& option : page->options) {
      if (!option.value.empty()) {
        names.insert(names.end(), option.names.begin(), option.names.end());
      }
    }
  }
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  std::string text;
  for (auto const& name : names) {
    text += (text.empty() ? "" : "|") + name;
  }
  return text;
}

std::string all_places(CommandPage const& program) {
  std::string text;
  for (auto const* page : pages_below(program)) {
    auto const place = place_of(*page);
    text += place.empty() ? "" : (text.empty() ? "" : "|") + place;
  }
  return text;
}

// Walks over the words before the cursor: `at` becomes the command that they name.
std::string walk(CommandPage const& program, std::string const& word_of_i,
                 std::string const& loop) {
  return "  local at= word=\n  local -i i skip=0\n  for (( " + loop +
         " )); do\n    word=" + word_of_i +
         "\n    if (( skip )); then skip=0; continue; fi\n    case $word in\n      " +
         with_value(program) + ") skip=1 ;;\n      *) case $at/$word in\n        " +
         all_places(program) + ") at=$at/$word ;;\n      esac ;;\n    esac\n  done\n";
}

std::string colon_free(std::string_view text) {
  std::string out;
  for (char const c : text) {
    out += c == ':' ? "\\:" : std::string(1, c);
  }
  return out;
}

}  // namespace

std::string bash_completion(CommandPage const& program) {
  auto const name = name_of(program);
  auto text = "# bash completion for " + name + ", made from its own grammar\n_" + name +
              "() {\n  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n" +
              walk(program, "${COMP_WORDS[i]}", "i = 1; i < COMP_CWORD; i++") +
              "  local commands= options= runs=no\n  case $at in\n";
  for (auto const* page : pages_below(program)) {
    std::string commands, options;
    for (auto const& command : page->commands) {
      commands += (commands.empty() ? "" : " ") + command.path.back();
    }
    for (auto const& option : options_of(program, *page)) {
      for (auto const& one : option.names) {
        options += (options.empty() ? "" : " ") + one;
      }
    }
    text += "    " + in_quotes(place_of(*page)) + ")\n      commands=" + in_quotes(commands) +
            "\n      options=" + in_quotes(options) +
            "\n      runs=" + (takes_run(*page) ? "yes" : "no") + " ;;\n";
  }
  return text +
         "  esac\n  COMPREPLY=()\n  if (( skip )); then\n    COMPREPLY=($(compgen -f -- "
         "\"$cur\"))\n"
         "  elif [[ $cur == -* ]]; then\n    COMPREPLY=($(compgen -W \"$options\" -- \"$cur\"))\n"
         "  elif [[ -n $commands ]]; then\n    COMPREPLY=($(compgen -W \"$commands\" -- "
         "\"$cur\"))\n"
         "  elif [[ $runs == yes ]]; then\n    COMPREPLY=($(compgen -W \"@latest $(" +
         run_ids +
         ")\" -- \"$cur\"))\n  else\n    COMPREPLY=($(compgen -f -- \"$cur\"))\n  fi\n}\n"
         "complete -o filenames -F _" +
         name + " " + name + "\n";
}

std::string zsh_completion(CommandPage const& program) {
  auto const name = name_of(program);
  auto text = "#compdef " + name + "\n# made from the program's own grammar\n_" + name + "() {\n" +
              walk(program, "${words[i]}", "i = 2; i < CURRENT; i++") +
              "  local runs=no\n  local -a commands options ids\n  case $at in\n";
  for (auto const* page : pages_below(program)) {
    text += "    " + in_quotes(place_of(*page)) + ")\n      commands=(";
    for (auto const& command : page->commands) {
      text += "\n        " + in_quotes(command.path.back() + ":" + command.help);
    }
    text += ")\n      options=(";
    for (auto const& option : options_of(program, *page)) {
      for (auto const& one : option.names) {
        text += "\n        " + in_quotes(colon_free(one) + ":" + option.help);
      }
    }
    text += std::string(")\n      runs=") + (takes_run(*page) ? "yes" : "no") + " ;;\n";
  }
  return text +
         "  esac\n  if (( skip )); then\n    _files\n  elif [[ ${words[CURRENT]} == -* ]]; then\n"
         "    _describe -o option options\n  elif (( ${#commands} )); then\n"
         "    _describe command commands\n  elif [[ $runs == yes ]]; then\n    ids=(@latest "
         "${(f)\"$(" +
         run_ids + ")\"})\n    compadd -a ids\n  else\n    _files\n  fi\n}\n_" + name + " \"$@\"\n";
}

std::string fish_completion(CommandPage const& program) {
  auto const name = name_of(program);
  auto const helper = "__" + name + "_at";
  auto values = with_value(program);
  std::ranges::replace(values, '|', ' ');
  auto places = all_places(program);
  std::ranges::replace(places, '|', ' ');
  auto text =
      "# fish completion for " + name + ", made from its own grammar\nfunction " + helper +
      "\n  set -l at ''\n  set -l skip no\n"
      "  for word in (commandline -opc)[2..-1]\n    if test $skip = yes\n      set skip no\n"
      "    else if contains -- $word " +
      values + "\n      set skip yes\n    else if contains -- $at/$word " + places +
      "\n      set at $at/$word\n    end\n  end\n  test \"$at\" = \"$argv[1]\"\nend\n";
  for (auto const* page : pages_below(program)) {
    auto const here =
        "complete -c " + name + " -n " + in_quotes(helper + " " + in_quotes(place_of(*page)));
    for (auto const& command : page->commands) {
      text += here + " -f -a " + in_quotes(command.path.back()) + " -d " + in_quotes(command.help) +
              "\n";
    }
    if (takes_run(*page)) {
      text += here + " -f -a " + in_quotes(std::string("@latest (") + run_ids + ")") + "\n";
    }
    for (auto const& option : options_of(program, *page)) {
      text += here;
      for (auto const& one : option.names) {
        text += one.starts_with("--") ? " -l " + one.substr(2) : " -s " + one.substr(1);
      }
      text +=
          (option.value.empty() ? "" : " -r") + std::string(" -d ") + in_quotes(option.help) + "\n";
    }
  }
  return text;
}

}  // namespace runbookd::ctl
