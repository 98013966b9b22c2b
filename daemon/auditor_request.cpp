// Requests on their way through the audit: an entry for each, and the answers that are kept for
// those who ask again.
#include <algorithm>
#include <memory>
#include <utility>

#include "daemon/auditor.h"
#include "daemon/chance.h"
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
    (void)store::guarded([this] { auditor_.store_.audit().describe_after(entry_); });
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

}  // namespace runbookd::daemon
