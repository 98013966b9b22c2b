// The snapshot of a watched run, kept fresh without asking too often, and when to leave it.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "web/ctl/follow.h"
#include "web/ctl/session.h"

namespace runbookd::ctl {

class Watcher {
 public:
  Watcher(Session& session, std::string run, Goal goal, std::string document);

  // The exit code once it is time to leave.
  std::optional<Exit> verdict() const;
  // Fetches when that was wanted, at most five times a second.
  void refresh(bool wanted);
  // The daemon answered that it has no such run, or will not tell: asking again is of no use.
  std::optional<Failure> const& refusal() const { return refusal_; }
  // How long nothing needs to be done here.
  std::chrono::milliseconds patience() const;

  bool stale() const { return stale_; }  // the last question got no answer
  std::string const& document() const { return document_; }
  std::int64_t revision() const;
  void take(std::string document);  // unless it is older than what we have

 private:
  Session& session_;
  std::string run_;
  std::string document_;
  Goal goal_;
  std::chrono::steady_clock::time_point deadline_ = std::chrono::steady_clock::time_point::max();
  std::chrono::steady_clock::time_point fetched_{};
  bool wanted_ = false;
  bool stale_ = false;
  std::optional<Failure> refusal_;
};

Exit watch_live(Session& session, std::string const& run, Watch const& command,
                std::string document);
Exit watch_as_lines(Session& session, std::string const& run, Watch const& command,
                    std::string document);

}  // namespace runbookd::ctl
