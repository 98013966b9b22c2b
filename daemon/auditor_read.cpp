// What the audit tells: searched, exported, looked through.
#include <algorithm>

#include <nlohmann/json.hpp>

#include "daemon/auditor.h"
#include "store/audit_lines.h"

namespace runbookd::daemon {

using nlohmann::json;
using planner::Error;
using planner::Result;
using web::Document;

namespace {

constexpr int entries_in_a_part = 500;
// So many are looked at before others have their turn.
constexpr int entries_in_a_turn = 2'000;

std::string spelled(json const& document) {
  return document.dump(-1, ' ', false, json::error_handler_t::replace);
}

// The entry as it was written, with its hash among its members.
std::string with_hash(store::AuditRow const& row) {
  return row.text.substr(0, row.text.size() - 1) + R"(,"hash":")" + row.hash + "\"}";
}

}  // namespace

// A look through the whole audit, and through the runs' events that it holds the hashes of. In
// turns, so that nobody waits for it.
class Auditor::Verifying {
 public:
  Verifying(Auditor& auditor, web::Told told)
      : auditor_(auditor),
        walk_(auditor.store_.audit(), auditor.origin()),
        runs_(auditor.store_.journal().list({.limit = -1})),
        told_(std::move(told)) {}

  void go_on(std::shared_ptr<Verifying> const& self) {
    auto const more = store::guarded([this]() -> Result<bool> { return turn(); });
    if (more && *more) {
      turn_ = auditor_.clock_.wake_at(auditor_.clock_.now(), [this, self] { go_on(self); });
      return;
    }
    if (!more) {
      auditor_.failed(more.error());
    }
    told_(more ? Result<Document>(document()) : tl::unexpected(more.error()));
    auditor_.verifying_.erase(self);
  }

 private:
  bool turn() {
    if (entries_left_) {
      entries_left_ = walk_.next(entries_in_a_turn);
      problem_ = walk_.problem();
      return problem_.empty();
    }
    if (runs_.empty()) {
      return false;
    }
    auto const run = std::move(runs_.back());
    runs_.pop_back();
    ++runs_seen_;
    if (auto const wrong = auditor_.store_.journal().verify(run.id); wrong != 0) {
      problem_ = "the record of run " + run.id.text + " does not fit together from event " +
                 std::to_string(wrong) + " on";
    }
    return problem_.empty();
  }

  Document document() const {
    auto const& file = walk_.file();
    json found = {{"ok", problem_.empty()},
                  {"origin", auditor_.origin()},
                  {"key", store::to_text(auditor_.sealer_.key())},
                  {"entries", file.entries()},
                  {"hash", file.hash()},
                  {"checkpoints", file.checkpoints()},
                  {"runs", runs_seen_}};
    if (!file.last_note().empty()) {
      found["checkpoint"] = file.last_note();
    }
    if (!problem_.empty()) {
      found["problem"] = problem_;
    }
    return {.json = spelled(found)};
  }

  Auditor& auditor_;
  store::AuditWalk walk_;
  std::vector<store::RunSummary> runs_;
  web::Told told_;
  std::unique_ptr<Alarm> turn_;
  std::string problem_;
  std::int64_t runs_seen_ = 0;
  bool entries_left_ = true;
};

Result<Document> Auditor::search(web::AuditQuery const& query) {
  return store::guarded([&]() -> Result<Document> {
    auto const rows = store_.audit().find({.actor = query.actor,
                                           .action = query.action,
                                           .run = query.run,
                                           .outcome = query.outcome,
                                           .since = query.since,
                                           .until = query.until,
                                           .before = query.before,
                                           .limit = query.limit});
    std::string list = R"({"entries":[)";
    for (auto const& row : rows) {
      list += (list.back() == '[' ? "" : ",") + with_hash(row);
    }
    list += ']';
    if (std::ssize(rows) == query.limit && rows.back().seq > 1) {
      list += R"(,"next_cursor":")" + std::to_string(rows.back().seq) + '"';
    }
    return Document{.json = list + '}'};
  });
}

Result<Document> Auditor::key() {
  return store::guarded([&]() -> Result<Document> {
    (void)sealer_.seal();
    auto const last = store_.audit().last_checkpoint();
    json document = {{"origin", origin()}, {"key", store::to_text(sealer_.key())}};
    if (last) {
      document["entries"] = last->entries;
      document["checkpoint"] = last->note;
    }
    return Document{.json = spelled(document)};
  });
}

void Auditor::verify(web::Told told) {
  std::shared_ptr<Verifying> walk;
  auto const begun = store::guarded([&] {
    (void)sealer_.seal();
    walk = std::make_shared<Verifying>(*this, told);
  });
  if (!begun) {
    told(tl::unexpected(begun.error()));
    return;
  }
  verifying_.insert(walk);
  walk->go_on(walk);
}

Result<Auditor::Proof> Auditor::proof_of(planner::RunId const& run) {
  return expect_recorded().and_then([this] { return sealer_.seal(); }).and_then([&] {
    return store::guarded([&]() -> Result<Proof> {
      Proof proof{.entries = store_.audit().find({.run = run.text, .limit = -1}),
                  .key = store::to_text(sealer_.key()),
                  .checkpoint = {}};
      std::ranges::reverse(proof.entries);
      if (auto last = store_.audit().last_checkpoint()) {
        proof.checkpoint = std::move(last->note);
      }
      return proof;
    });
  });
}

// That somebody takes it along is its last entry but one, and a checkpoint covers all of it.
Result<web::Parts> Auditor::read_out() {
  return expect_recorded().and_then([this] { return sealer_.seal(); }).and_then([this] {
    return store::guarded([this]() -> Result<web::Parts> {
      auto const lines = std::make_shared<store::AuditLines>(store_.audit(), origin());
      auto const more = std::make_shared<bool>(true);
      return web::Parts([lines, more]() -> Result<std::string> {
        std::string part;
        auto const read = store::guarded([&] {
          if (*more) {
            *more = lines->next(entries_in_a_part,
                                [&part](std::string const& line) { part += line + '\n'; });
          }
        });
        return read ? Result<std::string>(std::move(part)) : tl::unexpected(read.error());
      });
    });
  });
}

}  // namespace runbookd::daemon
