#include "planner/diagnostic.h"

#include <doctest/doctest.h>

#include "planner/digest.h"
#include "planner/error.h"

using namespace runbookd::planner;

TEST_CASE("a finding is written as compilers do, with the fix on a line of its own") {
  Finding const finding{.rule = "plan/unknown-key",
                        .severity = Severity::warning,
                        .place = {"plan.yaml", 12, 5},
                        .message = "a step has no key `rolback`",
                        .fix = "write `rollback`"};
  CHECK(to_text(finding) ==
        "plan.yaml:12:5: warning: a step has no key `rolback` [plan/unknown-key]\n  fix: write "
        "`rollback`");
}

TEST_CASE("a finding without a place leaves it out") {
  CHECK(to_text(Finding{.rule = "r", .message = "m"}) == "error: m [r]");
  CHECK(to_text(Finding{.rule = "r", .place = {"f", 0, 0}, .message = "m"}) == "f: error: m [r]");
  CHECK(to_text(Finding{.rule = "r", .place = {"", 3, 0}, .message = "m"}) ==
        "line 3: error: m [r]");
}

TEST_CASE("only errors count as errors") {
  CHECK_FALSE(has_error({}));
  CHECK_FALSE(
      has_error({Finding{.severity = Severity::warning}, Finding{.severity = Severity::note}}));
  CHECK(has_error({Finding{.severity = Severity::note}, Finding{.severity = Severity::error}}));
}

TEST_CASE("the slug of an error code is its name with dashes") {
  CHECK(to_slug(ErrorCode::stale_revision) == "stale-revision");
  CHECK(to_slug(ErrorCode::malformed) == "malformed");
  CHECK(to_slug(ErrorCode::internal) == "internal");
}

TEST_CASE("digests agree with the published test vectors of SHA-256") {
  CHECK(sha256_hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}
