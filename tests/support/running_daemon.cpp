#include "tests/support/running_daemon.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/web/client.h"

extern char** environ;

namespace runbookd::testing {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr auto patience = 2min;
constexpr auto look_every = 5ms;

[[noreturn]] void give_up(std::string const& what) {
  throw std::runtime_error("RunningDaemon: " + what);
}

std::string fresh_folder() {
  std::string path = (fs::temp_directory_path() / "runbookd-e2e-XXXXXX").string();
  if (mkdtemp(path.data()) == nullptr) {
    give_up("no temporary folder at " + path);
  }
  return path;
}

pid_t run_child(std::vector<std::string> const& command, int out, int err, int in,
                std::vector<std::string> const& environment = {}) {
  std::vector<char*> argv;
  for (auto const& word : command) {
    argv.push_back(const_cast<char*>(word.c_str()));
  }
  argv.push_back(nullptr);
  std::vector<char*> variables;
  for (char** one = environ; *one != nullptr; ++one) {
    variables.push_back(*one);
  }
  for (auto const& one : environment) {
    variables.push_back(const_cast<char*>(one.c_str()));
  }
  variables.push_back(nullptr);
  pid_t const child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // no daemon outlives its test
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    execve(argv.front(), argv.data(), variables.data());
    _exit(127);
  }
  return child;
}

int exit_code_of(int status) {
  constexpr int signal_base = 128;
  return WIFEXITED(status) ? WEXITSTATUS(status) : signal_base + WTERMSIG(status);
}

Reply reply_of(web::test::Answer const& answer) {
  auto body = json::parse(answer.body, nullptr, false);
  return {.status = answer.status,
          .body = body.is_discarded() ? json(answer.body) : std::move(body),
          .headers = answer.headers};
}

std::string settings_text(DaemonOptions const& options, std::string const& folder) {
  std::string text = "listen: [\"unix:" + folder + "/runbookd.sock\"" +
                     (options.also_listen.empty() ? "" : ", \"" + options.also_listen + "\"") +
                     "]\nstore:\n  path: " + folder + "/runbookd.db\n" + options.store_settings +
                     "log: {level: debug}\ntargets:\n";
  for (auto const& [name, dsn] : options.targets) {
    text += "  " + name + ": {dsn: \"" + dsn + "\"}\n";
  }
  if (options.targets.empty()) {
    text.replace(text.rfind("targets:\n"), std::string::npos, "targets: {}\n");
  }
  return text + options.more_settings;
}

std::string read_all(int descriptor) {
  std::string text;
  std::array<char, 4096> buffer{};
  for (ssize_t got = 0; (got = read(descriptor, buffer.data(), buffer.size())) > 0;) {
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  close(descriptor);
  return text;
}

}  // namespace

RunningDaemon::RunningDaemon(DaemonOptions options)
    : options_(std::move(options)), folder_(fresh_folder()) {
  std::ofstream(folder_ + "/runbookd.yaml") << settings_text(options_, folder_);
  if (options_.start) {
    start();
  }
}

