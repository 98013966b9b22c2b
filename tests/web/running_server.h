// A server over a FakeService on a thread of its own, as the daemon would run it.
#pragma once

#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "tests/web/client.h"
#include "tests/web/fake_service.h"
#include "web/server.h"

namespace runbookd::web::test {

class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(TempDir const&) = delete;
  TempDir& operator=(TempDir const&) = delete;
  std::string file(std::string const& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

class RunningServer {
 public:
  // Without an address it listens on a free port of 127.0.0.1. `prepare` runs before the thread
  // starts.
  explicit RunningServer(ServerOptions options = {},
                         std::function<void(FakeService&)> const& prepare = {});
  ~RunningServer();

  std::string const& address(std::size_t which = 0) const { return addresses_.at(which); }
  Client client() const { return Client(address()); }

  // Runs `what` on the I/O thread and waits for it.
  void on_io(std::function<void(FakeService&)> const& what);
  void stop();               // Server::stop
  void destroy();            // ~Server, while its connections are open
  void wait_until_idle();    // all connections have ended
  AccessLine next_access();  // waits for the next finished exchange
  std::string next_trouble();
  // What came out of io_context::run, once it has ended by an exception.
  std::string thrown();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
  std::vector<std::string> addresses_;
};

}  // namespace runbookd::web::test
