// Who is asking. daemon/ implements it; called on the I/O thread only, and answers at once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "planner/access.h"
#include "planner/error.h"
#include "planner/time.h"

namespace runbookd::web {

struct Request;

// The other end of a connection.
struct Peer {
  std::string address;  // of TCP, without the port
  struct User {
    std::uint32_t id = 0, group = 0;
  };
  std::optional<User> user;  // of a Unix socket: the system vouches for it
  bool secure = false;       // by TLS
};

struct Caller {
  planner::Principal principal;
  // nobody: nothing was shown. local: nobody is asked for anything. peer: the system vouches for a
  // user of this machine.
  enum class By { nobody, local, peer, token, session } by = By::nobody;
  std::string token;  // its id; of a session: of the token that began it
  std::string csrf;   // of a session: what its requests that change something have to send along
  // Something was shown and is not valid, or too much of that came: the answer to whatever needs a
  // known caller.
  std::optional<planner::Error> refusal;
};

std::string_view to_text(Caller::By by);

struct TokenRequest {
  std::string name, principal;
  std::vector<std::string> roles;  // "operator@billing-*"
  std::optional<planner::Duration> lasts;
};

struct Session {
  std::string secret;  // the cookie's value
  planner::Duration lasts{};
};

class Gatekeeper {
 public:
  virtual ~Gatekeeper() = default;

  virtual Caller identify(Request const& head, Peer const& peer) = 0;

  // The document of a new token holds its text, which is shown this once.
  virtual planner::Result<std::string> create_token(TokenRequest const& wanted,
                                                    std::string const& by) = 0;
  virtual planner::Result<std::string> list_tokens() = 0;
  virtual planner::Result<std::string> revoke_token(std::string const& id,
                                                    std::string const& by) = 0;

  virtual planner::Result<Session> open_session(std::string const& token, Peer const& peer) = 0;
  virtual void end_session(Request const& head, Peer const& peer) = 0;
};

// "Authorization: Bearer …"; empty without one.
std::string bearer_of(Request const& head);
// The console's cookie; empty without one. By TLS its name makes the browser keep it to TLS and
// this host.
std::string_view cookie_name(Peer const& peer);
std::string cookie_of(Request const& head, Peer const& peer);

}  // namespace runbookd::web
