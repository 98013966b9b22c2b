// The copy of the store that is made while the daemon works: some pages per turn of the I/O loop,
// into a file whose name nobody but us chooses ("<store>.backup").
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "store/backup.h"

namespace boost::asio {
class io_context;
}

namespace runbookd::daemon {

struct BackupFacts {
  enum class State { none, running, done, failed } state = State::none;
  std::string file;
  int pages = 0, pages_left = 0;
  std::string detail, next;  // why it failed
};

class BackupTask {
 public:
  BackupTask(boost::asio::io_context& io, store::Connection& store,
             std::function<void(std::string const&)> trouble);
  // One at a time: while one is made, this changes nothing.
  planner::Result<void> begin();
  BackupFacts const& facts() const { return facts_; }

 private:
  void go_on();
  void step();
  void fail(planner::Error const& error);

  boost::asio::io_context& io_;
  store::Connection& store_;
  std::function<void(std::string const&)> trouble_;
  BackupFacts facts_;
  std::unique_ptr<store::Backup> backup_;
};

}  // namespace runbookd::daemon
