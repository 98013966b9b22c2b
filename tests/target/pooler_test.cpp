// A real PgBouncer between us and the server, in each of its modes.
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include <doctest/doctest.h>
#include <sys/wait.h>

#include "tests/target/target.h"

using namespace runbookd;
using namespace runbookd::testing;

namespace {

constexpr auto program = "/usr/sbin/pgbouncer";

class Bouncer {
 public:
  Bouncer(Target const& target, std::string const& mode) : target_(target) {
    auto const file = server().folder() + "/bouncer.ini";
    std::ofstream(file) << "[databases]\n* = host=" << server().folder()
                        << " port=" << server().port()
                        << " user=postgres\n[pgbouncer]\nlisten_addr =\nlisten_port = 6432\n"
                        << "unix_socket_dir = " << server().folder()
                        << "\nauth_type = any\npool_mode = " << mode
                        << "\ndefault_pool_size = 1\nlogfile = " << server().folder()
                        << "/bouncer.log\nignore_startup_parameters = extra_float_digits\n";
    std::filesystem::permissions(file, std::filesystem::perms(0644));
    process_ = server().launch({program, file});
  }
  ~Bouncer() {
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
  }
  Bouncer(Bouncer const&) = delete;
  Bouncer& operator=(Bouncer const&) = delete;

  // Waits until it takes sessions.
  std::unique_ptr<daemon::Session> connect() const {
    auto const dsn =
        "host=" + server().folder() + " port=6432 user=postgres dbname=" + target_.name();
    for (int i = 0; i < 500; ++i) {
      if (auto session = daemon::connect({.name = "main", .dsn = dsn}, "test")) {
        return std::move(*session);
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    throw std::runtime_error("the pooler takes nobody");
  }

 private:
  Target const& target_;
  pid_t process_;
};

}  // namespace

TEST_CASE("a session through a pooler is refused with an explanation, alone or in company") {
  if (!std::filesystem::exists(program)) {
    left_out("pgbouncer is not installed; deploy/install-packages.sh test gets it");
    return;
  }
  Target target;
  for (auto const* mode : {"transaction", "statement", "session"}) {
    CAPTURE(mode);
    Bouncer const bouncer(target, mode);
    auto const found = daemon::introduce(*bouncer.connect());
    REQUIRE_FALSE(found);
    CHECK(found.error().message.find("a connection pooler stands between") != std::string::npos);
  }
}
