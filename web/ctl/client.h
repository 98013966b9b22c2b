// The daemon's API as calls. Answers are the daemon's documents, unchanged.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <ostream>
#include <string>

#include "web/ctl/failure.h"
#include "web/ctl/http_client.h"
#include "web/ctl/json.h"

namespace runbookd::ctl {

struct Answer {
  int status = 0;
  std::string body;
};

class Client {
 public:
  struct Settings {
    Address address;
    std::string actor;
    Patience patience{30'000};
    std::ostream* curl = nullptr;  // where requests are told as curl commands
    std::string token_file;        // empty: no token is shown
  };
  explicit Client(Settings settings) : settings_(std::move(settings)) {}

  // `what` names the wish in error messages: "advance run_0a1b2c3d4e5f".
  Maybe<Answer> get(std::string const& target, std::string const& what);
  Maybe<Answer> post(std::string const& target, std::string const& body, std::string const& what,
                     std::optional<std::int64_t> if_revision = {});
  Maybe<Answer> remove(std::string const& target, std::string const& what);
  // `target`: of the request; the plan is stored by "/api/v1/plans".
  Maybe<Answer> post_plan(std::string const& target, std::string const& bundle,
                          std::string const& what);
  Maybe<HttpStream> open_events(std::string const& run, std::string const& after);

  // A full id, a unique beginning of one, or "@latest" -> a full id.
  Maybe<std::string> run_id(std::string const& text);
  // For commands that can do without a RUN: the only one under way, else the latest.
  Maybe<std::string> run_at_hand();
  // Calls `each` with every row of a list that comes in pages; stops when it answers false.
  Maybe<bool> each_row(std::string const& target, char const* key, std::string const& what,
                       std::function<bool(Json const&)> const& each);

  Address const& address() const { return settings_.address; }
  std::string const& actor() const { return settings_.actor; }
  void set_patience(Patience patience) { settings_.patience = patience; }
  // This token from now on, instead of the one in the file.
  void show_token(std::string token) { token_ = std::move(token); }
  // The daemon asks nobody for a token, as far as its answers have told.
  bool local_mode() const { return local_mode_; }
  // Requests that repeat are told once.
  void tell_no_more() { settings_.curl = nullptr; }

 private:
  Maybe<Answer> send(HttpRequest request, std::string const& what);
  Maybe<HttpRequest> with_token(HttpRequest request);
  void tell(HttpRequest const& request) const;
  Settings settings_;
  std::string token_;  // empty: not read yet, or there is none
  bool local_mode_ = false;
};

std::string run_path(std::string const& run);
Failure unreachable(Address const& address, TransportFailure const& failure,
                    std::string const& what);

}  // namespace runbookd::ctl
