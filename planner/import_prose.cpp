#include "planner/import_prose.h"

#include <algorithm>
#include <array>
#include <regex>

#include "planner/import_back_words.h"
#include "planner/import_document.h"

namespace runbookd::planner::import {
namespace {

using Kind = Sentence::Kind;

constexpr std::size_t most_to_search = 400;  // std::regex recurses for each character

std::vector<std::string> cut(std::string_view text, auto const& ends) {
  std::vector<std::string> parts;
  std::size_t start = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && !ends(text, i)) {
      continue;
    }
    if (auto part = trimmed(text.substr(start, i - start)); !part.empty()) {
      parts.push_back(std::move(part));
    }
    start = i + 1;
  }
  return parts;
}

// "version 2.3" holds no end of a sentence.
bool ends_sentence(std::string_view text, std::size_t at) {
  char const c = text[at];
  bool const before_blank = at + 1 == text.size() || text[at + 1] == ' ' || text[at + 1] == '\n';
  return c == '\n' || c == ';' || ((c == '.' || c == '!') && before_blank);
}
bool ends_clause(std::string_view text, std::size_t at) {
  constexpr std::string_view ends = "(),;";
  return ends.find(text[at]) != std::string_view::npos;
}

std::string without_opening(std::string const& low) {
  auto text = low;
  for (bool again = true; again;) {
    again = false;
    for (std::string_view word :
         {"then ", "now ", "next, ", "next ", "finally, ", "finally ", "please ", "and ",
          "after that, ", "afterwards, ", "first, ", "first "}) {
      if (text.starts_with(word)) {
        text.erase(0, word.size());
        again = true;
      }
    }
  }
  return text;
}

template <std::size_t n>
bool opens_with(std::string const& text, std::array<std::string_view, n> const& words) {
  return std::ranges::any_of(words, [&](std::string_view word) {
    return text.starts_with(word) && (text.size() == word.size() || text[word.size()] == ' ');
  });
}

// Who signs: "approval from the DBA", "signed off by platform-team", "DBA sign-off required".
std::optional<std::string> signer_in(std::string const& text) {
  static std::regex const signs(
      R"(\b(?:approv(?:al|als|ed|e)|sign(?:ed|s)?[ -]?off|sign-?offs?|four[ -]eyes)\b)",
      std::regex::icase);
  static std::regex const behind(
      R"((?:approv\w*|sign(?:ed)?[ -]?off)(?: is| are)?(?: required| needed)? (?:from|by|of) (?:the |an? |your )?([\w-]{2,40}))",
      std::regex::icase);
  static std::regex const before(R"(\b([\w-]{2,40}) (?:approval|sign[ -]?off)\b)",
                                 std::regex::icase);
  static std::regex const acts(
      R"(\b([\w-]{2,40}) (?:must|has to|have to|needs to|should|to) (?:approve|sign))",
      std::regex::icase);
  if (!std::regex_search(text, signs) ||
      mentions(lower(text), "no approval", "no sign", "without")) {
    return std::nullopt;
  }
  std::smatch match;
  for (auto const* pattern : {&behind, &before, &acts}) {
    if (std::regex_search(text, match, *pattern)) {
      auto const who = lower(match[1].str());
      constexpr std::array<std::string_view, 14> others{
          "requires", "require", "needs", "need",  "get",  "obtain",  "final",
          "explicit", "the",     "an",    "after", "with", "written", "manual"};
      if (std::ranges::find(others, who) == others.end()) {
        return slug(who);
      }
    }
  }
  return "";
}

