// What the store's tests share: a folder of their own, a store in it, events to put into it.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include "planner/digest.h"
#include "store/store.h"

namespace runbookd::store {

// Removed with everything in it at the end of the test.
class Scratch {
 public:
  Scratch() {
    auto name = (std::filesystem::temp_directory_path() / "runbookd-store-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr)
      throw std::runtime_error("no temporary folder");
    folder_ = name;
    // some tests look at it as somebody else
    std::filesystem::permissions(folder_, std::filesystem::perms(0755));
  }
  ~Scratch() { std::filesystem::remove_all(folder_); }
  Scratch(Scratch const&) = delete;
  Scratch& operator=(Scratch const&) = delete;

  std::string folder() const { return folder_.string(); }
  std::string path(std::string const& name = "runbookd.db") const {
    return (folder_ / name).string();
  }

  std::unique_ptr<Store> open(std::int64_t max_pages = 0) const {
    auto opened = Store::open({.path = path(), .max_pages = max_pages});
    if (!opened)
      throw std::runtime_error(opened.error().detail);
    return std::move(*opened);
  }

 private:
  std::filesystem::path folder_;
};

inline std::string contents_of(std::string const& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}
inline void write_file(std::string const& path, std::string const& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

inline planner::PlanDigest digest_of(char digit) { return {"sha256:" + std::string(64, digit)}; }

inline StoredPlan plan_of(char digit) {
  return {.digest = digest_of(digit),
          .name = std::string("plan-") + digit,
          .title = "A plan",
          .canonical = "{}",
          .stored = planner::Moment(planner::Duration(1000)),
          .actor = "ann"};
}

// Called as plan_of('a') is, and its text really has its digest.
inline StoredPlan true_plan() {
  auto plan = plan_of('a');
  plan.canonical = "{}";
  plan.digest = {"sha256:" + planner::sha256_hex(plan.canonical)};
  return plan;
}

inline planner::Event event_of(planner::EventBody body, std::string reason = "") {
  return {.at = planner::Moment(planner::Duration(1'700'000'000'123)),
          .actor = "ann",
          .reason = std::move(reason),
          .body = std::move(body)};
}

// One more of a run's facts; its plan is plan_of('a').
inline Append append_of(std::string const& run, planner::EventSeq expected,
                        planner::Events events = {event_of(planner::RunResumed{})}) {
  return {.run = {run},
          .expected = expected,
          .events = std::move(events),
          .summary = {.plan = digest_of('a'),
                      .plan_name = "plan-a",
                      .target = "main",
                      .state = "running",
                      .direction = "forward"}};
}

// Runs `work` in a process of its own, as an ordinary user where this one is root, whom nothing is
// forbidden. What `work` answers comes back; it should be what the child saw, as text.
template <typename Work>
std::string in_child(Work work, bool as_nobody = false) {
  int ends[2];
  if (::pipe(ends) != 0)
    throw std::runtime_error("no pipe");
  auto const child = ::fork();
  if (child == 0) {
    bool const changed = !as_nobody || ::geteuid() != 0 || ::setresuid(65534, 65534, 65534) == 0;
    std::string const answer = changed ? work() : "could not become nobody";
    auto const written = ::write(ends[1], answer.data(), answer.size());
    ::_exit(written == static_cast<ssize_t>(answer.size()) ? 0 : 1);
  }
  ::close(ends[1]);
  std::string answer;
  char buffer[512];
  for (ssize_t size = 0; (size = ::read(ends[0], buffer, sizeof buffer)) > 0;) {
    answer.append(buffer, static_cast<std::size_t>(size));
  }
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  return answer;
}

inline std::string refusal_of(std::string const& path) {
  auto const opened = Store::open({.path = path});
  return opened ? "opened" : opened.error().detail;
}

inline bool contains(std::string const& text, std::string const& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace runbookd::store