RunningDaemon::~RunningDaemon() {
  if (pid_ > 0) {
    kill();
  }
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

void RunningDaemon::start() {
  if (!try_start({})) {
    give_up("runbookd ended with " + std::to_string(wait_for_end()) + "\n" + log());
  }
}

void RunningDaemon::launch(std::vector<std::string> const& environment) {
  int const log = open((folder_ + "/log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  int const nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
  pid_ = run_child({runbookd_program(), "--config", folder_ + "/runbookd.yaml"}, log, log, nothing,
                   environment);
  close(log);
  close(nothing);
}

bool RunningDaemon::try_start(std::vector<std::string> const& environment) {
  launch(environment);
  auto const until = std::chrono::steady_clock::now() + patience;
  while (std::chrono::steady_clock::now() < until) {
    try {
      if (get("/livez").status == 200) {
        return true;
      }
    } catch (std::exception const&) {
      if (!alive()) {
        return false;
      }
    }
    std::this_thread::sleep_for(look_every);
  }
  give_up("runbookd does not answer\n" + log());
}

bool RunningDaemon::alive() const {
  siginfo_t info{};
  return waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid == 0;
}

void RunningDaemon::kill() {
  ::kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = 0;
}

int RunningDaemon::terminate() {
  ::kill(pid_, SIGTERM);
  return wait_for_end();
}

int RunningDaemon::wait_for_end() {
  int status = 0;
  waitpid(pid_, &status, 0);
  pid_ = 0;
  return exit_code_of(status);
}

std::string RunningDaemon::log() const { return file_text(folder_ + "/log"); }

Reply RunningDaemon::get(std::string const& path) const {
  return reply_of(web::test::Client(socket()).get(path));
}

Reply RunningDaemon::post(std::string const& path, json const& body, std::string const& actor,
                          std::string const& more_headers) const {
  web::test::Client client(socket());
  client.send(web::test::post_request(
      path, body.dump(),
      "Content-Type: application/json\r\nRunbook-Actor: " + actor + "\r\n" + more_headers));
  return reply_of(client.read_answer());
}

Reply RunningDaemon::post_text(std::string const& path, std::string const& text,
                               std::string const& type) const {
  web::test::Client client(socket());
  client.send(web::test::post_request(path, text, "Content-Type: " + type + "\r\n"));
  return reply_of(client.read_answer());
}

std::string RunningDaemon::stream(std::string const& path, std::string const& more_headers,
                                  std::function<bool(std::string const&)> const& enough) const {
  web::test::Client client(socket());
  client.send(web::test::get_request(path, "Accept: text/event-stream\r\n" + more_headers));
  std::string text = client.read_until("\r\n\r\n");
  while (!enough(text)) {
    auto const more = client.read_until("\n\n");
    if (more.empty()) {
      break;
    }
    text += more;
  }
  return text;
}

std::string RunningDaemon::upload(std::string const& plan_text) {
  auto const reply = post_text("/api/v1/plans", plan_text, "application/yaml");
  if (reply.status != 200 && reply.status != 201) {
    give_up("the plan was refused: " + reply.body.dump(2));
  }
  return reply.body.at("digest");
}

std::string RunningDaemon::create(std::string const& plan_text, std::string const& target,
                                  std::string const& actor) {
  auto const reply = post("/api/v1/runs", {{"plan", upload(plan_text)}, {"target", target}}, actor);
  if (reply.status != 201) {
    give_up("the run was refused: " + reply.body.dump(2));
  }
  return reply.body.at("run");
}

json RunningDaemon::run(std::string const& id) const { return get("/api/v1/runs/" + id).body; }

json RunningDaemon::verb(std::string const& id, std::string const& verb, json const& body,
                         std::string const& actor) {
  auto const reply = post("/api/v1/runs/" + id + "/" + verb, body, actor);
  if (reply.status != 200 && reply.status != 202) {
    give_up(verb + " was refused: " + reply.body.dump(2) + "\n" + run(id).dump(2));
  }
  return reply.body;
}

json RunningDaemon::until(std::string const& id, std::function<bool(json const&)> const& condition,
                          std::string const& what) const {
  auto const end = std::chrono::steady_clock::now() + patience;
  json last;
  while (std::chrono::steady_clock::now() < end) {
    last = run(id);
    if (condition(last)) {
      return last;
    }
    std::this_thread::sleep_for(look_every);
  }
  give_up("waited in vain for " + what + ":\n" + last.dump(2) + "\n" + log());
}

json RunningDaemon::until(std::string const& id, std::vector<std::string> const& states) const {
  return until(
      id,
      [&](json const& run) {
        return std::find(states.begin(), states.end(), run.value("state", "")) != states.end();
      },
      "state " + states.front());
}

std::vector<json> RunningDaemon::events(std::string const& id) const {
  std::vector<json> all;
  int after = 0;
  for (;;) {
    auto const page =
        get("/api/v1/runs/" + id + "/events?limit=500&after=" + std::to_string(after)).body;
    for (auto const& event : page.at("events")) {
      all.push_back(event);
      after = event.at("seq");
    }
    if (!page.value("more", false)) {
      return all;
    }
  }
}

Finished run_program(std::vector<std::string> const& command, std::string const& input) {
  std::array<int, 2> out{}, err{}, in{};
  if (pipe2(out.data(), O_CLOEXEC) != 0 || pipe2(err.data(), O_CLOEXEC) != 0 ||
      pipe2(in.data(), O_CLOEXEC) != 0) {
    give_up("no pipe");
  }
  pid_t const child = run_child(command, out[1], err[1], in[0]);
  close(out[1]);
  close(err[1]);
  close(in[0]);
  (void)!write(in[1], input.data(), input.size());
  close(in[1]);
  Finished finished;
  std::thread reader([&] { finished.err = read_all(err[0]); });
  finished.out = read_all(out[0]);
  reader.join();
  int status = 0;
  waitpid(child, &status, 0);
  finished.exit_code = exit_code_of(status);
  return finished;
}

std::string runbookd_program() { return RUNBOOKD_PROGRAM; }
std::string runbookctl_program() { return RUNBOOKCTL_PROGRAM; }
std::string source_folder() { return RUNBOOKD_SOURCE_DIR; }

std::string file_text(std::string const& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace runbookd::testing
