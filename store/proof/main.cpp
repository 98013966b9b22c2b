// Is an exported audit what the daemon wrote? Asks nobody: the file, and what was remembered.
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>

#include "store/proof/audit_file.h"
#include "store/proof/usage.h"

namespace {

using runbookd::store::AuditFile;
using runbookd::store::AuditTrust;

constexpr int sound = 0, not_sound = 1, cannot_tell = 2;

struct Asked {
  std::string file, checkpoint;
  AuditTrust trust;
};

int refuse(std::string const& why) {
  std::cerr << "runbookd-audit-verify: " << why << "\ntry: runbookd-audit-verify --help\n";
  return cannot_tell;
}

// Nothing: `why` says what is wrong with the arguments.
std::optional<Asked> read_arguments(std::vector<std::string> const& words, std::string& why) {
  Asked asked;
  for (std::size_t i = 0; i < words.size(); ++i) {
    auto const& word = words[i];
    bool const takes_value = word == "--checkpoint" || word == "--key";
    if (takes_value && i + 1 == words.size()) {
      why = word + " needs a value";
      return std::nullopt;
    }
    if (word == "--checkpoint") {
      asked.checkpoint = words[++i];
    } else if (word == "--key") {
      auto key = runbookd::store::read_verifier_key(words[++i]);
      if (!key) {
        why = "\"" + words[i] +
              "\" is no key: it is NAME+ID+BASE64, as GET /api/v1/audit/key shows it";
        return std::nullopt;
      }
      asked.trust.keys.push_back(*std::move(key));
    } else if (asked.file.empty() && (word == "-" || !word.starts_with('-'))) {
      asked.file = word;
    } else {
      why = "\"" + word + "\" is not understood";
      return std::nullopt;
    }
  }
  if (asked.file.empty()) {
    why = "no file was named";
    return std::nullopt;
  }
  return asked;
}

std::optional<std::string> contents_of(std::string const& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return std::nullopt;
  }
  return std::string(std::istreambuf_iterator<char>(file), {});
}

struct Finding {
  std::int64_t line = 0;
  std::string what;  // empty: nothing is wrong
};

Finding read_through(std::istream& in, AuditFile& audit) {
  std::string line;
  std::int64_t number = 0;
  while (std::getline(in, line)) {
    ++number;
    if (in.eof()) {
      return {number, "the last line is not whole"};
    }
    if (auto what = audit.take(line); !what.empty()) {
      return {number, std::move(what)};
    }
  }
  return {number, audit.end()};
}

int judge(std::istream& in, Asked asked) {
  bool const by_given_key = !asked.trust.keys.empty();
  bool const remembered = !asked.trust.remembered.empty();
  AuditFile audit(std::move(asked.trust));
  auto const found = read_through(in, audit);
  if (in.bad()) {
    return refuse(asked.file + " cannot be read to its end");
  }
  if (!found.what.empty()) {
    std::cout << "NOT SOUND: " << asked.file << ", line " << found.line << ": " << found.what
              << '\n';
    return not_sound;
  }
  std::cout << "sound: entries " << audit.first() << " to " << audit.entries() << ", "
            << audit.checkpoints() << " checkpoints, last hash " << audit.hash() << '\n'
            << "signed by " << audit.signer() << '\n';
  if (!by_given_key) {
    std::cout << "that key is the file's own word: compare it with the one that you know, or say "
                 "--key\n";
  }
  if (!remembered) {
    std::cout << "that nothing was cut off at the end, only a checkpoint that was kept elsewhere "
                 "can show: --checkpoint\n";
  }
  return sound;
}

}  // namespace

int main(int count, char** words) {
  std::ios::sync_with_stdio(false);
  std::vector<std::string> const arguments(words + 1, words + count);
  for (auto const& word : arguments) {
    if (word == "--help" || word == "-h") {
      std::cout << "usage: " << runbookd::store::verify_synopsis << "\n\n"
                << runbookd::store::verify_summary << "\n\n"
                << runbookd::store::verify_options
                << "\n\nExit codes: " << runbookd::store::verify_exit_codes << '\n';
      return sound;
    }
  }
  std::string why;
  auto asked = read_arguments(arguments, why);
  if (!asked) {
    return refuse(why);
  }
  if (!asked->checkpoint.empty()) {
    auto note = contents_of(asked->checkpoint);
    if (!note) {
      return refuse("the checkpoint " + asked->checkpoint + " cannot be read");
    }
    asked->trust.remembered = *std::move(note);
  }
  if (asked->file == "-") {
    return judge(std::cin, *std::move(asked));
  }
  std::ifstream file(asked->file, std::ios::binary);
  if (!file) {
    return refuse(asked->file + " cannot be read");
  }
  return judge(file, *std::move(asked));
}
