#include "store/plans.h"

#include <doctest/doctest.h>

#include "tests/store/scratch.h"

namespace runbookd::store {
namespace {

using planner::ErrorCode;

struct Shelf {
  Scratch scratch;
  std::unique_ptr<Store> store = scratch.open();
  Plans& plans = store->plans();
  void put(std::string const& digits, std::int64_t stored = 0) {
    auto plan = plan_of('a');
    plan.digest = {"sha256:" + digits + std::string(64 - digits.size(), '0')};
    plan.stored = planner::Moment(planner::Duration(stored));
    REQUIRE(plans.put(plan));
  }
};

TEST_CASE_FIXTURE(Shelf, "a plan is found by its digest with all it had") {
  auto plan = plan_of('a');
  plan.canonical = "{\"name\":\"ü\"}";
  REQUIRE(plans.put(plan));
  auto const found = plans.find(plan.digest);
  REQUIRE(found);
  CHECK(found->digest == plan.digest);
  CHECK(found->name == plan.name);
  CHECK(found->title == plan.title);
  CHECK(found->canonical == plan.canonical);
  CHECK(found->stored == plan.stored);
  CHECK(found->actor == plan.actor);
}

TEST_CASE_FIXTURE(Shelf, "a plan that is put twice is new once and keeps who put it first") {
  CHECK(plans.put(plan_of('a')).value());
  auto again = plan_of('a');
  again.actor = "bob";
  CHECK_FALSE(plans.put(again).value());
  CHECK(plans.find(digest_of('a'))->actor == "ann");
}

TEST_CASE_FIXTURE(Shelf, "a plan that was not put is not found") {
  CHECK_FALSE(plans.find(digest_of('a')));
}

TEST_CASE_FIXTURE(Shelf, "a plan is found by the beginning of its digest") {
  put("0123456789abc");
  CHECK(plans.resolve("0123456789ab").has_value());
  CHECK(plans.resolve("sha256:0123456789ab").has_value());
  CHECK(plans.resolve("sha256:0123456789abc" + std::string(51, '0')).has_value());
}

TEST_CASE_FIXTURE(Shelf, "a beginning that fits no plan is not found") {
  put("0123456789abc");
  CHECK(plans.resolve("0123456789ac").error().code == ErrorCode::not_found);
}

TEST_CASE_FIXTURE(Shelf, "a beginning that fits two plans is refused") {
  put("0123456789ab1");
  put("0123456789abf");
  CHECK(plans.resolve("0123456789ab").error().code == ErrorCode::malformed);
  CHECK(plans.resolve("0123456789abf").has_value());
}

TEST_CASE_FIXTURE(Shelf, "what cannot be a digest is refused as malformed") {
  for (auto const* text :
       {"", "0123456789a", "sha256:", "0123456789xy", "0123456789AB", "'; DROP TABLE"}) {
    CAPTURE(text);
    CHECK(plans.resolve(text).error().code == ErrorCode::malformed);
  }
}

TEST_CASE_FIXTURE(Shelf, "plans are listed newest first, in pages, without their bodies") {
  put("a", 100);
  put("b", 300);
  put("c", 300);
  auto const first = plans.list(2, "");
  REQUIRE(first.size() == 2);
  CHECK(first[0].digest.text.starts_with("sha256:c"));
  CHECK(first[1].digest.text.starts_with("sha256:b"));
  CHECK(first[0].canonical.empty());
  auto const second = plans.list(2, first[1].digest.text);
  REQUIRE(second.size() == 1);
  CHECK(second[0].digest.text.starts_with("sha256:a"));
}

}  // namespace
}  // namespace runbookd::store
