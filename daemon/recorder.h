// Brings events to the journal. Facts of several runs that are ready in one turn of the I/O loop
// share one synced commit; what a person asks for is synced before it is answered. While the store
// is full, facts are kept in memory and offered again; nothing that waits for them is acted upon
// meanwhile. Once it is broken nothing is offered to it any more: the program has to end and read.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "daemon/clock.h"
#include "store/store.h"

namespace boost::asio {
class io_context;
}

namespace runbookd::daemon {

class Recorder {
 public:
  Recorder(boost::asio::io_context& io, Clock& clock, store::Journal& journal);

  // Durable with everything that waits already, when this returns well; else nothing of it is kept.
  planner::Result<void> record_now(store::Append append);
  // Durable soon; then `durable` is called on the I/O thread, never from inside this call.
  void record_soon(store::Append append, std::function<void()> durable);
  // Makes all that waits durable now, if the store lets it.
  void flush();

  bool degraded() const { return degraded_; }
  bool idle() const { return waiting_.empty(); }
  // Called when the store fails and when it works again, with what it said.
  std::function<void(std::string const&)> on_trouble;
  // Called after each commit, with what it made durable and how long it took.
  std::function<void(std::vector<store::Append> const&, std::chrono::steady_clock::duration)>
      on_durable;
  // Called once, when nobody knows any more what the store holds.
  std::function<void(planner::Error const&)> on_broken;

 private:
  struct Waiting {
    store::Append append;
    std::function<void()> durable;
  };
  void flush_later();
  planner::Result<void> commit(store::Append const* last);
  void failed(planner::Error const& error);
  void give_up(planner::Error const& error);

  boost::asio::io_context& io_;
  Clock& clock_;
  store::Journal& journal_;
  std::vector<Waiting> waiting_;
  bool flush_posted_ = false;
  bool degraded_ = false;
  std::optional<planner::Error> broken_;
  std::unique_ptr<Alarm> again_;
};

}  // namespace runbookd::daemon
