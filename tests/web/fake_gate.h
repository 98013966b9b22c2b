// A gatekeeper that lets everybody in as whom the test wants: at first as local mode does.
#pragma once

#include <string>

#include "web/gatekeeper.h"

namespace runbookd::web::test {

class FakeGate : public Gatekeeper {
 public:
  Caller caller = everybody();
  std::string asked;  // what was asked last

  static Caller everybody() {
    return {.principal = {.name = "local",
                          .grants = {{.role = planner::Role::operator_},
                                     {.role = planner::Role::admin}},
                          .proven = false},
            .by = Caller::By::local};
  }

  Caller identify(Request const&, Peer const&) override { return caller; }
  planner::Result<std::string> create_token(TokenRequest const& wanted,
                                            std::string const& by) override {
    asked = "create_token " + wanted.principal + " by " + by;
    return R"({"token":"0123abcd"})";
  }
  planner::Result<std::string> list_tokens() override { return R"({"tokens":[]})"; }
  planner::Result<std::string> revoke_token(std::string const& id, std::string const& by) override {
    asked = "revoke_token " + id + " by " + by;
    return R"({"token":"0123abcd"})";
  }
  planner::Result<Session> open_session(std::string const& token, Peer const&) override {
    asked = "open_session " + token;
    return Session{.secret = "c00c1e", .lasts = std::chrono::hours{8}};
  }
  void end_session(Request const&, Peer const&) override { asked = "end_session"; }
};

}  // namespace runbookd::web::test
