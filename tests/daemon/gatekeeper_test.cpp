#include "daemon/gatekeeper.h"

#include <filesystem>
#include <string>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "store/store.h"
#include "web/http.h"

using namespace runbookd;
using namespace std::chrono_literals;
using daemon::Gatekeeper;
using nlohmann::json;
using planner::ErrorCode;
using By = web::Caller::By;

namespace {

class HandClock final : public daemon::Clock {
 public:
  planner::Moment at{std::chrono::hours{24 * 365 * 56}};
  planner::Moment now() const override { return at; }
  std::unique_ptr<daemon::Alarm> wake_at(planner::Moment, std::function<void()>) override {
    return nullptr;
  }
};

class Folder {
 public:
  Folder() {
    auto name = (std::filesystem::temp_directory_path() / "runbookd-gate-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(Folder const&) = delete;
  Folder& operator=(Folder const&) = delete;
  std::string store() const { return (path_ / "s.db").string(); }

 private:
  std::filesystem::path path_;
};

struct Made {
  std::string id, text;
};

struct House {
  Folder folder;
  std::unique_ptr<store::Store> store = store::Store::open({.path = folder.store()}).value();
  config::AccessSettings access;
  HandClock clock;
  daemon::Auditor auditor{*store, clock, store::SigningKey::make("runbookd/test").value(),
                          [](planner::Error const&) {}};
  Gatekeeper gate{store->tokens(), access, clock, auditor, [](planner::Error const&) {}};
  web::Peer peer{.address = "192.0.2.1"};

  Made make(std::string const& principal, std::vector<std::string> const& roles,
            std::optional<planner::Duration> lasts = {}) {
    auto const document =
        gate.create_token({.principal = principal, .roles = roles, .lasts = lasts}, "root");
    auto const made = json::parse(document.value());
    return {made["token"], made["secret"]};
  }
  web::Caller with(web::Headers headers) {
    web::Request request;
    request.headers = std::move(headers);
    return gate.identify(request, peer);
  }
  web::Caller showing(std::string const& token) {
    return with({{"authorization", "Bearer " + token}});
  }
};

ErrorCode code_of(web::Caller const& caller) {
  return caller.refusal ? caller.refusal->code : ErrorCode::internal;
}

// A token of the same form that is another one.
std::string spoilt(std::string text) {
  text.back() = text.back() == '0' ? '1' : '0';
  return text;
}

}  // namespace

TEST_CASE(
    "without any token everybody is served as operator and approver, by the name he gives "
    "himself") {
  House house;
  CHECK(house.gate.local_mode());
  auto const caller = house.with({{"runbook-actor", "ana"}});
  CHECK(caller.by == By::local);
  CHECK(caller.principal.name == "ana");
  CHECK_FALSE(caller.principal.proven);
  CHECK(to_text(caller.principal.grants) == "operator approver");
}

TEST_CASE("the first token ends local mode for good, also when it is revoked") {
  House house;
  auto const made = house.make("ana", {"admin"});
  CHECK_FALSE(house.gate.local_mode());
  CHECK(house.with({{"runbook-actor", "ana"}}).by == By::nobody);
  REQUIRE(house.gate.revoke_token(made.id, "root"));
  CHECK_FALSE(house.gate.local_mode());
  // and for whoever opens the store next
  Gatekeeper next(house.store->tokens(), house.access, house.clock, house.auditor,
                  [](planner::Error const&) {});
  CHECK_FALSE(next.local_mode());
}

TEST_CASE("a token stands for its principal, whatever the caller says of himself") {
  House house;
  auto const made = house.make("ana", {"operator@billing-*", "viewer"});
  auto const caller =
      house.with({{"authorization", "bearer " + made.text}, {"runbook-actor", "the boss"}});
  CHECK(caller.by == By::token);
  CHECK(caller.principal.proven);
  CHECK(caller.principal.name == "ana");
  CHECK(caller.token == made.id);
  CHECK(to_text(caller.principal.grants) == "operator@billing-* viewer");
}

TEST_CASE("of a token's text the store holds nothing but a hash") {
  House house;
  auto const made = house.make("ana", {"viewer"});
  auto const secret = made.text.substr(made.text.rfind('_') + 1);
  CHECK(secret.size() == 64);
  house.store.reset();
  for (auto const& file : std::filesystem::directory_iterator(
           std::filesystem::path(house.folder.store()).parent_path())) {
    auto const command = "grep -q " + secret + " " + file.path().string();
    CHECK(std::system(command.c_str()) != 0);
  }
}

TEST_CASE("a token that is wrong, expired or revoked lets nobody in") {
  House house;
  auto const made = house.make("ana", {"viewer"}, 1h);
  CHECK(house.showing(made.text).by == By::token);
  CHECK(code_of(house.showing(spoilt(made.text))) == ErrorCode::unauthenticated);
  CHECK(code_of(house.showing("rbd_00000000_" + std::string(64, '0'))) ==
        ErrorCode::unauthenticated);
  house.clock.at += 1h;
  auto const expired = house.showing(made.text);
  CHECK(code_of(expired) == ErrorCode::unauthenticated);
  CHECK(expired.refusal->detail.find("expired") != std::string::npos);
  CHECK(expired.principal.name.empty());

  auto const other = house.make("ben", {"viewer"});
  REQUIRE(house.gate.revoke_token(other.id, "ana"));
  CHECK(house.showing(other.text).refusal->detail.find("revoked") != std::string::npos);
}

TEST_CASE("no form of credentials that is none of ours lets anybody in") {
  House house;
  auto const made = house.make("ana", {"admin"});
  for (auto const& text : std::vector<std::string>{
           "", "Bearer", "Bearer ", "Basic " + made.text, made.text, "Bearer " + made.text + "0",
           "Bearer rbd_" + made.id + "_", "Bearer  " + made.text, "Bearer rbd__" + made.text}) {
    CAPTURE(text);
    auto const caller = house.with({{"authorization", text}});
    CHECK(caller.refusal.has_value());
    CHECK(caller.principal.name.empty());
  }
  auto const twice = house.with(
      {{"authorization", "Bearer " + made.text}, {"authorization", "Bearer " + made.text}});
  CHECK(twice.principal.name.empty());
}

TEST_CASE("wrong tokens are told to wait for longer each time, and a right one never") {
  House house;
  auto const made = house.make("ana", {"oncall"});
  int told = 0;
  for (int i = 0; i < 8; ++i) {
    auto const caller = house.showing(spoilt(made.text));
    REQUIRE(caller.refusal);
    if (caller.refusal->code == ErrorCode::rate_limited) {
      CHECK(caller.refusal->retry_after > told);
      told = caller.refusal->retry_after;
    }
  }
  CHECK(told > 0);
  CHECK(house.showing(made.text).by == By::token);
  // the token's id carries it to other addresses
  house.peer.address = "192.0.2.99";
  CHECK(code_of(house.showing(spoilt(made.text))) == ErrorCode::rate_limited);
  house.clock.at += 11min;
  CHECK(code_of(house.showing(spoilt(made.text))) == ErrorCode::unauthenticated);
}

TEST_CASE("over the Unix socket the system says who it is") {
  House house;
  (void)house.make("ana", {"viewer"});
  house.peer = {.user = web::Peer::User{.id = geteuid(), .group = getegid()}};
  auto const owner = house.with({{"runbook-actor", "somebody else"}});
  CHECK(owner.by == By::peer);
  CHECK(owner.principal.name.starts_with("unix:"));
  CHECK(to_text(owner.principal.grants) == "admin");

  house.peer.user = web::Peer::User{.id = 65'534, .group = 65'534};  // anybody, it may be
  CHECK_FALSE(house.with({}).by == By::peer);
  house.peer.user = web::Peer::User{.id = 1, .group = 1};  // daemon, on every Debian
  auto const other = house.with({});
  CHECK(other.principal.name == "unix:daemon");
  CHECK(other.principal.grants.empty());
  house.access.users["daemon"] = planner::read_grants({"viewer"}).value();
  house.access.groups["daemon"] = planner::read_grants({"oncall@shop"}).value();
  CHECK(to_text(house.with({}).principal.grants) == "viewer oncall@shop");
}

TEST_CASE("listed users end local mode as a token does") {
  House house;
  house.access.users["daemon"] = planner::read_grants({"viewer"}).value();
  CHECK_FALSE(house.gate.local_mode());
  CHECK(house.with({}).by == By::nobody);
}

TEST_CASE(
    "a session stands for its token until it ends, is idle, is old, or the token is revoked") {
  House house;
  auto const made = house.make("ana", {"operator"});
  auto const log_in = [&] {
    return "theme=dark; runbookd_session=" +
           house.gate.open_session(made.text, house.peer).value().secret + "; x=y";
  };
  auto const by = [&](std::string const& cookie) { return house.with({{"cookie", cookie}}).by; };

  auto const first = log_in();
  auto const caller = house.with({{"cookie", first}});
  CHECK(caller.by == By::session);
  CHECK(caller.principal.name == "ana");
  CHECK(caller.csrf.size() == 64);
  CHECK(house.with({{"cookie", log_in()}}).csrf != caller.csrf);
  web::Request bye;
  bye.headers = {{"cookie", first}};
  house.gate.end_session(bye, house.peer);
  CHECK(by(first) == By::nobody);

  auto const idle = log_in();
  house.clock.at += 16min;
  CHECK(by(idle) == By::nobody);

  auto const busy = log_in();
  for (int i = 0; i < 48; ++i) {
    house.clock.at += 10min;
    CHECK(by(busy) == By::session);
  }
  house.clock.at += 1min;
  CHECK(by(busy) == By::nobody);

  auto const last = log_in();
  REQUIRE(house.gate.revoke_token(made.id, "root"));
  CHECK(by(last) == By::nobody);
  CHECK_FALSE(house.gate.open_session(made.text, house.peer));
}

TEST_CASE("lists of tokens hold neither secrets nor hashes, and say when each was used") {
  House house;
  auto const made = house.make("ana", {"viewer"});
  (void)house.showing(made.text);
  auto const text = house.gate.list_tokens().value();
  CHECK(text.find(made.text.substr(13)) == std::string::npos);
  CHECK(text.find("hash") == std::string::npos);
  auto const token = json::parse(text)["tokens"][0];
  CHECK(token["last_used_at"] == planner::to_rfc3339(house.clock.at));
  CHECK(token["created_by"] == "root");
}
