// The audit's keeper on a real store: what it counts, when it signs, and what comes late.
#include "daemon/auditor.h"

#include <filesystem>
#include <map>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "store/proof/audit_file.h"

using namespace runbookd;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

// Rings when the test says that it is time.
class HandClock final : public daemon::Clock {
 public:
  planner::Moment at{std::chrono::hours{24 * 365 * 56}};
  planner::Moment now() const override { return at; }
  std::unique_ptr<daemon::Alarm> wake_at(planner::Moment moment,
                                         std::function<void()> ring) override {
    auto const id = ++last_;
    waiting_[id] = {moment, std::move(ring)};
    return std::make_unique<Waiting>(*this, id);
  }
  void pass(planner::Duration time) {
    at += time;
    for (bool rang = true; rang;) {
      rang = false;
      for (auto const& [id, alarm] : waiting_) {
        if (alarm.first <= at) {
          auto const ring = alarm.second;
          waiting_.erase(id);
          ring();
          rang = true;
          break;
        }
      }
    }
  }

 private:
  struct Waiting final : daemon::Alarm {
    Waiting(HandClock& the_clock, int the_id) : clock(the_clock), id(the_id) {}
    ~Waiting() override { clock.waiting_.erase(id); }
    HandClock& clock;
    int id;
  };
  std::map<int, std::pair<planner::Moment, std::function<void()>>> waiting_;
  int last_ = 0;
};

class Folder {
 public:
  Folder() {
    auto name = (std::filesystem::temp_directory_path() / "runbookd-audit-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(Folder const&) = delete;
  Folder& operator=(Folder const&) = delete;
  std::string store() const { return (path_ / "s.db").string(); }

 private:
  std::filesystem::path path_;
};

struct House {
  Folder folder;
  std::unique_ptr<store::Store> store;
  HandClock clock;
  daemon::Auditor auditor;

  explicit House(std::int64_t max_pages = 0)
      : store(store::Store::open({.path = folder.store(), .max_pages = max_pages}).value()),
        auditor(*store, clock, store::SigningKey::make("runbookd/test").value(),
                [](planner::Error const&) {}) {}

  std::vector<json> entries(std::string const& action = "") const {
    std::vector<json> found;
    for (auto const& row : store->audit().after(0, -1)) {
      auto entry = json::parse(row.text);
      if (action.empty() || entry["action"] == action) {
        found.push_back(std::move(entry));
      }
    }
    return found;
  }
  planner::Result<void> ask(web::Asked const& asked, int status) {
    auto const recording = auditor.begin(asked, {});
    recording->leave();
    return recording->end({.status = status});
  }
};

web::Asked asked_for(std::string action, bool stops = false) {
  return {.kind = "request", .action = std::move(action), .actor = "ana", .stops = stops};
}

}  // namespace

TEST_CASE("who tries tokens without end leaves an entry at once and then one in ten minutes") {
  House house;
  for (int i = 0; i < 5'000; ++i) {
    house.auditor.wrong_token({.address = "192.0.2.1"});
  }
  REQUIRE(house.entries("session.refused").size() == 1);
  house.clock.pass(10min);
  auto const told = house.entries("session.refused");
  REQUIRE(told.size() == 2);
  CHECK(told[1]["count"] == 4'999);
  CHECK(told[1]["source"] == "192.0.2.1");
  CHECK(told[1]["outcome"] == "denied");
}

TEST_CASE("more sources than can be kept apart are counted together") {
  House house;
  for (int i = 0; i < 1'500; ++i) {
    house.auditor.wrong_token({.address = "2001:db8::" + std::to_string(i)});
  }
  CHECK(house.entries("session.refused").size() == 1'001);
}

TEST_CASE("a checkpoint is signed when a hundred entries are new, or after a minute") {
  House house;
  REQUIRE(house.ask(asked_for("start"), 409));
  CHECK_FALSE(house.store->audit().last_checkpoint());
  house.clock.pass(60s);
  auto const first = house.store->audit().last_checkpoint();
  REQUIRE(first);
  CHECK(first->entries == 2);  // the one that seals is the second
  house.clock.pass(24h);
  CHECK(house.store->audit().last_checkpoint()->entries == 2);  // nothing is new
  for (int i = 0; i < 100; ++i) {
    REQUIRE(house.ask(asked_for("start"), 409));
  }
  auto const second = house.store->audit().last_checkpoint();
  CHECK(second->entries == 103);
  std::vector const keys{*store::read_verifier_key(second->key)};
  CHECK(store::opened_note(second->note, keys).checkpoint->entries == 103);
}

TEST_CASE("on a full store what goes on is refused, what stops is not, and its entry comes late") {
  House house;
  auto& connection = house.store->connection();
  auto const pages = connection.integer("PRAGMA page_count");
  connection.run_script("PRAGMA max_page_count = " + std::to_string(pages));
  planner::Result<void> refused;
  for (int i = 0; refused && i < 200; ++i) {
    refused = house.ask(asked_for("resume"), 200);
  }
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == planner::ErrorCode::audit_unavailable);
  CHECK(house.ask(asked_for("pause", true), 202));
  CHECK(house.ask(asked_for("start"), 409));  // a refusal stays one
  CHECK(house.auditor.behind());
  auto const asked_at = planner::to_rfc3339(house.clock.at);
  house.clock.pass(3s);
  CHECK(house.auditor.waiting() == 2);
  connection.run_script("PRAGMA max_page_count = 100000");
  house.clock.pass(3s);
  CHECK_FALSE(house.auditor.behind());
  auto const pause = house.entries("pause");
  REQUIRE(pause.size() == 1);
  CHECK(pause[0]["late"] == true);
  CHECK(pause[0]["time"] == asked_at);
  CHECK(house.entries("start").back()["late"] == true);
}

TEST_CASE("a request that is under way is not begun a second time") {
  House house;
  web::Keyed const keyed{.scope = "s", .fingerprint = "f", .key = "k"};
  REQUIRE(house.auditor.answered(keyed));
  {
    auto const recording = house.auditor.begin(asked_for("start"), keyed);
    recording->leave();
    auto const second = house.auditor.answered(keyed);
    REQUIRE_FALSE(second);
    CHECK(second.error().code == planner::ErrorCode::request_in_progress);
    CHECK(second.error().retry_after == 1);
    REQUIRE(recording->end({.status = 200, .body = "{}"}));
  }
  CHECK(house.auditor.answered(keyed).value()->body == "{}");
  auto other = keyed;
  other.fingerprint = "g";
  CHECK(house.auditor.answered(other).error().code == planner::ErrorCode::idempotency_key_reused);
}

TEST_CASE("answers that may turn out otherwise the next time are not kept") {
  for (auto const& [status, is_kept] : {std::pair{200, true},
                                        {202, true},
                                        {409, true},
                                        {412, true},
                                        {422, true},
                                        {401, false},
                                        {403, false},
                                        {404, false},
                                        {429, false},
                                        {500, false},
                                        {503, false}}) {
    CAPTURE(status);
    House house;
    web::Keyed const keyed{.scope = "s", .fingerprint = "f", .key = "k"};
    {
      auto const recording = house.auditor.begin(asked_for("start"), keyed);
      recording->leave();
      (void)recording->end({.status = status, .body = "{}"});
    }
    CHECK(house.auditor.answered(keyed).value().has_value() == is_kept);
  }
}
