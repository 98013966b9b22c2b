#include "web/ctl/man_page.h"

#include <nlohmann/json.hpp>

#include "web/ctl/version.h"

namespace runbookd::ctl {
namespace {

using Json = nlohmann::ordered_json;

std::string upper(std::string text) {
  for (auto& c : text) {
    c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return text;
}

// A dash that is typed must not become a hyphen, and no line of ours may become a request.
std::string roff(std::string_view text) {
  std::string out;
  for (char const c : text) {
    bool const at_start = out.empty() || out.back() == '\n';
    if (at_start && (c == '.' || c == '\'')) {
      out += "\\&";
    }
    out += c == '\\' ? "\\e" : c == '-' ? "\\-" : std::string(1, c);
  }
  return out;
}

std::string bold(std::string_view text) { return "\\fB" + roff(text) + "\\fR"; }
std::string slanted(std::string_view text) { return "\\fI" + roff(text) + "\\fR"; }

std::string section(std::string_view title) { return ".SH " + std::string(title) + "\n"; }
std::string entry(std::string const& what, std::string_view help) {
  return ".TP\n" + what + "\n" + roff(help) + "\n";
}

std::string title_of(ManHead const& head) {
  return ".TH " + upper(head.name) + " " + std::to_string(head.section) + " \"\" \"runbookd " +
         std::string(version) + "\" \"runbookd\"\n" + section("NAME") + roff(head.name) + " \\- " +
         roff(head.summary) + "\n";
}

std::string end_of(ManHead const& head) { return section("SEE ALSO") + roff(head.see_also) + "\n"; }

std::string option_words(OptionPage const& option) {
  std::string words;
  for (auto const& name : option.names) {
    words += (words.empty() ? "" : ", ") + bold(name);
  }
  return words + (option.value.empty() ? "" : " " + slanted(option.value));
}

// "plan lint FILE": without the program's name.
std::string command_words(CommandPage const& command) {
  std::string words;
  for (std::size_t i = 1; i < command.path.size(); ++i) {
    words += (words.empty() ? "" : " ") + command.path[i];
  }
  words = bold(words);
  for (auto const& place : command.places) {
    words += " " + (place.required ? slanted(place.name) : "[" + slanted(place.name) + "]");
  }
  return words;
}

std::string command_entry(CommandPage const& command) {
  std::string text = entry(command_words(command), command.help);
  if (command.places.empty() && command.options.size() <= 1) {
    return text;
  }
  text += ".RS\n";
  for (auto const& place : command.places) {
    text += entry(slanted(place.name), place.help);
  }
  for (auto const& option : command.options) {
    if (option.names.back() != "--help") {
      text += entry(option_words(option), option.help);
    }
  }
  return text + ".RE\n";
}

std::string commands_of(CommandPage const& program) {
  std::string text, group;
  for (auto const& top : program.commands) {
    if (top.group != group) {
      group = top.group;
      text += ".SS " + roff(group) + "\n";
    }
    for (auto const* command : pages_below(top)) {
      if (command->commands.empty()) {
        text += command_entry(*command);
      }
    }
  }
  return text;
}

std::string type_words(Json const& schema) {
  if (schema.contains("$ref")) {
    auto const name = schema.at("$ref").get<std::string>();
    return name.substr(name.rfind('/') + 1);
  }
  if (schema.contains("enum")) {
    std::string words;
    for (auto const& value : schema.at("enum")) {
      words += (words.empty() ? "" : ", ") +
               (value.is_string() ? value.get<std::string>() : value.dump());
    }
    return words;
  }
  if (schema.contains("const")) {
    return schema.at("const").dump();
  }
  if (schema.contains("items")) {
    return "list of " + type_words(schema.at("items"));
  }
  for (auto const* choice : {"oneOf", "anyOf", "allOf"}) {
    if (schema.contains(choice)) {
      std::string words;
      for (auto const& one : schema.at(choice)) {
        auto const kind = type_words(one);
        words += kind.empty() ? "" : (words.empty() ? "" : " or ") + kind;
      }
      return words;
    }
  }
  auto const type = schema.value("type", Json());
  return type.is_string() ? type.get<std::string>() : "";
}

// Keys may also stand in alternatives.
void add_keys(Json const& schema, std::string& text) {
  if (schema.contains("properties")) {
    for (auto const& [key, value] : schema.at("properties").items()) {
      auto const type = type_words(value);
      text += entry(bold(key + ":") + (type.empty() ? "" : " " + slanted(type)),
                    value.value("description", ""));
    }
  }
  for (auto const* choice : {"oneOf", "anyOf", "allOf"}) {
    if (schema.contains(choice)) {
      for (auto const& one : schema.at(choice)) {
        add_keys(one, text);
      }
    }
  }
}

}  // namespace

std::string man_page(ManHead const& head, CommandPage const& program) {
  auto text = title_of(head) + section("SYNOPSIS") + bold(program.path.front()) + " [" +
              slanted("OPTION") + "...] [" + slanted("COMMAND") + "] [" + slanted("ARGUMENT") +
              "...]\n" + section("DESCRIPTION") + roff(program.help) + "\n";
  text += section("COMMANDS") + commands_of(program) + section("OPTIONS");
  for (auto const& option : program.options) {
    text += entry(option_words(option), option.help);
  }
  if (!program.footer.empty()) {
    text += section("NOTES") + roff(program.footer) + "\n";
  }
  return text + end_of(head);
}

std::string man_page(ManHead const& head, std::span<ManSection const> sections) {
  auto text = title_of(head);
  for (auto const& one : sections) {
    text += section(one.title) + (one.verbatim ? ".nf\n" : "") + roff(one.body) + "\n" +
            (one.verbatim ? ".fi\n" : "");
  }
  return text + end_of(head);
}

std::string plan_manual(ManHead const& head, std::string_view schema_text) {
  auto const schema = Json::parse(schema_text);
  auto text = title_of(head) + section("DESCRIPTION") +
              roff(
                  "A plan is a YAML or JSON file. Check one with: runbookctl plan lint FILE. "
                  "An editor completes it by the schema that runbookctl plan schema prints.") +
              "\n" + section("KEYS");
  add_keys(schema, text);
  for (auto const* where : {"definitions", "$defs"}) {
    if (schema.contains(where)) {
      for (auto const& [name, definition] : schema.at(where).items()) {
        text += ".SS " + roff(name) + "\n" +
                roff(definition.value("description", type_words(definition))) + "\n";
        add_keys(definition, text);
      }
    }
  }
  return text + end_of(head);
}

}  // namespace runbookd::ctl
