#include "daemon/auditor.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "daemon/chance.h"
#include "daemon/logging.h"
#include "web/body.h"

namespace runbookd::daemon {

using planner::Error;
using planner::ErrorCode;
using planner::Moment;
using planner::Result;
using store::AuditEntry;
using store::KeptAnswer;
using web::Response;

namespace {

constexpr std::size_t request_id_bytes = 8;
constexpr std::size_t most_late = 10'000;
constexpr std::size_t most_sources = 1'000;
constexpr auto tried_again_after = std::chrono::seconds{1};
constexpr auto wrong_tokens_told_every = std::chrono::minutes{10};
constexpr auto answers_forgotten_every = std::chrono::minutes{10};
constexpr auto every_other_source = "other sources";

AuditEntry entry_of(web::Asked const& asked, Moment now) {
  return {.at = now,
          .kind = asked.kind,
          .action = asked.action,
          .outcome = "allowed",
          .actor = asked.actor,
          .proven = asked.proven,
          .roles = asked.roles,
          .auth = asked.auth,
          .token = asked.token,
          .source = asked.source,
          .agent = asked.agent,
          .request = Chance::secret(request_id_bytes),
          .method = asked.method,
          .path = asked.path,
          .run = asked.run,
          .phase = asked.phase,
          .step = asked.step,
          .reason = asked.reason,
          .ticket = asked.ticket,
          .saw = asked.saw};
}

bool is_refusal(Response const& response) { return response.status >= 400; }

bool was_replayed(Response const& response) {
  return std::ranges::any_of(response.headers, [](web::Header const& header) {
    return header.name == "Idempotency-Replayed";
  });
}

std::string outcome_of(Response const& response) {
  if (was_replayed(response)) {
    return "replayed";
  }
  if (!is_refusal(response)) {
    return "allowed";
  }
  return response.status == 401 || response.status == 403 ? "denied" : "failed";
}

// A decision, so that a duplicate which comes late cannot do what this one did not.
bool is_kept(Response const& response) {
  auto const status = response.status;
  return (status >= 200 && status < 300) || status == 409 || status == 412 || status == 422;
}

std::string kept_headers(Response const& response) {
  std::string lines;
  for (auto const& [name, value] : response.headers) {
    if (name == "ETag" || name == "Location" || name == "Retry-After") {
      lines += name + ": " + value + '\n';
    }
  }
  return lines;
}

KeptAnswer kept(web::Keyed const& keyed, Response const& response, Moment now) {
  return {.scope = keyed.scope,
          .fingerprint = keyed.fingerprint,
          .at = now,
          .status = response.status,
          .headers = kept_headers(response),
          .body = response.body};
}

Response answer_from(KeptAnswer const& kept) {
  Response response{.status = kept.status, .body = kept.body};
  if (kept.status >= 400) {
    response.content_type = "application/problem+json";
  }
  std::string_view rest = kept.headers;
  while (!rest.empty()) {
    auto const line = rest.substr(0, rest.find('\n'));
    auto const colon = line.find(": ");
    response.headers.push_back(
        {std::string(line.substr(0, colon)), std::string(line.substr(colon + 2))});
    rest.remove_prefix(line.size() + 1);
  }
  return response;
}

Error not_recorded(Error const& why) {
  return {.code = ErrorCode::audit_unavailable,
          .detail = "the audit takes no entry, so nothing was done: " + why.detail,
          .next = why.next};
}

}  // namespace

// Of one request. Its row comes to be with the change, or when it is answered.
class Auditor::Entry final : public web::Recording {
 public:
  Entry(Auditor& auditor, web::Asked const& asked, std::optional<web::Keyed> keyed)
      : auditor_(auditor),
        stops_(asked.stops),
        is_login_(asked.action == "session.create"),
        entry_(entry_of(asked, auditor.clock_.now())),
        keyed_(std::move(keyed)) {
    if (keyed_) {
      entry_.key = keyed_->key;
      auditor_.under_way_.insert(keyed_->scope);
    }
    (void)store::guarded([&] { auditor_.store_.audit().describe_before(entry_); });
    companion_.emplace(auditor_.store_.connection(), [this] { write_beside_change(); });
    auditor_.at_hand_ = this;
  }
  ~Entry() override {
    leave();
    if (keyed_) {
      auditor_.under_way_.erase(keyed_->scope);
    }
  }

  std::string const& id() const override { return entry_.request; }

  void leave() override {
    if (companion_) {
      durable_ = durable_ || companion_->is_durable();
      companion_.reset();
      auditor_.at_hand_ = nullptr;
      if (!durable_) {
        forget_after(entry_);  // it was seen in a transaction that was undone
      }
    }
  }

  Result<void> end(Response const& response) override {
    leave();
    if (durable_) {
      after_change(response);
      return {};
    }
    if (is_login_ && is_refusal(response)) {
      return {};  // of these only the number is kept
    }
    return write_alone(response);
  }

  Result<void> write_first() {
    leave();
    return auditor_.write(all()).map([this] { durable_ = true; });
  }

  AuditEntry& entry() { return entry_; }
  std::vector<AuditEntry>& more() { return more_; }
  void will_answer(std::function<Response()> answer, bool secret) {
    answer_ = std::move(answer);
    secret_ = secret;
  }

 private:
  std::vector<AuditEntry> all() const {
    std::vector<AuditEntry> entries{entry_};
    entries.insert(entries.end(), more_.begin(), more_.end());
    return entries;
  }

