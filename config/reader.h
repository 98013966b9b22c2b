// Typed access to a document, collecting what is wrong. Private to config/.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "planner/diagnostic.h"
#include "planner/document.h"
#include "planner/time.h"

namespace runbookd::config {

class Reader {
 public:
  explicit Reader(std::string file) : file_(std::move(file)) {}

  // False, and a finding, where the node is no mapping; unknown keys are findings too.
  bool mapping(planner::Node const& node, std::initializer_list<std::string_view> keys);
  std::optional<std::string> text(planner::Node const* node);
  std::optional<std::string> one_of(planner::Node const* node,
                                    std::initializer_list<std::string_view> words);
  std::optional<planner::Duration> duration(planner::Node const* node);
  std::optional<std::int64_t> size(planner::Node const* node);         // "1GiB"
  std::vector<planner::Node const*> items(planner::Node const* node);  // one value or a list
  void problem(planner::Node const& node, std::string rule, std::string message,
               std::string fix = "");

  planner::Place place(planner::Node const& node) const;
  std::string beside(std::string const& path) const;  // relative to the file's folder
  planner::Findings const& findings() const { return findings_; }
  void add(planner::Findings const& more);

 private:
  std::string file_;
  planner::Findings findings_;
};

}  // namespace runbookd::config
