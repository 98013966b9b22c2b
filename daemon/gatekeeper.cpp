#include "daemon/gatekeeper.h"

#include <algorithm>

#include <unistd.h>

#include "daemon/access_documents.h"
#include "daemon/chance.h"
#include "daemon/local_user.h"
#include "daemon/logging.h"
#include "planner/digest.h"
#include "web/body.h"
#include "web/conditional.h"
#include "web/http.h"

namespace runbookd::daemon {

using planner::Duration;
using planner::Error;
using planner::ErrorCode;
using planner::Grant;
using planner::Moment;
using planner::Result;
using planner::Role;
using store::StoredToken;
using web::Caller;
using web::Peer;

namespace {

constexpr std::size_t id_bytes = 4, secret_bytes = 32, session_bytes = 32;
constexpr auto used_is_noted_every = std::chrono::minutes{1};
constexpr auto wrong_is_told_every = std::chrono::minutes{1};
constexpr Duration idle_session{std::chrono::minutes{15}};
constexpr Duration longest_session{std::chrono::hours{8}};
// Everybody from outside a user namespace has this number in it.
constexpr uid_t whom_the_kernel_cannot_tell = 65'534;
constexpr std::size_t most_sessions = 1'024;

struct TokenParts {
  std::string id, secret;
};

bool is_hex(std::string_view text, std::size_t digits) {
  return text.size() == digits &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// "rbd_<id>_<secret>"
std::optional<TokenParts> parts_of(std::string const& text) {
  constexpr std::string_view head = "rbd_";
  auto const second = text.find('_', head.size());
  if (!text.starts_with(head) || second == std::string::npos) {
    return std::nullopt;
  }
  TokenParts parts{.id = text.substr(head.size(), second - head.size()),
                   .secret = text.substr(second + 1)};
  bool const whole = is_hex(parts.id, 2 * id_bytes) && is_hex(parts.secret, 2 * secret_bytes);
  return whole ? std::optional(std::move(parts)) : std::nullopt;
}

std::string place_of(Peer const& peer) {
  return peer.user ? "user " + std::to_string(peer.user->id) : "address " + peer.address;
}

planner::Principal principal_of(StoredToken const& token) {
  return {.name = token.principal, .grants = token.grants};
}

Error not_valid(std::string const& why) {
  return {.code = ErrorCode::unauthenticated,
          .detail = why,
          .next = "runbookctl login, with a token from: runbookctl token create"};
}

bool owns_the_daemon(Peer::User const& user) { return user.id == 0 || user.id == geteuid(); }

}  // namespace

Result<std::string> add_token(store::Tokens& tokens, web::TokenRequest const& wanted,
                              std::string const& by, Moment now, AboutToKeep const& about_to_keep) {
  auto grants = planner::read_grants(wanted.roles);
  if (!grants) {
    return tl::unexpected(std::move(grants.error()));
  }
  auto id = Chance::secret(id_bytes);
  for (auto taken = tokens.find(id); taken && *taken; taken = tokens.find(id)) {
    id = Chance::secret(id_bytes);
  }
  auto const secret = Chance::secret(secret_bytes);
  StoredToken token{.id = id,
                    .hash = planner::sha256_hex(secret),
                    .name = wanted.name,
                    .principal = wanted.principal,
                    .grants = *std::move(grants),
                    .created = now,
                    .created_by = by};
  if (wanted.lasts) {
    token.expires = now + *wanted.lasts;
  }
  about_to_keep(token);
  return tokens.put(token).map([&] { return new_token_json(token, "rbd_" + id + "_" + secret); });
}

std::string words_of(StoredToken const& token) {
  return "token " + token.id + " for " + token.principal + " (" + planner::to_text(token.grants) +
         (token.expires ? "), until " + planner::to_rfc3339(*token.expires) : ")");
}

Result<std::string> end_token(store::Tokens& tokens, std::string const& id, std::string const& by,
                              Moment now) {
  auto const found = tokens.find(id);
  if (found && !*found) {
    return tl::unexpected(Error{.code = ErrorCode::not_found,
                                .detail = "there is no token " + id,
                                .next = "runbookctl token list"});
  }
  return tokens.revoke(id, now, by).and_then([&] {
    return tokens.find(id).map([](auto const& token) { return token_json(*token); });
  });
}

bool Gatekeeper::local_mode() {
  // a store that does not answer lets nobody in
  has_tokens_ = has_tokens_ || tokens_.any().value_or(true);
  return access_.empty() && !has_tokens_;
}

Result<void> Gatekeeper::keep_local_mode_ended() {
  auto const any = tokens_.any();
  if (access_.empty() || !any || *any) {
    return any ? Result<void>() : tl::unexpected(any.error());
  }
  auto const now = clock_.now();
  StoredToken const nobodys{
      .id = Chance::secret(id_bytes),
      .hash = planner::sha256_hex(Chance::secret(secret_bytes)),
      .name = "access: in the settings ended local mode; nobody has this token",
      .principal = "nobody",
      .grants = {},
      .created = now,
      .created_by = "runbookd"};
  return tokens_.put(nobodys)
      .and_then([&] { return tokens_.revoke(nobodys.id, now, "runbookd"); })
      .map([] {
        log_warning("local mode has ended for good: users stand in the settings (access:)");
      });
}

Caller Gatekeeper::identify(web::Request const& head, Peer const& peer) {
  if (local_mode()) {
    return unproven(head, peer);
  }
  if (head.count("authorization") > 0) {
    auto const token = valid_token(web::bearer_of(head), peer);
    if (!token) {
      return {.refusal = token.error()};
    }
    return {.principal = principal_of(*token), .by = Caller::By::token, .token = token->id};
  }
  if (auto const cookie = web::cookie_of(head, peer); !cookie.empty()) {
    auto caller = by_session(cookie);
    return caller ? *std::move(caller) : Caller{.refusal = caller.error()};
  }
  return peer.user ? user_of_this_machine(*peer.user) : Caller{};
}

// Nobody is asked for a proof: the name is what each says of himself.
Caller Gatekeeper::unproven(web::Request const& head, Peer const& peer) const {
  Caller caller{.principal = {.proven = false}, .by = Caller::By::local};
  caller.principal.name = web::declared_actor(head).value_or("local");
  caller.principal.grants = {Grant{.role = Role::operator_}, Grant{.role = Role::approver}};
  if (peer.user && owns_the_daemon(*peer.user)) {
    caller.principal.grants.push_back(Grant{.role = Role::admin});
  }
  return caller;
}

Caller Gatekeeper::user_of_this_machine(Peer::User const& id) const {
  if (id.id == whom_the_kernel_cannot_tell) {
    return {};
  }
  auto const user = local_user(id.id, id.group);
  Caller caller{.by = Caller::By::peer};
  caller.principal.name = "unix:" + user.name;
  auto& grants = caller.principal.grants;
  if (owns_the_daemon(id)) {
    grants.push_back(Grant{.role = Role::admin});
  }
  auto const add = [&grants](config::GrantsByName const& listed, std::string const& name) {
    if (auto const found = listed.find(name); found != listed.end()) {
      grants.insert(grants.end(), found->second.begin(), found->second.end());
    }
  };
  add(access_.users, user.name);
  for (auto const& group : user.groups) {
    add(access_.groups, group);
  }
  return caller;
}

Result<StoredToken> Gatekeeper::valid_token(std::string const& text, Peer const& peer) {
  auto const parts = parts_of(text);
  if (!parts) {
    return tl::unexpected(wrong_token("", peer));
  }
  auto found = tokens_.find(parts->id);
  if (!found) {
    trouble_(found.error());
    return tl::unexpected(std::move(found.error()));
  }
  // of a token that is not there, too, a hash is made and compared
  auto const hash = planner::sha256_hex(parts->secret);
  bool const right = planner::same_digest(hash, *found ? (*found)->hash : std::string(64, '0'));
  if (!*found || !right) {
    return tl::unexpected(wrong_token(*found ? parts->id : "", peer));
  }
  auto valid = still_valid(**std::move(found));
  if (valid) {
    note_use(*valid);
  } else {
    auditor_.wrong_token(peer);
  }
  return valid;
}

// Told to whoever has shown the secret only.
Result<StoredToken> Gatekeeper::still_valid(StoredToken token) const {
  if (token.revoked) {
    return tl::unexpected(not_valid("token " + token.id + " was revoked at " +
                                    planner::to_rfc3339(*token.revoked) + " by " +
                                    token.revoked_by));
  }
  if (token.expires && *token.expires <= clock_.now()) {
    return tl::unexpected(
        not_valid("token " + token.id + " expired at " + planner::to_rfc3339(*token.expires)));
  }
  return token;
}

// A right token is never kept waiting: nobody guesses 256 bits, and otherwise whoever knows a
// token's id, or shares an address, could keep somebody from pausing a run.
Error Gatekeeper::wrong_token(std::string const& id, Peer const& peer) {
  auditor_.wrong_token(peer);
  auto const now = clock_.now();
  auto const place = place_of(peer);
  tell_wrong(place, now);
  penalties_.add(place, now);
  auto owed = penalties_.owed(place, now);
  if (!id.empty()) {
    penalties_.add("token " + id, now);
    owed = std::max(owed, penalties_.owed("token " + id, now));
  }
  if (owed == Duration{}) {
    return not_valid("the token that was sent is not one of this daemon's");
  }
  auto const seconds = static_cast<int>(std::chrono::ceil<std::chrono::seconds>(owed).count());
  return {.code = ErrorCode::rate_limited,
          .detail = "too many wrong tokens came from here; the next may be tried in " +
                    std::to_string(seconds) + " s",
          .next = "runbookctl login, with a token from: runbookctl token create",
          .retry_after = seconds};
}

// Once a minute at most, however many come.
void Gatekeeper::tell_wrong(std::string const& place, Moment now) {
  ++wrong_untold_;
  if (now - wrong_told_ < wrong_is_told_every) {
    return;
  }
  log_warning("a token came that is not one of this daemon's",
              {{"from", place}, {"since_told", std::to_string(wrong_untold_)}});
  wrong_told_ = now;
  wrong_untold_ = 0;
}

void Gatekeeper::note_use(StoredToken const& token) {
  auto const now = clock_.now();
  auto& noted = use_noted_[token.id];
  if (now - noted < used_is_noted_every) {
    return;
  }
  noted = now;
  (void)tokens_.used(token.id, now);  // a full store keeps nobody out
}

// --- tokens by the API

Result<std::string> Gatekeeper::create_token(web::TokenRequest const& wanted,
                                             std::string const& by) {
  bool const was_local = local_mode();
  auto const made =
      told(add_token(tokens_, wanted, by, clock_.now(), [&](StoredToken const& token) {
        auditor_.says(words_of(token));
        auditor_.will_answer(
            [token] { return web::Response{.status = 201, .body = token_json(token)}; }, true);
        if (was_local) {
          auditor_.also("local-mode.ended", "the first token was made");
        }
      }));
  if (made) {
    log_info("token made", {{"token", web::top_level_text(*made, "token")},
                            {"principal", wanted.principal},
                            {"by", by}});
  }
  if (made && was_local) {
    log_warning("local mode has ended for good: the first token was made", {{"by", by}});
  }
  return made;
}

Result<std::string> Gatekeeper::list_tokens() {
  return told(tokens_.list().map(
      [](std::vector<StoredToken> const& tokens) { return token_list_json(tokens); }));
}

Result<std::string> Gatekeeper::revoke_token(std::string const& id, std::string const& by) {
  return told(end_token(tokens_, id, by, clock_.now())).map([&](std::string document) {
    log_info("token revoked", {{"token", id}, {"by", by}});
    return document;
  });
}

Result<std::string> Gatekeeper::told(Result<std::string> answer) const {
  if (!answer) {
    trouble_(answer.error());
  }
  return answer;
}

// --- the console's sessions: in memory only, so that no file holds what would let somebody in

Result<web::Session> Gatekeeper::open_session(std::string const& text, Peer const& peer) {
  auto const token = valid_token(text, peer);
  if (!token) {
    return tl::unexpected(token.error());
  }
  auditor_.asked_by(token->principal, planner::to_text(token->grants), token->id);
  if (auto recorded = auditor_.expect_recorded(); !recorded) {
    return tl::unexpected(std::move(recorded.error()));
  }
  forget_old_sessions();
  auto const now = clock_.now();
  auto const secret = Chance::secret(session_bytes);
  sessions_[planner::sha256_hex(secret)] = {
      .token = token->id, .csrf = Chance::secret(session_bytes), .began = now, .last_seen = now};
  return web::Session{.secret = secret, .lasts = longest_session};
}

void Gatekeeper::end_session(web::Request const& head, Peer const& peer) {
  sessions_.erase(planner::sha256_hex(web::cookie_of(head, peer)));
}

Result<Caller> Gatekeeper::by_session(std::string const& secret) {
  auto const now = clock_.now();
  auto const found = sessions_.find(planner::sha256_hex(secret));
  bool const over = found == sessions_.end() || now - found->second.last_seen > idle_session ||
                    now - found->second.began > longest_session;
  if (over) {
    return tl::unexpected(not_valid("this browser is not logged in, or not any more"));
  }
  auto token = tokens_.find(found->second.token);
  if (!token || !*token) {
    return tl::unexpected(token ? not_valid("the token of this session is gone") : token.error());
  }
  auto const valid = still_valid(**token);
  if (!valid) {
    return tl::unexpected(valid.error());
  }
  found->second.last_seen = now;
  return Caller{.principal = principal_of(*valid),
                .by = Caller::By::session,
                .token = valid->id,
                .csrf = found->second.csrf};
}

// Those that are over; where that is not enough, the one that was used longest ago.
void Gatekeeper::forget_old_sessions() {
  auto const now = clock_.now();
  std::erase_if(sessions_, [now](auto const& entry) {
    return now - entry.second.last_seen > idle_session ||
           now - entry.second.began > longest_session;
  });
  if (sessions_.size() >= most_sessions) {
    sessions_.erase(std::ranges::min_element(
        sessions_, {}, [](auto const& entry) { return entry.second.last_seen; }));
  }
}

}  // namespace runbookd::daemon
