// The parsers that meet bytes from outside, each as a function over one input. Whatever comes in,
// it must come back: no crash, no exception, and what was understood must be understood the same
// again.
#pragma once

#include <span>
#include <stdexcept>
#include <string_view>

namespace runbookd::fuzz {

struct Target {
  std::string_view name;  // also its folder in corpus/
  void (*take)(std::string_view input);
};
std::span<Target const> targets();

void take_plan(std::string_view input);      // YAML and JSON: one reader
void take_document(std::string_view input);  // a plan in Markdown, to a plan file and back
void take_sql(std::string_view input);       // beside libpg_query's own split
void take_event(std::string_view input);     // first line: kind; the rest: body
void take_request(std::string_view input);   // bytes of a connection, up to the router
void take_command(std::string_view input);   // first line: verb; the rest: body
void take_answer(std::string_view input);    // what runbookctl reads: documents and event streams
void take_settings(std::string_view input);  // the daemon's configuration

inline void require(bool holds, char const* what) {
  if (!holds)
    throw std::logic_error(what);
}

}  // namespace runbookd::fuzz
