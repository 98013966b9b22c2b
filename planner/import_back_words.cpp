#include "planner/import_back_words.h"

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <vector>

#include "planner/words.h"

namespace runbookd::planner::import {
namespace {

using Words = std::vector<std::string>;

bool is_ascii_letter(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

// "Back-out — the plan" -> {back, out, the, plan}. Letters of Latin-1 are those behind 0xC3; code
// is no speech.
Words words_of(std::string_view text) {
  auto const low = lower(text);
  Words words;
  bool open = false;
  bool code = false;
  for (std::size_t i = 0; i < low.size(); ++i) {
    auto const c = static_cast<unsigned char>(low[i]);
    code = c == '`' ? !code : code;
    bool const wide = c == 0xC3 && i + 1 < low.size();
    if (code || !(wide || is_ascii_letter(c))) {
      open = open && c == '\'';
      continue;
    }
    if (!open) {
      words.emplace_back();
      open = true;
    }
    words.back() += low[i];
    if (wide) {  // upper case stands 0x20 below
      auto const next = static_cast<unsigned char>(low[++i]);
      words.back() += static_cast<char>(next < 0x9F ? next + 0x20 : next);
    }
  }
  return words;
}

// Words in a row; "fall*" is any word that begins so.
struct Stem {
  std::string_view words;
  SaysBack says;
};
constexpr auto stems = std::to_array<Stem>({
    {"rollback*", SaysBack::surely},
    {"roll* back*", SaysBack::surely},
    {"revert*", SaysBack::surely},
    {"reversion", SaysBack::surely},
    {"reversal", SaysBack::surely},
    {"back* out", SaysBack::surely},
    {"backout*", SaysBack::surely},
    {"undo*", SaysBack::surely},
    {"un do*", SaysBack::surely},
    {"unwind*", SaysBack::surely},
    {"fallback*", SaysBack::surely},
    {"fall* back", SaysBack::surely},
    {"go* back", SaysBack::surely},
    {"get* back", SaysBack::likely},
    {"turn* back", SaysBack::likely},
    {"step* back", SaysBack::likely},
    {"switch* back", SaysBack::surely},
    {"take* back", SaysBack::likely},
    {"way* back", SaysBack::surely},
    {"way* out", SaysBack::likely},
    {"back to", SaysBack::likely},
    {"migrat* down", SaysBack::surely},
    {"goose down", SaysBack::surely},
    {"down migrat*", SaysBack::surely},
    {"down script*", SaysBack::surely},
    {"downgrad*", SaysBack::surely},
    {"r\xC3\xBC"
     "ck*",
     SaysBack::surely},
    {"zur\xC3\xBC"
     "ck*",
     SaysBack::surely},
    {"retour*", SaysBack::surely},
    {"annul*", SaysBack::surely},
    {"revertir*", SaysBack::surely},
    {"deshacer*", SaysBack::surely},
    {"contingenc*", SaysBack::likely},
    {"emergenc*", SaysBack::likely},
    {"notfall*", SaysBack::likely},
    {"abort*", SaysBack::likely},
    {"disaster*", SaysBack::likely},
    {"bail* out", SaysBack::likely},
    {"escape", SaysBack::likely},
    {"plan b", SaysBack::likely},
    {"recovery", SaysBack::likely},
    {"rescue*", SaysBack::likely},
    {"on failure", SaysBack::likely},
    {"in case of", SaysBack::likely},
    {"in case something", SaysBack::likely},
    {"in case it", SaysBack::likely},
    {"goes wrong", SaysBack::likely},
    {"go wrong", SaysBack::likely},
    {"went wrong", SaysBack::likely},
    {"revers*", SaysBack::perhaps},
    {"restor*", SaysBack::perhaps},
    {"wiederherstell*", SaysBack::perhaps},
    {"recover*", SaysBack::perhaps},
    {"cancel*", SaysBack::perhaps},
});

bool is_like(std::string const& word, std::string_view stem) {
  return stem.ends_with('*') ? word.starts_with(stem.substr(0, stem.size() - 1)) : word == stem;
}

bool stands_at(std::span<std::string const> words, std::string_view stem) {
  std::size_t at = 0;
  while (!stem.empty()) {
    auto const end = std::min(stem.find(' '), stem.size());
    if (at >= words.size() || !is_like(words[at++], stem.substr(0, end))) {
      return false;
    }
    stem.remove_prefix(std::min(end + 1, stem.size()));
  }
  return true;
}

// "If the build fails", "Should anything break"
bool fears_failure(std::span<std::string const> words) {
  constexpr auto conditions = std::to_array<std::string_view>(
      {"if", "when", "should", "whenever", "wenn", "falls", "unless"});
  constexpr auto troubles = std::to_array<std::string_view>(
      {"fail*", "wrong", "break*", "broke*", "problem*", "trouble*", "issue*", "unhealthy",
       "regret*", "scheit*", "schief*", "fehl*", "incident*"});
  auto const condition = std::ranges::find_first_of(words, conditions);
  return std::any_of(condition, words.end(), [&](std::string const& word) {
    return std::ranges::any_of(troubles, [&](std::string_view one) { return is_like(word, one); });
  });
}

// "Add a fallback column", "Create the restore points": it is what they make.
bool makes_something(Words const& words) {
  constexpr auto verbs =
      std::to_array<std::string_view>({"add", "create", "build", "introduce", "adding"});
  return std::ranges::find(verbs, words.front()) != verbs.end() &&
         !is_like(words.back(), "rollback*");
}

// "Down", "Down (phase 2)", but "Downtime" and "Take down the page" are other things.
bool is_down(Words const& words) {
  return words.front() == "down" && (words.size() == 1 || words[1] != "time");
}

// "Phase 2", "Step 3.": what comes behind is what leads.
std::size_t first_word(Words const& words) {
  constexpr auto counted = std::to_array<std::string_view>(
      {"phase", "stage", "step", "part", "a", "the", "how", "to", "only", "our", "full"});
  std::size_t at = 0;
  while (at < words.size() && (std::ranges::find(counted, words[at]) != counted.end() ||
                               words[at].find_first_not_of("0123456789") == std::string::npos)) {
    ++at;
  }
  return at;
}

}  // namespace

BackWords back_words(std::string_view text) {
  auto words = words_of(text);
  words.erase(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(first_word(words)));
  if (words.empty() || makes_something(words)) {
    return {};
  }
  if (is_down(words)) {
    return {.says = SaysBack::surely, .leading = true};
  }
  if (words.size() > 1 && is_like(words[0], "rollback*") && is_like(words[1], "window*")) {
    return {};
  }
  BackWords found;
  for (std::size_t at = 0; at < words.size(); ++at) {
    for (Stem const& stem : stems) {
      if (stem.says > found.says && stands_at(std::span(words).subspan(at), stem.words)) {
        found = {.says = stem.says, .leading = found.leading || at == 0};
      }
    }
  }
  if (found.says < SaysBack::likely && fears_failure(words)) {
    return {.says = SaysBack::likely, .leading = true};
  }
  return found;
}

}  // namespace runbookd::planner::import
