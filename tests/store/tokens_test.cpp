#include "store/tokens.h"

#include <doctest/doctest.h>

#include "store/schema.h"
#include "tests/store/scratch.h"

namespace runbookd::store {
namespace {

using planner::Duration;
using planner::Moment;

StoredToken token_of(std::string const& id) {
  return {.id = id,
          .hash = planner::sha256_hex(id),
          .name = "laptop",
          .principal = "ana",
          .grants = planner::read_grants({"viewer", "operator@billing-*"}).value(),
          .created = Moment(Duration(1'000)),
          .created_by = "unix:root",
          .expires = Moment(Duration(9'000))};
}

struct KeyRack {
  Scratch scratch;
  std::unique_ptr<Store> store = scratch.open();
  Tokens& tokens() { return store->tokens(); }
};

TEST_CASE_FIXTURE(KeyRack,
                  "a token is found with all it had, also by the next who opens the store") {
  CHECK_FALSE(tokens().any().value());
  REQUIRE(tokens().put(token_of("0123abcd")));
  store.reset();
  store = scratch.open();
  CHECK(tokens().any().value());
  auto const found = tokens().find("0123abcd").value();
  REQUIRE(found);
  CHECK(found->hash == planner::sha256_hex("0123abcd"));
  CHECK(found->principal == "ana");
  CHECK(to_text(found->grants) == "viewer operator@billing-*");
  CHECK(found->expires == Moment(Duration(9'000)));
  CHECK(found->created_by == "unix:root");
  CHECK_FALSE(found->last_used);
  CHECK_FALSE(found->revoked);
  CHECK_FALSE(tokens().find("00000000").value());
}

TEST_CASE_FIXTURE(KeyRack, "an id is given once") {
  REQUIRE(tokens().put(token_of("0123abcd")));
  CHECK_THROWS((void)tokens().put(token_of("0123abcd")));
}

TEST_CASE_FIXTURE(KeyRack, "a token is revoked once, and who did it first stays") {
  REQUIRE(tokens().put(token_of("0123abcd")));
  REQUIRE(tokens().revoke("0123abcd", Moment(Duration(2'000)), "ben"));
  REQUIRE(tokens().revoke("0123abcd", Moment(Duration(3'000)), "eve"));
  auto const found = tokens().find("0123abcd").value();
  CHECK(found->revoked == Moment(Duration(2'000)));
  CHECK(found->revoked_by == "ben");
  CHECK(tokens().any().value());
}

TEST_CASE_FIXTURE(KeyRack, "its last use is kept, and lists begin with the newest") {
  REQUIRE(tokens().put(token_of("0123abcd")));
  auto newer = token_of("99999999");
  newer.created += Duration(1);
  REQUIRE(tokens().put(newer));
  REQUIRE(tokens().used("0123abcd", Moment(Duration(5'000))));
  auto const all = tokens().list().value();
  REQUIRE(all.size() == 2);
  CHECK(all[0].id == "99999999");
  CHECK(all[1].last_used == Moment(Duration(5'000)));
}

// A store of the version before comes along as it is.
TEST_CASE("a store without tokens gets its table, and keeps its runs") {
  Scratch const scratch;
  {
    std::ofstream(scratch.path()).close();
    Connection old(scratch.path());
    old.run_script("PRAGMA application_id = " + std::to_string(application_id));
    old.configure(0);
    REQUIRE(bring_up_to_date(old, schema_files().first(1)));
  }
  auto const store = Store::open({.path = scratch.path()});
  REQUIRE(store);
  CHECK_FALSE((*store)->tokens().any().value());
  CHECK((*store)->tokens().put(token_of("0123abcd")));
}

}  // namespace
}  // namespace runbookd::store
