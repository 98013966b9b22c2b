#include "tests/support/scrape.h"

#include <algorithm>
#include <regex>
#include <sstream>
#include <stdexcept>

namespace runbookd::testing {
namespace {

std::string unescaped(std::string const& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out += text[i];
    } else if (++i < text.size()) {
      out += text[i] == 'n' ? '\n' : text[i];
    }
  }
  return out;
}

Labels read_labels(std::string const& text) {
  static std::regex const label(R"re(([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)",?)re");
  Labels labels;
  auto rest = text.cbegin();
  for (std::smatch found; rest != text.cend(); rest = found.suffix().first) {
    if (!std::regex_search(rest, text.cend(), found, label,
                           std::regex_constants::match_continuous)) {
      throw std::runtime_error("labels that cannot be read: " + text);
    }
    if (!labels.emplace(found[1], unescaped(found[2])).second) {
      throw std::runtime_error("a label twice: " + text);
    }
  }
  return labels;
}

bool fits(Scrape::Sample const& sample, std::string const& name, Labels const& labels) {
  return sample.name == name && std::ranges::all_of(labels, [&](auto const& wanted) {
           auto const has = sample.labels.find(wanted.first);
           return has != sample.labels.end() && has->second == wanted.second;
         });
}

}  // namespace

Scrape read_scrape(std::string const& text) {
  static std::regex const sample(R"re((\w+)(?:\{(.*)\})? (\S+))re");
  static std::regex const type(R"re(# TYPE (\w+) (gauge|counter|histogram))re");
  static std::regex const help(R"re(# HELP \w+ .+)re");
  Scrape scrape;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::smatch found;
    if (std::regex_match(line, found, type)) {
      if (!scrape.types.emplace(found[1], found[2]).second) {
        throw std::runtime_error("a family twice: " + line);
      }
    } else if (std::regex_match(line, found, sample)) {
      scrape.samples.push_back({found[1], read_labels(found[2]), std::stod(found[3])});
    } else if (!std::regex_match(line, help)) {
      throw std::runtime_error("a line that the format does not have: " + line);
    }
  }
  return scrape;
}

std::optional<double> Scrape::find(std::string const& name, Labels const& labels) const {
  std::optional<double> value;
  for (auto const& sample : samples) {
    if (fits(sample, name, labels)) {
      if (value) {
        throw std::runtime_error("several samples of " + name + " fit");
      }
      value = sample.value;
    }
  }
  return value;
}

double Scrape::value(std::string const& name, Labels const& labels) const {
  auto const found = find(name, labels);
  if (!found) {
    throw std::runtime_error("no sample of " + name + " fits");
  }
  return *found;
}

double Scrape::sum(std::string const& name, Labels const& labels) const {
  double sum = 0;
  for (auto const& sample : samples) {
    sum += fits(sample, name, labels) ? sample.value : 0;
  }
  return sum;
}

}  // namespace runbookd::testing
