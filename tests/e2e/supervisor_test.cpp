// What the daemon tells whoever started it: a socket of our own stands where systemd's would.
#include <array>
#include <stdexcept>
#include <thread>

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/e2e/scenario.h"

namespace runbookd::testing {
namespace {

class NotifySocket {
 public:
  explicit NotifySocket(std::string path)
      : path_(std::move(path)), socket_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    path_.copy(static_cast<char*>(address.sun_path), sizeof address.sun_path - 1);
    timeval const patience{.tv_sec = 60, .tv_usec = 0};
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      throw std::runtime_error("cannot bind " + path_);
    }
  }
  ~NotifySocket() { close(socket_); }
  NotifySocket(NotifySocket const&) = delete;
  NotifySocket& operator=(NotifySocket const&) = delete;

  std::string const& path() const { return path_; }
  std::string next() const {
    std::array<char, 4096> bytes{};
    auto const size = recv(socket_, bytes.data(), bytes.size(), 0);
    if (size < 0) {
      throw std::runtime_error("nothing was told for a minute");
    }
    return {bytes.data(), static_cast<std::size_t>(size)};
  }
  std::string until(std::string const& beginning) const {
    for (;;) {
      if (auto message = next(); message.starts_with(beginning)) {
        return message;
      }
    }
  }

 private:
  std::string path_;
  int socket_;
};

}  // namespace

TEST_CASE("a supervisor hears when the daemon is ready, what it does, that it lives, and its end") {
  Scene scene(100, {.start = false});
  NotifySocket const socket(scene.daemon.folder() + "/notify.sock");
  scene.daemon.launch({"NOTIFY_SOCKET=" + socket.path(), "WATCHDOG_USEC=300000"});
  CHECK(socket.next() == "READY=1");
  CHECK(scene.daemon.get("/livez").status == 200);  // who is told that is answered
  CHECK(socket.until("STATUS=") == "STATUS=0 runs at work");
  socket.until("WATCHDOG=1");

  // a statement that takes its time is no reason to let the watchdog bite
  auto const holder = std::make_unique<Holder>(scene.database, "SELECT pg_advisory_xact_lock(4)");
  auto const id = scene.daemon.create(
      plan_text({{.name = "wait", .forward = "SELECT pg_advisory_lock(4)", .backward = "SELECT 1"}},
                "", "defaults: {lock: {stall_budget: 60s}}\n"));
  scene.daemon.verb(id, "start");
  scene.database.until("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)");
  CHECK(socket.until("STATUS=1") == "STATUS=1 run at work");
  for (int beats = 0; beats < 5; ++beats) {
    socket.until("WATCHDOG=1");
  }
  CHECK(scene.daemon.run(id).at("state") == "running");

  std::jthread const ending([&] { CHECK(scene.daemon.terminate() == 0); });
  auto const stopping = socket.until("STOPPING=1");
  CHECK(stopping.find("EXTEND_TIMEOUT_USEC=62000000") != std::string::npos);
}

}  // namespace runbookd::testing
