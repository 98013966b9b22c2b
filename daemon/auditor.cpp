#include "daemon/auditor.h"

#include <algorithm>
#include <utility>

#include "daemon/logging.h"

namespace runbookd::daemon {

using planner::Error;
using planner::ErrorCode;
using planner::Moment;
using planner::Result;
using store::AuditEntry;
using store::KeptAnswer;

namespace {

constexpr std::size_t most_late = 10'000;
constexpr std::size_t most_sources = 1'000;
constexpr auto tried_again_after = std::chrono::seconds{1};
constexpr auto wrong_tokens_told_every = std::chrono::minutes{10};
constexpr auto answers_forgotten_every = std::chrono::minutes{10};
constexpr auto every_other_source = "other sources";

}  // namespace

Error Auditor::not_recorded(Error const& why) {
  return {.code = ErrorCode::audit_unavailable,
          .detail = "the audit takes no entry, so nothing was done: " + why.detail,
          .next = why.next};
}

Auditor::Auditor(store::Store& store, Clock& clock, store::SigningKey key,
                 std::function<void(Error const&)> trouble)
    : store_(store),
      clock_(clock),
      trouble_(std::move(trouble)),
      sealer_(store.audit(), clock, std::move(key), [this](Error const& error) { failed(error); }) {
}

Auditor::~Auditor() = default;

void Auditor::open(std::string const& identity) {
  auto const last = store_.audit().last_checkpoint();
  if (last && last->key != store::to_text(sealer_.key())) {
    // whoever compares keys must know why there is another one
    note("audit.key-changed", "up to entry " + std::to_string(last->entries) +
                                  " checkpoints were signed by " + last->key);
  }
  note("daemon.started", identity);
}

// --- what nobody asked for

AuditEntry Auditor::system_entry(std::string const& action, std::string const& detail) const {
  return {.at = clock_.now(),
          .kind = "system",
          .action = action,
          .outcome = "allowed",
          .actor = "runbookd",
          .detail = detail};
}

void Auditor::note(std::string const& action, std::string const& detail) {
  auto entry = system_entry(action, detail);
  if (!write({entry})) {
    write_late(std::move(entry));
  }
}

// The first from a source at once, then how many there were in some minutes: who guesses tokens
// must not be able to fill the disk.
void Auditor::wrong_token(web::Peer const& peer) {
  auto source = peer.user ? "unix user " + std::to_string(peer.user->id) : peer.address;
  if (wrong_tokens_.size() >= most_sources && !wrong_tokens_.contains(source)) {
    source = every_other_source;
  }
  ++wrong_tokens_[source].untold;
  tell_wrong_tokens(false);
  if (!tally_) {
    tally_ = clock_.wake_at(clock_.now() + wrong_tokens_told_every, [this] {
      tally_.reset();
      tell_wrong_tokens(false);
    });
  }
}

void Auditor::tell_wrong_tokens(bool all) {
  auto const now = clock_.now();
  for (auto& [source, tries] : wrong_tokens_) {
    bool const due = all || now - tries.told >= wrong_tokens_told_every;
    if (tries.untold == 0 || !due) {
      continue;
    }
    AuditEntry entry{.at = now,
                     .kind = "auth",
                     .action = "session.refused",
                     .outcome = "denied",
                     .problem = "unauthenticated",
                     .source = source,
                     .count = tries.untold};
    tries = {.told = now, .untold = 0};
    if (!write({entry})) {
      write_late(std::move(entry));
    }
  }
  std::erase_if(wrong_tokens_, [now](auto const& entry) {
    return entry.second.untold == 0 && now - entry.second.told >= wrong_tokens_told_every;
  });
}

void Auditor::grown() {
  catch_up();
  sealer_.grown();
}

void Auditor::close() {
  tell_wrong_tokens(true);
  note("daemon.stopped", "in order");
  catch_up();
  (void)sealer_.seal();
}

// --- writing

Result<void> Auditor::write(std::vector<AuditEntry> const& entries, KeptAnswer const* answer) {
  auto& audit = store_.audit();
  auto written = store::guarded([&]() -> Result<void> {
    return audit.append(
        entries,
        answer == nullptr ? std::function<void()>{} : [&] { store_.answers().write(*answer); });
  });
  if (!written) {
    failed(written.error());
    bool const broken = written.error().code == ErrorCode::store_broken;
    return tl::unexpected(broken ? written.error() : not_recorded(written.error()));
  }
  catch_up();
  sealer_.grown();
  auto const now = clock_.now();
  if (now - forgot_answers_ > answers_forgotten_every) {
    forgot_answers_ = now;
    (void)store_.answers().forget_old(now);
  }
  return {};
}

void Auditor::failed(Error const& error) {
  ++failures_;
  log_warning("audit: " + error.detail, {{"try", error.next}});
  trouble_(error);
}

void Auditor::write_late(AuditEntry entry) {
  if (late_.size() >= most_late) {
    ++lost_;
    return;
  }
  entry.late = true;
  late_.push_back(std::move(entry));
  if (!again_) {
    again_ = clock_.wake_at(clock_.now() + tried_again_after, [this] {
      again_.reset();
      catch_up();
    });
  }
}

void Auditor::catch_up() {
  if (late_.empty()) {
    return;
  }
  auto entries = std::exchange(late_, {});
  if (lost_ > 0) {
    entries.push_back(system_entry("audit.lost",
                                   "more entries waited for the store than fit into "
                                   "memory"));
    entries.back().count = lost_;
  }
  auto const written = store::guarded([&] { return store_.audit().append(entries); });
  if (written) {
    lost_ = 0;
    sealer_.grown();
    return;
  }
  if (lost_ > 0) {
    entries.pop_back();
  }
  late_ = std::move(entries);
  if (written.error().code == ErrorCode::store_broken) {
    trouble_(written.error());
  } else if (!again_) {
    again_ = clock_.wake_at(clock_.now() + tried_again_after, [this] {
      again_.reset();
      catch_up();
    });
  }
}

std::string audit_key_path(std::string const& store) { return store + ".audit-key"; }

Result<store::SigningKey> audit_key(store::Store& store, std::string const& path) {
  return store::SigningKey::load_or_make(audit_key_path(path), "runbookd/" + store.id());
}

}  // namespace runbookd::daemon
