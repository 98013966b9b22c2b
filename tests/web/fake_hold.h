// A hold that keeps what it was asked.
#pragma once

#include <string>

#include "web/hold_keeper.h"

namespace runbookd::web::test {

class FakeHold : public HoldKeeper {
 public:
  std::string asked;

  std::string show_hold() override { return R"({"active":false})"; }
  planner::Result<std::string> set_hold(HoldRequest const& wanted, std::string const& by) override {
    asked = "set " + wanted.reason + " by " + by +
            (wanted.lasts ? " for " + planner::to_text(*wanted.lasts) : "");
    return R"({"active":true})";
  }
  planner::Result<std::string> lift_hold(std::string const& by) override {
    asked = "lift by " + by;
    return R"({"active":false})";
  }
};

}  // namespace runbookd::web::test
