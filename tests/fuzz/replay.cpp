// Gives every file of the corpora to its target, and then changed forms of them: bytes flipped,
// cut, doubled, spliced with another file. The same ones at each run; more with a larger --rounds.
//   runbookd_fuzz_replay CORPUS [--rounds N] [--seed N] [--only TARGET] [FILE]
// An input that fails is kept as ./fuzz-TARGET-failed; "--only TARGET FILE" gives it again alone.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "tests/fuzz/targets.h"

namespace runbookd::fuzz {
namespace {

namespace fs = std::filesystem;
using namespace std::string_view_literals;

std::string text_of(fs::path const& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> inputs_of(fs::path const& folder) {
  std::vector<fs::path> paths;
  for (auto const& entry : fs::directory_iterator(folder))
    paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> inputs;
  for (auto const& path : paths)
    inputs.push_back(text_of(path));
  return inputs;
}

class Changes {
 public:
  Changes(std::vector<std::string> const& inputs, unsigned seed) : inputs_(inputs), chance_(seed) {}

  std::string next() {
    auto text = any();
    for (auto changes = 1 + below(4); changes > 0; --changes)
      change(text);
    return text;
  }

 private:
  std::size_t below(std::size_t limit) { return limit == 0 ? 0 : chance_() % limit; }
  std::string const& any() { return inputs_[below(inputs_.size())]; }

  void change(std::string& text) {
    constexpr auto odd = "\0\xff\xc3\"'{}[]():;,-#&*!|>%@`\\\n\r\t $/0129eE"sv;
    auto const at = below(text.size() + 1);
    switch (below(6)) {
      case 0:
        text.insert(at, 1, odd[below(odd.size())]);
        return;
      case 1:
        text.erase(at, 1 + below(16));
        return;
      case 2:
        if (at < text.size())
          text[at] = static_cast<char>(chance_());
        return;
      case 3:
        text.insert(at, text.substr(below(text.size() + 1), 1 + below(64)));
        return;
      case 4: {
        auto const& other = any();
        text.insert(at, other.substr(below(other.size() + 1), 1 + below(200)));
        return;
      }
      default:
        text.resize(at);
    }
  }

  std::vector<std::string> const& inputs_;
  std::mt19937 chance_;
};

// Kept before it is tried: a crash leaves no time for it afterwards.
void give(Target const& target, std::string const& input) {
  auto const kept = "fuzz-" + std::string(target.name) + "-failed";
  std::ofstream(kept, std::ios::binary) << input;
  target.take(input);
  fs::remove(kept);
}

int run(std::vector<std::string> const& words) {
  fs::path const corpus = words.at(0);
  int rounds = 500;
  unsigned seed = 1;
  std::string only, file;
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (words[i] == "--rounds")
      rounds = std::stoi(words.at(++i));
    else if (words[i] == "--seed")
      seed = static_cast<unsigned>(std::stoul(words.at(++i)));
    else if (words[i] == "--only")
      only = words.at(++i);
    else
      file = words[i];
  }
  for (auto const& target : targets()) {
    if (!only.empty() && only != target.name)
      continue;
    if (!file.empty()) {
      target.take(text_of(file));
      continue;
    }
    auto const inputs = inputs_of(corpus / target.name);
    if (inputs.empty())
      throw std::runtime_error("no inputs for " + std::string(target.name));
    for (auto const& input : inputs)
      give(target, input);
    Changes changes(inputs, seed);
    for (int round = 0; round < rounds; ++round)
      give(target, changes.next());
    std::cout << target.name << ": " << inputs.size() << " inputs, " << rounds << " changed\n";
  }
  return 0;
}

}  // namespace
}  // namespace runbookd::fuzz

int main(int argc, char** argv) {
  try {
    return runbookd::fuzz::run({argv + 1, argv + argc});
  } catch (std::exception const& failure) {
    std::cerr << "fuzz: " << failure.what() << '\n';
    return 1;
  }
}
