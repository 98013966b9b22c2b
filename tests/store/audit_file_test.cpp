// Nothing of an exported audit can change without being seen: by every byte of a small one, and by
// many random changes of larger ones.
#include "store/proof/audit_file.h"

#include <functional>
#include <random>

#include <doctest/doctest.h>
#include <sys/stat.h>

#include "store/audit_entry.h"
#include "store/chain.h"
#include "tests/store/scratch.h"

namespace runbookd::store {
namespace {

constexpr auto name = "runbookd/store_0123456789ab";
using Lines = std::vector<std::string>;

SigningKey fresh_key(std::string const& of = name) { return SigningKey::make(of).value(); }

// An audit as a daemon would have written it.
class Written {
 public:
  explicit Written(SigningKey const& key, std::uint32_t seed = 1) : key_(key), random_(seed) {
    lines.push_back(to_line({.origin = name, .keys = {to_text(key.verifier())}}));
  }
  void add(std::string const& action) {
    AuditEntry const entry{.at = planner::Moment(planner::Duration(1'700'000'000'000 + count_)),
                           .kind = "request",
                           .action = action,
                           .outcome = "allowed",
                           .actor = "ann",
                           .run = "run_" + std::to_string(random_() % 7),
                           .reason = "p99 \"up\" \\ on\ncheckout " + std::to_string(random_())};
    auto const text = to_text(entry, ++count_);
    hash_ = hash_after(hash_, {text});
    lines.push_back(entry_line(text, hash_));
  }
  void seal() {
    add(std::string(sealing_action));
    notes.push_back(signed_note({.origin = name, .entries = count_, .hash = hash_}, key_));
    lines.push_back(checkpoint_line(notes.back()));
  }
  std::string text() const {
    std::string all;
    for (auto const& line : lines) {
      all += line + '\n';
    }
    return all;
  }
  Lines lines;
  Lines notes;

 private:
  SigningKey const& key_;
  std::mt19937 random_;
  std::int64_t count_ = 0;
  std::string hash_;
};

Written some_audit(SigningKey const& key, int entries, int sealed_every, std::uint32_t seed = 1) {
  Written audit(key, seed);
  for (int i = 1; i <= entries; ++i) {
    audit.add("start");
    if (i % sealed_every == 0) {
      audit.seal();
    }
  }
  audit.seal();
  return audit;
}

// Empty: sound.
std::string judge(std::string const& text, AuditTrust const& trust = {}) {
  AuditFile file(trust);
  std::size_t at = 0;
  while (at < text.size()) {
    auto const end = text.find('\n', at);
    if (end == std::string::npos) {
      return "the last line is not whole";
    }
    if (auto what = file.take(std::string_view(text).substr(at, end - at)); !what.empty()) {
      return what;
    }
    at = end + 1;
  }
  return file.end();
}

std::string joined(Lines const& lines) {
  std::string all;
  for (auto const& line : lines) {
    all += line + '\n';
  }
  return all;
}

TEST_CASE("an audit as it was written is sound") {
  auto const key = fresh_key();
  auto const audit = some_audit(key, 25, 7);
  CHECK(judge(audit.text()) == "");
  CHECK(judge(audit.text(), {.keys = {key.verifier()}, .remembered = audit.notes[1]}) == "");
}

TEST_CASE("every byte of an audit counts: changed to any of eight others, dropped or doubled") {
  auto const key = fresh_key();
  auto const text = some_audit(key, 3, 2).text();
  int missed = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      auto changed = text;
      changed[i] = static_cast<char>(changed[i] ^ (1 << bit));
      missed += judge(changed).empty() ? 1 : 0;
    }
    auto shorter = text;
    shorter.erase(i, 1);
    missed += judge(shorter).empty() ? 1 : 0;
    auto longer = text;
    longer.insert(i, 1, text[i]);
    missed += judge(longer).empty() ? 1 : 0;
  }
  CHECK(missed == 0);
}

TEST_CASE("random changes of many kinds to random audits are all found") {
  std::mt19937 random(20261124);
  auto const below = [&](std::size_t limit) { return std::size_t{random() % limit}; };
  using Change = std::function<void(Lines&)>;
  // each leaves something else behind
  std::vector<std::pair<std::string, Change>> const changes{
      {"a line is deleted",
       [&](Lines& lines) { lines.erase(lines.begin() + below(lines.size())); }},
      {"a line is doubled",
       [&](Lines& lines) {
         auto const at = below(lines.size());
         lines.insert(lines.begin() + at, lines[at]);
       }},
      {"two lines change places",
       [&](Lines& lines) {
         auto const at = below(lines.size() - 1);
         std::swap(lines[at], lines[at + 1]);
       }},
      {"a line moves",
       [&](Lines& lines) {
         auto const from = below(lines.size());
         auto const line = lines[from];
         lines.erase(lines.begin() + from);
         auto to = below(lines.size());
         to += to == from ? 1 : 0;
         lines.insert(lines.begin() + std::min(to, lines.size()), line);
       }},
      {"a line of the past is put in",
       [&](Lines& lines) { lines.insert(lines.begin() + 1 + below(lines.size() - 1), lines[1]); }},
      {"an empty line is put in",
       [&](Lines& lines) { lines.insert(lines.begin() + below(lines.size() + 1), ""); }},
      {"a byte is set",
       [&](Lines& lines) {
         auto& line = lines[below(lines.size())];
         auto& byte = line[below(line.size())];
         byte = static_cast<char>(byte + 1 + below(255));
       }},
      {"a stretch is cut out",
       [&](Lines& lines) {
         auto& line = lines[below(lines.size())];
         auto const at = below(line.size());
         line.erase(at, 1 + below(line.size() - at));
       }},
  };
  for (auto const& [what, change] : changes) {
    CAPTURE(what);
    int missed = 0;
    for (int round = 0; round < 300; ++round) {
      auto const key = fresh_key();
      auto const audit =
          some_audit(key, 2 + static_cast<int>(below(30)), 1 + static_cast<int>(below(9)),
                     static_cast<std::uint32_t>(random()));
      auto lines = audit.lines;
      change(lines);
      if (lines != audit.lines && judge(joined(lines)).empty()) {
        ++missed;
      }
    }
    CHECK(missed == 0);
  }
}

