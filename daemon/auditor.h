// Keeps the audit: an entry for each request that wants a change, durable together with what it
// changes, and for what the daemon itself does. What goes on is refused where its entry cannot be
// written; what stops is done all the same, and its entry follows, marked late.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "daemon/audit_seal.h"
#include "store/store.h"
#include "web/audit.h"
#include "web/gatekeeper.h"
#include "web/service.h"

namespace runbookd::daemon {

class Auditor final : public web::Auditor {
 public:
  // `trouble` is told when the store does not answer.
  Auditor(store::Store& store, Clock& clock, store::SigningKey key,
          std::function<void(planner::Error const&)> trouble);
  ~Auditor() override;

  std::unique_ptr<web::Recording> begin(web::Asked const& asked,
                                        std::optional<web::Keyed> const& keyed) override;
  planner::Result<std::optional<web::Response>> answered(web::Keyed const& keyed) override;
  planner::Result<web::Document> search(web::AuditQuery const& query) override;
  planner::Result<web::Document> key() override;
  void verify(web::Told told) override;
  planner::Result<web::Parts> read_out() override;

  struct Proof {
    std::vector<store::AuditRow> entries;  // about the run, in their order
    std::string key, checkpoint;           // over all of them
  };
  planner::Result<Proof> proof_of(planner::RunId const& run);

  // --- said of the request at hand; while there is none, nothing happens
  void concerns(planner::RunId const& run);
  void asked_by(std::string const& actor, std::string const& roles, std::string const& token);
  void says(std::string const& detail);
  // Another entry that becomes durable with its own.
  void also(std::string const& action, std::string const& detail);
  // What is kept for whoever asks again, made within the change's transaction. `secret`: the answer
  // that goes out holds more than may be kept.
  void will_answer(std::function<web::Response()> answer, bool secret = false);
  // For what is no change of the store: its entry is durable now, or it must not be done.
  planner::Result<void> expect_recorded();

  // --- what nobody asked for
  // The daemon begins; `identity`: how it tells callers apart.
  void open(std::string const& identity);
  void note(std::string const& action, std::string const& detail);
  void wrong_token(web::Peer const& peer);
  // The runs have recorded something.
  void grown();
  // For the end of the program.
  void close();

  bool behind() const {
    return !late_.empty();
  }  // entries wait in memory until the store takes them
  std::int64_t failures() const { return failures_; }
  std::size_t waiting() const { return late_.size(); }

 private:
  class Entry;
  class Verifying;
  struct WrongTokens {
    planner::Moment told{};
    std::int64_t untold = 0;
  };

  planner::Result<void> write(std::vector<store::AuditEntry> const& entries,
                              store::KeptAnswer const* answer = nullptr);
  static planner::Error not_recorded(planner::Error const& why);
  void write_late(store::AuditEntry entry);
  void catch_up();
  void tell_wrong_tokens(bool all);
  store::AuditEntry system_entry(std::string const& action, std::string const& detail) const;
  void failed(planner::Error const& error);
  std::string origin() const { return sealer_.key().name; }

  store::Store& store_;
  Clock& clock_;
  std::function<void(planner::Error const&)> trouble_;
  Sealer sealer_;
  Entry* at_hand_ = nullptr;
  std::set<std::string> under_way_;  // the scopes of keyed requests
  std::vector<store::AuditEntry> late_;
  std::int64_t failures_ = 0, lost_ = 0;
  std::map<std::string, WrongTokens> wrong_tokens_;  // by source
  planner::Moment forgot_answers_{};
  std::unique_ptr<Alarm> again_, tally_;
  std::set<std::shared_ptr<Verifying>> verifying_;
};

std::string audit_key_path(std::string const& store);
planner::Result<store::SigningKey> audit_key(store::Store& store, std::string const& path);

}  // namespace runbookd::daemon