Sentence classified(std::string text) {
  text = text.substr(0, most_to_search);
  auto const low = without_opening(lower(text));
  auto const lasts = duration_in(low);
  Sentence one{.text = std::move(text)};
  if (auto who = signer_in(low)) {
    one.kind = who->empty() ? Kind::unclear : Kind::sign;
    one.who = std::move(*who);
    return one;
  }
  constexpr std::array<std::string_view, 8> waits{"wait",   "soak",     "bake",  "pause for",
                                                  "let it", "leave it", "allow", "hold for"};
  if (opens_with(low, waits)) {
    one.kind = lasts ? Kind::wait : Kind::unclear;
    one.lasts = lasts.value_or(Duration{0});
    one.after = number_in(low);
    return one;
  }
  bool const later = mentions(low, "not before", "no earlier than", "at least", "earliest");
  if (later && lasts && mentions(low, "after", "later", "before", "earl", "stable")) {
    one.kind = Kind::wait;
    one.lasts = *lasts;
    one.after = number_in(low);
    return one;
  }
  constexpr std::array<std::string_view, 4> deploys{"deploy", "roll out", "rollout", "ship"};
  if (opens_with(low, deploys) || (low.starts_with("release ") && mentions(low, "version"))) {
    one.kind = Kind::deploy;
    return one;
  }
  constexpr std::array<std::string_view, 19> acts{
      "stop",   "start",  "restart", "disable", "enable", "notify",   "announce",
      "inform", "scale",  "drain",   "switch",  "flip",   "turn off", "turn on",
      "take a", "resume", "ask",     "tell",    "freeze"};
  if (opens_with(low, acts) && !low.ends_with(':')) {
    one.kind = Kind::act;
    return one;
  }
  constexpr std::array<std::string_view, 15> asks{
      "ensure", "make sure", "confirm", "monitor", "watch",   "repeat",   "re-run", "rerun",
      "do not", "don't",     "pause",   "backup",  "back up", "only run", "must"};
  bool const window = mentions(low, "maintenance window", "business hours", "off-peak", "downtime");
  if ((opens_with(low, asks) || window) && !low.ends_with(':')) {
    one.kind = Kind::unclear;
  }
  return one;
}

void tell(Report& report, Sentence const& sentence, int line, std::string const& why) {
  report.say(
      Severity::warning, line, "import/not-in-plan",
      "\"" + sentence.text + "\" is not in the plan: " + why,
      "write it as a box in a list, - [ ] …, then it becomes a manual step; a time as "
      "**Soak:** or **Prerequisites:** stable for 24 hours; a signature as **Approval:** dba");
}

bool has_work(PhaseText const& phase) {
  return std::ranges::any_of(phase.code, [](Code const& code) {
    return code.role == Role::forward || code.role == Role::by_hand;
  });
}

Code by_hand(Sentence const& sentence, int line, Role role) {
  return {.sql = {.text = sentence.text}, .role = role, .label = "", .line = line};
}

}  // namespace

std::vector<Sentence> sentences_in(std::string_view text) {
  std::vector<Sentence> found;
  for (auto& part : cut(text, ends_sentence)) {
    found.push_back(classified(std::move(part)));
  }
  return found;
}

std::vector<Sentence> asked_by_heading(std::string_view title) {
  std::vector<Sentence> found;
  auto const parts = cut(title, ends_clause);
  for (std::size_t i = 1; i < parts.size(); ++i) {
    auto one = classified(parts[i]);
    auto const low = lower(parts[i]);
    auto const lasts = duration_in(low);
    if (one.kind == Kind::talk && lasts && mentions(low, "after", "later", "wait", "+")) {
      one.kind = Kind::wait;
      one.lasts = *lasts;
      one.after = number_in(low);
    }
    bool const dated = mentions(low, "next ", "later", "tomorrow", "after", "once ");
    one.kind = one.kind == Kind::talk && dated ? Kind::unclear : one.kind;
    if (one.kind != Kind::talk) {
      found.push_back(std::move(one));
    }
  }
  return found;
}

void put_sentences(Report& report, std::vector<Sentence> const& sentences, int line,
                   PhaseText& phase) {
  for (auto const& one : sentences) {
    switch (one.kind) {
      case Kind::talk:
        phase.remarks.push_back(one.text);
        break;
      case Kind::deploy:
      case Kind::act:
        phase.code.push_back(by_hand(one, line, Role::by_hand));
        break;
      case Kind::wait:
        if (has_work(phase)) {
          phase.code.push_back(by_hand(one, line, Role::wait));
        } else {
          phase.not_before = std::max(phase.not_before.value_or(Duration{0}), one.lasts);
          phase.after = one.after;
        }
        break;
      case Kind::sign:
        phase.approver = one.who;
        if (has_work(phase)) {
          tell(report, one, line,
               "it stands behind the phase's steps, and was read as the approval of the phase "
               "before it begins");
        }
        break;
      case Kind::unclear:
        phase.remarks.push_back(one.text);
        tell(report, one, line, "it does not say plainly what is done when");
        break;
    }
  }
}