TEST_CASE("what was cut off at the end is found by a checkpoint that was kept elsewhere") {
  auto const key = fresh_key();
  auto const audit = some_audit(key, 40, 5);
  AuditTrust const remembers{.keys = {}, .remembered = audit.notes.back()};
  int found = 0, whole = 0;
  for (std::size_t keep = 1; keep < audit.lines.size(); ++keep) {
    auto const text = joined({audit.lines.begin(), audit.lines.begin() + keep});
    CHECK(judge(text, remembers) != "");
    // without it, only where the cut is not right behind a checkpoint
    bool const at_seal = audit.lines[keep - 1].starts_with("{\"checkpoint\"");
    CHECK(judge(text).empty() == at_seal);
    ++(at_seal ? whole : found);
  }
  CHECK(whole > 5);
  CHECK(found > 30);
}

TEST_CASE("an audit that was written anew by somebody with another key is found by what was kept") {
  auto const key = fresh_key();
  auto const others = fresh_key();
  auto const audit = some_audit(key, 10, 3);
  auto const forged = some_audit(others, 10, 3, 2);
  CHECK(judge(forged.text()) == "");  // in itself it fits
  CHECK(contains(judge(forged.text(), {.keys = {key.verifier()}, .remembered = ""}),
                 "not among those that are trusted"));
  CHECK(contains(judge(forged.text(), {.keys = {}, .remembered = audit.notes[0]}),
                 "remembered checkpoint cannot be used"));
}

TEST_CASE("an audit that was written anew with the same key is found by what was kept") {
  auto const key = fresh_key();
  auto const audit = some_audit(key, 10, 3);
  auto const forged = some_audit(key, 10, 3, 2);
  CHECK(judge(forged.text()) == "");
  CHECK(contains(judge(forged.text(), {.keys = {key.verifier()}, .remembered = audit.notes[1]}),
                 "written anew"));
}

TEST_CASE("a finding says which entry, and why") {
  auto const key = fresh_key();
  auto audit = some_audit(key, 6, 3);
  auto lines = audit.lines;
  lines.erase(lines.begin() + 2);
  CHECK(judge(joined(lines)) == "where entry 2 should stand is entry 3");
  lines = audit.lines;
  lines[2].replace(lines[2].find("\"ann\""), 5, "\"bob\"");
  CHECK(contains(judge(joined(lines)), "entry 2 does not have its hash"));
}

TEST_CASE("a note has the text of C2SP checkpoints, and opens only with the key that signed it") {
  auto const key = fresh_key();
  Checkpoint const checkpoint{.origin = name, .entries = 17, .hash = planner::sha256_hex("x")};
  auto const note = signed_note(checkpoint, key);
  CHECK(note.starts_with(std::string(name) + "\n17\n"));
  CHECK(contains(note, "=\n\n\xE2\x80\x94 " + std::string(name) + " "));
  std::vector const keys{key.verifier()};
  CHECK(opened_note(note, keys).checkpoint == checkpoint);
  std::vector const other{fresh_key().verifier()};
  CHECK_FALSE(opened_note(note, other).checkpoint);
}

TEST_CASE("a verifier key has one spelling") {
  auto const text = to_text(fresh_key().verifier());
  REQUIRE(read_verifier_key(text));
  CHECK(to_text(*read_verifier_key(text)) == text);
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto changed = text;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    CHECK_FALSE(read_verifier_key(changed));
  }
}

TEST_CASE(
    "the signing key is made once, for its owner alone, and one that others may read is refused") {
  Scratch const scratch;
  auto const path = scratch.path("key");
  auto const first = SigningKey::load_or_make(path, name);
  REQUIRE(first);
  struct stat facts{};
  REQUIRE(::stat(path.c_str(), &facts) == 0);
  CHECK((facts.st_mode & 0777) == 0600);
  auto const second = SigningKey::load_or_make(path, name);
  REQUIRE(second);
  CHECK(second->verifier() == first->verifier());
  REQUIRE(::chmod(path.c_str(), 0640) == 0);
  auto const refused = SigningKey::load_or_make(path, name);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().next == "chmod 600 '" + path + "'");
}

TEST_CASE("a file that is no Ed25519 key is not taken for one") {
  Scratch const scratch;
  auto const path = scratch.path("key");
  write_file(path, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
  REQUIRE(::chmod(path.c_str(), 0600) == 0);
  CHECK_FALSE(SigningKey::load_or_make(path, name));
}

}  // namespace
}  // namespace runbookd::store
