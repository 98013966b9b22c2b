// What GET /metrics answered, read strictly: a line that the text format does not have is an error.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace runbookd::testing {

using Labels = std::map<std::string, std::string>;

struct Scrape {
  struct Sample {
    std::string name;
    Labels labels;
    double value = 0;
  };
  std::map<std::string, std::string> types;  // family -> "gauge", "counter", "histogram"
  std::vector<Sample> samples;

  // The one sample of that name that has these labels, and perhaps more; nothing where none has.
  // Throws where several have.
  std::optional<double> find(std::string const& name, Labels const& labels = {}) const;
  double value(std::string const& name, Labels const& labels = {}) const;  // throws for none
  double sum(std::string const& name, Labels const& labels = {}) const;    // of all that fit
};
Scrape read_scrape(std::string const& text);

}  // namespace runbookd::testing
