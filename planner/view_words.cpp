#include "planner/view_words.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "planner/limited_text.h"
#include "planner/run_rules.h"

namespace runbookd::planner::view {
namespace {

bool starts_character(char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }
bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20U || c == '\x7f'; }

bool is_plain(char c) {
  bool const letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  return letter || std::string_view("-_./:@%+=,").find(c) != std::string_view::npos;
}

}  // namespace

std::string clipped(std::string_view text, std::size_t most) {
  std::size_t characters = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (starts_character(text[i]) && ++characters > most) {
      return std::string(text.substr(0, i)) + "…";
    }
  }
  // a text of stray continuation bytes begins no character at all
  return std::string(text.substr(0, most * 4));
}

std::string in_a_line(std::string_view text, std::size_t most) {
  std::string line;
  for (char const c : text) {
    bool const space = is_control(c) || c == ' ';
    if (!space) {
      line += c;
    } else if (!line.empty() && line.back() != ' ') {
      line += ' ';
    }
  }
  if (line.ends_with(' ')) {
    line.pop_back();
  }
  return clipped(line, most);
}

std::string valid_utf8(std::string const& text) {
  auto const spelled =
      nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return nlohmann::json::parse(spelled).get<std::string>();
}

std::string further_lines(SqlFailure const& failure) {
  constexpr std::size_t longest = 16 * 1024;
  auto const end = failure.message.find('\n');
  return end == std::string::npos ? "" : limited(failure.message.substr(end + 1), longest);
}

std::string failure_words(SqlFailure const& failure) {
  // commands stand in it: it is never cut where one could be
  constexpr std::size_t longest_message = 2000;
  auto const first_line = failure.message.substr(0, failure.message.find('\n'));
  auto const message = in_a_line(first_line, longest_message);
  if (failure.sqlstate.empty()) {
    return message.empty() ? "no answer from the server" : message;
  }
  return "ERROR " + in_a_line(failure.sqlstate, 20) + (message.empty() ? "" : ": " + message);
}

std::string blocker_words(Blocker const& blocker) {
  auto text = blocker.pid == 0 ? "a prepared transaction" : "pid " + std::to_string(blocker.pid);
  auto const& who = blocker.application.empty() ? blocker.user : blocker.application;
  text += who.empty() ? "" : " (" + in_a_line(who, 60) + ")";
  if (blocker.transaction_age > Duration{}) {
    auto const seconds = std::chrono::duration_cast<std::chrono::seconds>(blocker.transaction_age);
    text += ", " + to_text(Duration(seconds)) + " in its transaction";
  }
  return text;
}

std::string count_words(std::int64_t count, std::string_view noun) {
  return std::to_string(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

std::string person_words(std::string const& actor, std::string const& reason) {
  if (actor.empty()) {
    return "";
  }
  return " by " + in_a_line(actor, 60) + (reason.empty() ? "" : ": " + in_a_line(reason));
}

std::string shell_word(std::string const& word) {
  if (!word.empty() && std::ranges::all_of(word, is_plain)) {
    return word;
  }
  std::string quoted = "'";
  for (char const c : word) {
    quoted += c == '\'' ? std::string(R"('\'')") : std::string(1, c);
  }
  return quoted + "'";
}

std::string step_label(Plan const& plan, StepRef ref) {
  if (known(plan, ref)) {
    return plan.label(ref);
  }
  return "number " + std::to_string(ref.phase) + "." + std::to_string(ref.step);
}

std::string phase_label(Plan const& plan, int phase) {
  bool const there = phase >= 0 && phase < std::ssize(plan.phases);
  return there ? plan.phases[phase].name : "number " + std::to_string(phase);
}

std::string identity_words(TargetIdentity const& target) {
  return "database " + in_a_line(target.database, 60) +
         (target.system.empty() ? "" : " of server " + in_a_line(target.system, 30)) +
         (target.timeline.empty() ? "" : ", timeline " + in_a_line(target.timeline, 30));
}

std::string lost_words(Plan const& plan, std::vector<StepRef> const& lost) {
  if (lost.empty()) {
    return "";
  }
  std::string names;
  for (auto const& ref : lost) {
    names += (names.empty() ? "" : ", ") + step_label(plan, ref);
  }
  return "the target has failed over, and no marker there proves what was recorded of " +
         count_words(std::ssize(lost), "step") + ": " + names;
}

}  // namespace runbookd::planner::view
