// Files of the source tree that tests read: example plans, their cases, the published schema.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <string>

#include "planner/plan_reader.h"

namespace runbookd::planner {

inline std::filesystem::path source_dir() { return RUNBOOKD_SOURCE_DIR; }

inline std::optional<std::string> try_content(std::filesystem::path const& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in || std::filesystem::is_directory(path)) {
    return std::nullopt;
  }
  return std::string(std::istreambuf_iterator<char>(in), {});
}

inline std::string content(std::filesystem::path const& path) {
  auto text = try_content(path);
  if (!text) {
    throw std::runtime_error("cannot read " + path.string());
  }
  return *text;
}

inline ReadPlan read_plan_file(std::filesystem::path const& path) {
  return read_plan(content(path), path.filename().string(), [&](std::string const& beside) {
    return try_content(path.parent_path() / beside);
  });
}

inline std::string listed(Findings const& findings) {
  std::string text;
  for (Finding const& finding : findings) {
    text += to_text(finding) + "\n";
  }
  return text;
}

}  // namespace runbookd::planner
