#include "daemon/guarded_service.h"

#include <vector>

#include <doctest/doctest.h>

#include "tests/web/fake_service.h"

using namespace runbookd;
using planner::Error;
using planner::ErrorCode;

namespace {

// A service whose store fails while it reads.
class Failing : public web::test::FakeService {
 public:
  std::optional<Error> failure;
  planner::Result<web::Document> show_run(planner::RunId const& run,
                                          planner::Principal const& caller) override {
    if (failure) {
      throw store::StoreFailure(*failure);
    }
    return FakeService::show_run(run, caller);
  }
};

struct Guarded {
  Failing service;
  std::vector<std::string> told;
  daemon::GuardedService guarded{service,
                                 [this](Error const& error) { told.push_back(error.detail); }};
};

}  // namespace

TEST_CASE_FIXTURE(Guarded, "a store that breaks while it is read is an answer, and is told") {
  service.failure = Error{.code = ErrorCode::store_broken, .detail = "the file is gone"};
  auto const answer = guarded.show_run({"run_1"}, {});
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == ErrorCode::store_broken);
  CHECK(told == std::vector<std::string>{"the file is gone"});
}

TEST_CASE_FIXTURE(Guarded, "a store that is full for a while is an answer and nothing more") {
  service.failure = Error{.code = ErrorCode::store_unavailable, .detail = "no room left"};
  CHECK(guarded.show_run({"run_1"}, {}).error().code == ErrorCode::store_unavailable);
  CHECK(told.empty());
}

TEST_CASE_FIXTURE(Guarded, "an ordinary refusal passes through") {
  service.refuse = Error{.code = ErrorCode::not_found, .detail = "no such plan"};
  CHECK(guarded.show_plan("sha256:0", {}).error().detail == "no such plan");
  CHECK(told.empty());
}

TEST_CASE_FIXTURE(Guarded, "once broken, nothing is asked of the service any more") {
  CHECK(guarded.is_ready());
  guarded.refuse_all({.code = ErrorCode::store_broken, .detail = "it ends"});
  CHECK_FALSE(guarded.is_ready());
  CHECK(guarded.submit({"run_1"}, {}, std::nullopt, {}).error().detail == "it ends");
  CHECK(guarded.events_after({"run_1"}, 0, 1).error().detail == "it ends");
  CHECK(service.submitted == 0);
}