  // Within the transaction of the change. A store that takes the change and not its entry takes
  // neither.
  void write_beside_change() {
    auto const written = store::guarded([this] {
      auto& audit = auditor_.store_.audit();
      entry_.at = auditor_.clock_.now();
      audit.describe_after(entry_);
      for (auto const& entry : all()) {
        audit.write(entry);
      }
      if (keyed_ && answer_) {
        in_advance_ = kept(*keyed_, answer_(), entry_.at);
        auditor_.store_.answers().write(*in_advance_);
      }
    });
    if (!written) {
      bool const broken = written.error().code == ErrorCode::store_broken;
      throw store::StoreFailure(broken ? written.error() : not_recorded(written.error()));
    }
  }

  // What followed from the change at once is in the answer too, and in what is kept of it.
  void after_change(Response const& response) {
    if (is_refusal(response)) {
      entry_.outcome = outcome_of(response);
      entry_.status = response.status;
      entry_.problem = web::top_level_text(response.body, "code");
      entry_.at = auditor_.clock_.now();
      entry_.detail = "refused after the entry before was written";
      if (!auditor_.write({entry_})) {
        auditor_.write_late(entry_);
      }
    }
    auto const now = keyed_ && !secret_ && is_kept(response)
                         ? std::optional(kept(*keyed_, response, auditor_.clock_.now()))
                         : std::nullopt;
    bool const differs =
        now && (!in_advance_ || in_advance_->body != now->body ||
                in_advance_->status != now->status || in_advance_->headers != now->headers);
    if (differs) {
      (void)auditor_.store_.answers().keep(*now);
    }
    auditor_.sealer_.grown();
  }

  Result<void> write_alone(Response const& response) {
    entry_.at = auditor_.clock_.now();
    entry_.outcome = outcome_of(response);
    entry_.status = response.status;
    entry_.problem = is_refusal(response) ? web::top_level_text(response.body, "code") : "";
    if (!is_refusal(response)) {
      (void)store::guarded([this] { auditor_.store_.audit().describe_after(entry_); });
    }
    std::optional<KeptAnswer> answer;
    if (keyed_ && is_kept(response) && !secret_) {
      answer = kept(*keyed_, response, entry_.at);
    }
    auto written = auditor_.write(all(), answer ? &*answer : nullptr);
    if (written || !(is_refusal(response) || stops_)) {
      return written;
    }
    forget_after(entry_);
    auditor_.write_late(entry_);
    return {};
  }

  static void forget_after(AuditEntry& entry) {
    entry.after.reset();
    entry.events.clear();
  }

  Auditor& auditor_;
  bool const stops_;
  bool const is_login_;
  AuditEntry entry_;
  std::vector<AuditEntry> more_;
  std::optional<web::Keyed> keyed_;
  std::function<Response()> answer_;
  std::optional<KeptAnswer> in_advance_;
  bool secret_ = false;
  bool durable_ = false;
  std::optional<store::Companion> companion_;
};

Auditor::Auditor(store::Store& store, Clock& clock, store::SigningKey key,
                 std::function<void(Error const&)> trouble)
    : store_(store),
      clock_(clock),
      trouble_(std::move(trouble)),
      sealer_(store.audit(), clock, std::move(key), [this](Error const& error) { failed(error); }) {
}

Auditor::~Auditor() = default;

// --- requests

std::unique_ptr<web::Recording> Auditor::begin(web::Asked const& asked,
                                               std::optional<web::Keyed> const& keyed) {
  return std::make_unique<Entry>(*this, asked, keyed);
}

Result<std::optional<Response>> Auditor::answered(web::Keyed const& keyed) {
  if (under_way_.contains(keyed.scope)) {
    return tl::unexpected(Error{.code = ErrorCode::request_in_progress,
                                .detail = "the request with this Idempotency-Key is under way",
                                .next = "send it again in a moment",
                                .retry_after = 1});
  }
  auto const found = store_.answers().find(keyed.scope);
  if (!found) {
    failed(found.error());
    return tl::unexpected(found.error());
  }
  if (!*found) {
    return std::optional<Response>{};
  }
  if ((*found)->fingerprint != keyed.fingerprint) {
    return tl::unexpected(Error{.code = ErrorCode::idempotency_key_reused,
                                .detail = "this Idempotency-Key came at " +
                                          planner::to_rfc3339((*found)->at) +
                                          " with another body, query or If-Match",
                                .next = "make a new key for a new request"});
  }
  return std::optional(answer_from(**found));
}

void Auditor::concerns(planner::RunId const& run) {
  if (at_hand_ != nullptr) {
    at_hand_->entry().run = run.text;
  }
}

void Auditor::asked_by(std::string const& actor, std::string const& roles,
                       std::string const& token) {
  if (at_hand_ != nullptr) {
    auto& entry = at_hand_->entry();
    entry.actor = actor;
    entry.roles = roles;
    entry.token = token;
    entry.auth = "token";
  }
}

void Auditor::says(std::string const& detail) {
  if (at_hand_ != nullptr) {
    at_hand_->entry().detail = detail;
  }
}

void Auditor::also(std::string const& action, std::string const& detail) {
  if (at_hand_ != nullptr) {
    at_hand_->more().push_back(system_entry(action, detail));
  }
}

void Auditor::will_answer(std::function<Response()> answer, bool secret) {
  if (at_hand_ != nullptr) {
    at_hand_->will_answer(std::move(answer), secret);
  }
}

Result<void> Auditor::expect_recorded() {
  return at_hand_ == nullptr ? Result<void>{} : at_hand_->write_first();
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

// A key that is not the one of the last checkpoint is told: whoever compares keys must know why.
Result<store::SigningKey> audit_key(store::Store& store, std::string const& path) {
  return store::SigningKey::load_or_make(audit_key_path(path), "runbookd/" + store.id());
}

}  // namespace runbookd::daemon
