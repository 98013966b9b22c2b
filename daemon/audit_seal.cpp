#include "daemon/audit_seal.h"

#include <algorithm>
#include <utility>

#include "store/proof/audit_file.h"

namespace runbookd::daemon {

using planner::Result;
using store::AuditEntry;
using store::EventsHead;

namespace {

constexpr std::int64_t sealed_every = 100;
constexpr auto sealed_within = std::chrono::seconds{60};
constexpr std::ptrdiff_t heads_in_an_entry = 200;

AuditEntry system_entry(planner::Moment now, std::string action) {
  return {.at = now,
          .kind = "system",
          .action = std::move(action),
          .outcome = "allowed",
          .actor = "runbookd"};
}

}  // namespace

Sealer::Sealer(store::Audit& audit, Clock& clock, store::SigningKey key,
               std::function<void(planner::Error const&)> trouble)
    : audit_(audit), clock_(clock), key_(std::move(key)), trouble_(std::move(trouble)) {
  if (auto const last = audit_.last_checkpoint()) {
    sealed_ = last->entries;
    sealed_at_ = last->at;
  }
}

void Sealer::grown() {
  new_ = true;
  if (!alarm_) {
    seal_later();
  }
  if (audit_.head().entries - sealed_ >= sealed_every) {
    (void)seal();
  }
}

void Sealer::seal_later() {
  alarm_ = clock_.wake_at(clock_.now() + sealed_within, [this] { (void)seal(); });
}

Result<void> Sealer::seal() {
  if (!new_) {
    return {};
  }
  auto sealed = store::guarded([this]() -> Result<void> {
    return audit_.append(entries(), [this] { audit_.write(checkpoint()); });
  });
  if (!sealed) {
    trouble_(sealed.error());
    seal_later();
    return sealed;
  }
  alarm_.reset();
  new_ = false;
  sealed_ = audit_.head().entries;
  sealed_at_ = clock_.now();
  return {};
}

// The last one says that a checkpoint follows.
std::vector<AuditEntry> Sealer::entries() const {
  auto const now = clock_.now();
  auto heads = audit_.heads_since(sealed_at_);
  std::vector<AuditEntry> entries;
  for (auto from = heads.begin(); heads.end() - from > heads_in_an_entry;
       from += heads_in_an_entry) {
    entries.push_back(system_entry(now, "events.sealed"));
    entries.back().events.assign(from, from + heads_in_an_entry);
  }
  auto const rest = static_cast<std::ptrdiff_t>(entries.size()) * heads_in_an_entry;
  entries.push_back(system_entry(now, std::string(store::sealing_action)));
  entries.back().events.assign(heads.begin() + rest, heads.end());
  return entries;
}

store::StoredCheckpoint Sealer::checkpoint() const {
  auto const head = audit_.head();
  auto const& key = key_.verifier();
  return {.entries = head.entries,
          .at = clock_.now(),
          .key = store::to_text(key),
          .note = store::signed_note(
              {.origin = key.name, .entries = head.entries, .hash = head.hash}, key_)};
}

}  // namespace runbookd::daemon
