// A daemon that goes away while somebody follows a run: told once, and told again when it is back.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "web/ctl/session.h"

namespace runbookd::ctl {

class Outage {
 public:
  // `patience`: how long it is borne; without one, for ever.
  Outage(Session& session, std::optional<planner::Duration> patience)
      : session_(session), patience_(patience) {}

  void note(bool answered);
  bool lasts() const { return began_.has_value(); }
  bool too_long() const { return lasts() && patience_ && length() >= *patience_; }
  // "the daemon at http://… has not answered since 03:12:07"
  std::string words() const;

 private:
  planner::Duration length() const;
  Session& session_;
  std::optional<planner::Duration> patience_;
  std::optional<std::chrono::steady_clock::time_point> began_;
  planner::Moment since_{};
  bool told_ = false;
};

}  // namespace runbookd::ctl
