// How many entries of an exported audit the verifier reads in a second, beside SHA-256 alone over
// the same bytes in the same run.
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

#include "planner/digest.h"
#include "store/audit_entry.h"
#include "store/chain.h"
#include "store/proof/audit_file.h"

using namespace runbookd;

namespace {

constexpr int entries = 200'000, sealed_every = 100, rounds = 7;
constexpr auto origin = "runbookd/store_0123456789ab";

store::AuditEntry entry_of(int number) {
  return {.at = planner::Moment(planner::Duration(1'700'000'000'000 + number)),
          .kind = "request",
          .action = number % sealed_every == 0 ? std::string(store::sealing_action) : "advance",
          .outcome = "allowed",
          .status = 202,
          .actor = "ana@example.org",
          .roles = "operator approver@billing-*",
          .auth = "token",
          .token = "0123abcd",
          .source = "192.0.2.17",
          .agent = "runbookctl",
          .request = "0123456789abcdef",
          .method = "POST",
          .path = "/api/v1/runs/run_0a1b2c3d4e5f/advance",
          .run = "run_0a1b2c3d4e5f",
          .target = "billing-eu",
          .plan = "sha256:" + std::string(64, 'a'),
          .phase = "backfill",
          .reason = "checks are green, the lag is below a second",
          .before = store::RunStanding{"waiting", number},
          .after = store::RunStanding{"running", number + 1},
          .events = {{"run_0a1b2c3d4e5f", number + 1, std::string(64, 'b')}}};
}

std::vector<std::string> some_audit() {
  auto const key = store::SigningKey::make(origin).value();
  std::vector<std::string> lines{
      store::to_line({.origin = origin, .keys = {to_text(key.verifier())}})};
  std::string hash;
  for (int i = 1; i <= entries; ++i) {
    auto const text = to_text(entry_of(i), i);
    hash = store::hash_after(hash, {text});
    lines.push_back(store::entry_line(text, hash));
    if (i % sealed_every == 0) {
      lines.push_back(store::checkpoint_line(
          store::signed_note({.origin = origin, .entries = i, .hash = hash}, key)));
    }
  }
  return lines;
}

// Of the processor: others may be at work.
template <typename Work>
double median_seconds(Work work) {
  std::vector<double> all;
  for (int i = 0; i < rounds; ++i) {
    auto const begin = std::clock();
    work();
    all.push_back(static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC);
  }
  std::ranges::sort(all);
  return all[rounds / 2];
}

}  // namespace

int main() {
  auto const lines = some_audit();
  std::size_t bytes = 0;
  for (auto const& line : lines) {
    bytes += line.size();
  }
  bool sound = true;
  auto const verified = median_seconds([&] {
    store::AuditFile file({});
    for (auto const& line : lines) {
      sound = sound && file.take(line).empty();
    }
    sound = sound && file.end().empty();
  });
  auto const hashed = median_seconds([&] {
    for (auto const& line : lines) {
      sound = sound && planner::sha256_hex(line).size() == 64;
    }
  });
  std::printf(
      "%d entries of %zu bytes, a checkpoint each %d, median of %d: %.0f entries/s (bar: "
      "100,000/s)\n",
      entries, bytes / entries, sealed_every, rounds, entries / verified);
  std::printf("SHA-256 alone over the same lines: %.0f/s; the verifier takes %.2f times as long\n",
              entries / hashed, verified / hashed);
  return sound ? 0 : 1;
}
