// Keeps the hold: in the store, in memory, and until its time is over. What it means for runs is
// done by whoever is told.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "daemon/clock.h"
#include "planner/house_rules.h"
#include "store/holds.h"
#include "web/hold_keeper.h"

namespace runbookd::daemon {

class HoldDesk final : public web::HoldKeeper {
 public:
  HoldDesk(store::Holds& holds, Clock& clock) : holds_(holds), clock_(clock) {}

  std::function<void(planner::Hold const&)> on_set;
  // `by`: empty where its time was over.
  std::function<void(planner::Hold const&, std::string const& by)> on_end;
  std::function<void(planner::Error const&)> on_trouble;

  // What stood when the daemon ended stands again.
  planner::Result<void> begin();
  std::optional<planner::Hold> const& standing() const { return hold_; }

  std::string show_hold() override;
  planner::Result<std::string> set_hold(web::HoldRequest const& wanted,
                                        std::string const& by) override;
  planner::Result<std::string> lift_hold(std::string const& by) override;

 private:
  planner::Result<void> told(planner::Result<void> written) const;
  void write();
  void end_in_time();
  void wake();

  store::Holds& holds_;
  Clock& clock_;
  std::optional<planner::Hold> hold_;
  bool recorded_ = true;  // the store has what we hold
  std::unique_ptr<Alarm> alarm_;
};

}  // namespace runbookd::daemon
