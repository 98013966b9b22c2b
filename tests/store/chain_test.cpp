#include "store/chain.h"

#include <doctest/doctest.h>

#include "planner/digest.h"

namespace runbookd::store {
namespace {

EventRow const row{.run = "run_1",
                   .seq = 7,
                   .at = 1000,
                   .kind = "run.resumed",
                   .actor = "ann",
                   .reason = "",
                   .body = "{}"};

TEST_CASE("the hash of an event is made from its fields with their sizes in front") {
  CHECK(hash_after("abc", row) ==
        planner::sha256_hex("3:abc,5:run_1,1:7,4:1000,11:run.resumed,3:ann,0:,2:{},"));
}

TEST_CASE("letters that move from one field to the next change the hash") {
  auto moved = row;
  moved.actor = "an";
  moved.reason = "n";
  CHECK(hash_after("", moved) != hash_after("", row));
}

TEST_CASE("the hash depends on the hash before") {
  CHECK(hash_after("a", row) != hash_after("b", row));
}

}  // namespace
}  // namespace runbookd::store
