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

std::string hash_after(std::string_view previous, std::initializer_list<std::string_view> fields) {
  std::size_t size = 256;
  for (auto const field : fields) {
    size += field.size();
  }
  std::string line;
  line.reserve(size);
  add(line, planner::mutant(planner::Mutant::chain_without_past) ? "" : previous);
  for (auto const field : fields) {
    add(line, field);
  }
  return planner::sha256_hex(line);
}

std::string hash_after(std::string_view previous, EventRow const& row) {
  auto const seq = std::to_string(row.seq);
  auto const at = std::to_string(row.at);
  return hash_after(previous, {row.run, seq, at, row.kind, row.actor, row.reason, row.body});
}

}  // namespace runbookd::store
