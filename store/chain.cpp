#include "store/chain.h"

#include "planner/digest.h"
#include "planner/mutant.h"

namespace runbookd::store {
namespace {

// With its size in front no field can run into the next one.
void add(std::string& line, std::string_view field) {
  line += std::to_string(field.size());
  line += ':';
  line += field;
  line += ',';
}

}  // namespace

std::string hash_after(std::string_view previous, EventRow const& row) {
  std::string line;
  line.reserve(row.body.size() + row.reason.size() + 256);
  add(line, planner::mutant(planner::Mutant::chain_without_past) ? "" : previous);
  add(line, row.run);
  add(line, std::to_string(row.seq));
  add(line, std::to_string(row.at));
  add(line, row.kind);
  add(line, row.actor);
  add(line, row.reason);
  add(line, row.body);
  return planner::sha256_hex(line);
}

}  // namespace runbookd::store
