// TLS as an operator meets it: the daemon with a certificate, runbookctl with whom it trusts.
#include <filesystem>
#include <thread>

#include <doctest/doctest.h>
#include <signal.h>

#include "tests/e2e/scenario.h"
#include "tests/support/certificate.h"
#include "tests/support/free_port.h"
#include "tests/web/client.h"

namespace runbookd::testing {
namespace {

namespace fs = std::filesystem;

class Folder {
 public:
  Folder() {
    auto name = (fs::temp_directory_path() / "runbookd-tls-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(Folder const&) = delete;
  Folder& operator=(Folder const&) = delete;
  std::string path() const { return path_.string(); }

 private:
  fs::path path_;
};

struct Secured {
  Folder folder;
  Certificate certificate = make_certificate(folder.path(), "server", "IP:127.0.0.1");
  int port = free_port();
  RunningDaemon daemon{{.targets = {{"shop", "host=127.0.0.1 port=1 dbname=x"}},
                        .more_settings = "tls: {certificate: " + certificate.file +
                                         ", key: " + certificate.key + "}\n",
                        .also_listen = "tls:127.0.0.1:" + std::to_string(port)}};

  Finished ctl(std::string const& host, std::string const& ca,
               std::vector<std::string> const& words) const {
    std::vector<std::string> command{"/usr/bin/env", "XDG_CONFIG_HOME=" + folder.path(),
                                     runbookctl_program(), "--addr",
                                     "https://" + host + ":" + std::to_string(port)};
    if (!ca.empty()) {
      command.insert(command.end(), {"--ca-file", ca});
    }
    command.insert(command.end(), words.begin(), words.end());
    return run_program(command);
  }
  void replace_by(Certificate const& other) const {
    fs::copy_file(other.file, certificate.file, fs::copy_options::overwrite_existing);
    fs::copy_file(other.key, certificate.key, fs::copy_options::overwrite_existing);
  }
  // Told to read its certificate anew, and it has said what came of it.
  void reload(std::string const& said) const {
    auto const before = daemon.log().size();
    ::kill(daemon.pid(), SIGHUP);
    while (daemon.log().find(said, before) == std::string::npos) {
      REQUIRE(daemon.alive());
      std::this_thread::sleep_for(std::chrono::milliseconds{5});
    }
  }
};

bool has(std::string const& text, std::string const& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("runbookctl speaks TLS with a daemon whose certificate it trusts, and with no other") {
  Secured secured;
  auto const& ca = secured.certificate.file;
  auto const good = secured.ctl("127.0.0.1", ca, {"whoami"});
  CAPTURE(good.err);
  CHECK(good.exit_code == 0);
  CHECK(has(good.out, "https://127.0.0.1:"));
  auto const stranger = secured.ctl("127.0.0.1", "", {"whoami"});
  CHECK(stranger.exit_code == 10);
  CHECK(has(stranger.err, "the daemon's certificate is not trusted"));
  CHECK(secured.ctl("localhost", ca, {"whoami"}).exit_code == 10);  // not the certificate's name
  CHECK(secured.ctl("127.0.0.1", "/nowhere.pem", {"whoami"}).exit_code == 10);
}

TEST_CASE("a run is followed through TLS to its end") {
  Secured secured;
  auto const run = secured.daemon.create(
      plan_text({{.name = "s", .forward = "SELECT 1", .backward = "SELECT 1"}}), "shop");
  auto const done = secured.ctl("127.0.0.1", secured.certificate.file,
                                {"cancel", run, "--confirm", "small", "--yes", "--wait"});
  CAPTURE(done.err);
  CHECK(secured.daemon.run(run)["state"] == "cancelled");
  auto const events =
      secured.ctl("127.0.0.1", secured.certificate.file, {"events", run, "--follow"});
  CHECK(events.exit_code == 0);
  CHECK(has(events.out, "run.created"));
}

TEST_CASE("plain HTTP gets no answer from an address that speaks TLS") {
  Secured secured;
  web::test::Client client("127.0.0.1:" + std::to_string(secured.port));
  client.try_send(web::test::get_request("/livez"));
  CHECK_FALSE(has(client.read_to_end(), "HTTP/1.1"));
}

TEST_CASE("SIGHUP brings a new certificate, and a bad one leaves the old in place") {
  Secured secured;
  auto const& served = secured.certificate.file;
  auto const first = secured.folder.path() + "/first.pem";
  fs::copy_file(served, first);
  auto const next = make_certificate(secured.folder.path(), "next", "IP:127.0.0.1");
  secured.replace_by(next);
  CHECK(secured.ctl("127.0.0.1", first, {"whoami"}).exit_code == 0);  // nobody has said so yet
  secured.reload("were read anew");
  CHECK(secured.ctl("127.0.0.1", next.file, {"whoami"}).exit_code == 0);
  CHECK(secured.ctl("127.0.0.1", first, {"whoami"}).exit_code == 10);

  fs::copy_file(secured.folder.path() + "/first.pem", served, fs::copy_options::overwrite_existing);
  secured.reload("the old certificate stays");  // its key is another one's
  CHECK(secured.ctl("127.0.0.1", next.file, {"whoami"}).exit_code == 0);
}

TEST_CASE("what has expired, or a key that is no secret, is not taken over, and told at a start") {
  Secured secured;
  auto const first = secured.folder.path() + "/first.pem";
  fs::copy_file(secured.certificate.file, first);
  auto const settings = secured.daemon.folder() + "/runbookd.yaml";
  std::vector<std::string> const check{runbookd_program(), "--check-config", "--config", settings};
  CHECK(run_program(check).exit_code == 0);

  fs::permissions(secured.certificate.key, fs::perms{0666});
  secured.reload("the old certificate stays: the key in ");
  CHECK(run_program(check).exit_code == 9);
  CHECK(has(run_program(check).err, "is no secret"));

  secured.replace_by(make_expired_certificate(secured.folder.path(), "expired"));
  fs::permissions(secured.certificate.key, fs::perms{0600});
  secured.reload("the old certificate stays: the certificate in ");
  CHECK(secured.ctl("127.0.0.1", first, {"whoami"}).exit_code == 0);
  CHECK(has(run_program(check).err, "it has expired"));

  secured.daemon.restart();  // somebody must be able to pause a run
  CHECK(has(secured.daemon.log(), "it has expired; try: openssl x509"));
  CHECK(secured.daemon.get("/livez").status == 200);
}

TEST_CASE("a line that is not trusted is told with what shows why") {
  Secured secured;
  auto const stranger = secured.ctl("127.0.0.1", "", {"whoami"});
  CHECK(has(stranger.err, "--ca-file"));
  auto const other = make_certificate(secured.folder.path(), "other", "IP:127.0.0.1");
  CHECK(has(secured.ctl("127.0.0.1", other.file, {"whoami"}).err, "openssl s_client -CAfile"));
}

TEST_CASE("where other machines reach it a daemon asks for TLS, or to be told, and for a token") {
  auto const port = std::to_string(free_port());
  RunningDaemon daemon({.also_listen = "insecure:0.0.0.0:" + port, .start = false});
  daemon.launch({});
  CHECK(daemon.wait_for_end() == 1);
  CHECK(has(daemon.log(), "runbookd token create"));
  CHECK_FALSE(has(daemon.log(), "listening"));
  auto const made = run_program({runbookd_program(), "--config", daemon.folder() + "/runbookd.yaml",
                                 "token", "create", "--principal", "ana", "--role", "admin"});
  CHECK(made.exit_code == 0);
  daemon.start();
  CHECK(has(daemon.log(), "can be read on their way"));

  RunningDaemon plain({.also_listen = "0.0.0.0:" + port, .start = false});
  plain.launch({});
  CHECK(plain.wait_for_end() == 9);
  CHECK(has(plain.log(), "tls:0.0.0.0:" + port));
}

}  // namespace runbookd::testing
