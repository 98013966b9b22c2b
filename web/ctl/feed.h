// A run's event stream that comes back by itself after a lost connection, without gaps or repeats.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "web/ctl/client.h"
#include "web/ctl/sse.h"
#include "web/ctl/terminal.h"

namespace runbookd::ctl {

class Feed {
 public:
  Feed(Client& client, std::string run, std::int64_t after);

  // What arrives within `time`, or until a signal or a byte on `also` (-1: none) comes.
  std::vector<ServerEvent> wait(Interrupts const& interrupts, std::chrono::milliseconds time,
                                int also = -1);
  bool ended() const { return ended_; }  // the run is final and all was told
  bool connected() const { return stream_.has_value(); }
  std::optional<Failure> const& refusal() const { return refusal_; }  // such as: no such run

 private:
  void connect();
  void lose();
  bool run_is_over();
  std::vector<ServerEvent> read();
  Client& client_;
  std::string run_;
  std::string last_id_;
  std::optional<HttpStream> stream_;
  EventParser parser_;
  std::chrono::steady_clock::time_point try_again_{};
  std::chrono::milliseconds pause_{100};
  bool ended_ = false;
  std::optional<Failure> refusal_;
};

}  // namespace runbookd::ctl
