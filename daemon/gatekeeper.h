// Who is asking, from what they show: a token, the console's cookie, or the system's word for a
// user of this machine.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "config/settings.h"
#include "daemon/auditor.h"
#include "daemon/clock.h"
#include "daemon/penalties.h"
#include "store/tokens.h"
#include "web/gatekeeper.h"

namespace runbookd::daemon {

class Gatekeeper final : public web::Gatekeeper {
 public:
  // `trouble` is told when the store does not answer.
  Gatekeeper(store::Tokens& tokens, config::AccessSettings const& access, Clock& clock,
             Auditor& auditor, std::function<void(planner::Error const&)> trouble)
      : tokens_(tokens),
        access_(access),
        clock_(clock),
        auditor_(auditor),
        trouble_(std::move(trouble)) {}

  // Nobody is asked for anything: no token was ever made and no user is listed.
  bool local_mode();
  // Once users stood in the settings, taking them out again must not let everybody in: the store
  // keeps a token that nobody has.
  planner::Result<void> keep_local_mode_ended();

  web::Caller identify(web::Request const& head, web::Peer const& peer) override;
  planner::Result<std::string> create_token(web::TokenRequest const& wanted,
                                            std::string const& by) override;
  planner::Result<std::string> list_tokens() override;
  planner::Result<std::string> revoke_token(std::string const& id, std::string const& by) override;
  planner::Result<web::Session> open_session(std::string const& token,
                                             web::Peer const& peer) override;
  void end_session(web::Request const& head, web::Peer const& peer) override;

 private:
  struct KeptSession {
    std::string token, csrf;
    planner::Moment began{}, last_seen{};
  };

  planner::Result<store::StoredToken> valid_token(std::string const& text, web::Peer const& peer);
  planner::Result<store::StoredToken> still_valid(store::StoredToken token) const;
  planner::Error wrong_token(std::string const& id, web::Peer const& peer);
  planner::Result<web::Caller> by_session(std::string const& secret);
  planner::Result<std::string> told(planner::Result<std::string> answer) const;
  void tell_wrong(std::string const& place, planner::Moment now);
  void note_use(store::StoredToken const& token);
  web::Caller unproven(web::Request const& head, web::Peer const& peer) const;
  web::Caller user_of_this_machine(web::Peer::User const& user) const;
  void forget_old_sessions();

  store::Tokens& tokens_;
  config::AccessSettings const& access_;
  Clock& clock_;
  Auditor& auditor_;
  std::function<void(planner::Error const&)> trouble_;
  bool has_tokens_ = false;  // nobody else writes the store, and a token's row stays for good
  Penalties penalties_;
  int wrong_untold_ = 0;
  planner::Moment wrong_told_{};
  std::map<std::string, planner::Moment> use_noted_;  // by a token's id
  std::map<std::string, KeptSession> sessions_;       // by the hash of the cookie's value
};

// What the API and the command on the host do alike; each gives the token's document.
std::string words_of(store::StoredToken const& token);
using AboutToKeep = std::function<void(store::StoredToken const&)>;
planner::Result<std::string> add_token(store::Tokens& tokens, web::TokenRequest const& wanted,
                                       std::string const& by, planner::Moment now,
                                       AboutToKeep const& about_to_keep);
planner::Result<std::string> end_token(store::Tokens& tokens, std::string const& id,
                                       std::string const& by, planner::Moment now);

}  // namespace runbookd::daemon