void tell_lost(Report& report, std::vector<Sentence> const& sentences, int line,
               std::string const& where) {
  for (auto const& one : sentences) {
    if (one.kind != Kind::talk) {
      tell(report, one, line, where);
    }
  }
}

namespace {

// "Soak: 24 hours", "Approval: DBA"; false = it is another field.
bool put_gate(Report& report, Field const& field, PhaseText& phase) {
  auto const& label = field.label;
  auto const lasts = duration_in(field.value);
  bool const soaks = mentions(label, "soak", "bake", "observation", "monitoring period", "stabili");
  bool const waits = mentions(label, "not before", "earliest", "rollback window") ||
                     label == "wait" || label == "delay";
  bool const signs = mentions(label, "approv", "sign-off", "sign off", "signoff");
  if (!soaks && !waits && !signs) {
    return false;
  }
  auto const words = lower(trimmed(field.value));
  if (words.empty() || words == "none" || words == "no" || words == "n/a" || words == "-") {
    return true;
  }
  if (signs) {
    auto const who = slug(words.substr(0, words.find_first_of(",(;/")));
    phase.approver = signer_in("approval from " + words).value_or(who);
    phase.approver = phase.approver.empty() ? who : phase.approver;
    return true;
  }
  if (!lasts) {
    tell(report, {.text = field.label + ": " + field.value}, field.line,
         "it names no time such as 24 hours");
  } else if (soaks) {
    phase.soak = *lasts;
  } else {
    phase.not_before = *lasts;
    phase.after = number_in(field.value);
  }
  return true;
}

}  // namespace

std::optional<Field> plain_field(std::string const& text, int line) {
  auto const colon = text.find(": ");
  auto const label = colon == std::string::npos ? "" : lower(text.substr(0, colon));
  bool const known = mentions(label, "soak", "bake", "approv", "sign-off", "rollback",
                              "prerequisite", "precondition", "not before", "goal", "objective") ||
                     says_way_back(label);
  constexpr std::size_t longest = 32;
  if (label.empty() || label.size() > longest || !known) {
    return std::nullopt;
  }
  return Field{.label = label, .value = trimmed(text.substr(colon + 1)), .line = line};
}

bool put_phase_field(Report& report, Field const& field, PhaseText& phase) {
  if (field.label == "goal" || field.label == "objective" || field.label == "purpose") {
    phase.goal = field.value;
  } else if (mentions(field.label, "application state", "app state", "application")) {
    phase.application = field.value;
  } else if (mentions(field.label, "deploy order", "deployment order", "when to run")) {
    phase.deploy_order = field.value;
  } else if (mentions(field.label, "prerequisite", "precondition")) {
    phase.prerequisites = field.value;
    if (auto const asked = sentences_in("approval: " + field.value);
        asked.front().kind == Kind::sign) {
      phase.approver = asked.front().who;
    }
  } else if (put_gate(report, field, phase) || field.value.empty()) {
    return false;
  } else if (says_way_back(field.label)) {
    phase.no_way_back = field.value;
    return true;
  } else {
    put_sentences(report, sentences_in(field.value), field.line, phase);
  }
  return false;
}

bool is_commands(Block const& code) {
  auto const info = lower(code.info.substr(0, code.info.find_first_of(" {")));
  constexpr std::array<std::string_view, 11> shells{
      "bash",   "sh",   "shell",      "console",       "zsh", "terminal",
      "python", "ruby", "powershell", "shell-session", "fish"};
  return std::ranges::find(shells, info) != shells.end();
}

}  // namespace runbookd::planner::import
