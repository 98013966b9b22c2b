// Power cuts: the store stands on an ext4 of its own in a file, which is shut down under a working
// writer without flushing anything, and mounted again. Needs the right to mount; says so without
// it.
#include <csignal>
#include <cstdlib>
#include <random>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "tests/store/scratch.h"

namespace runbookd::store {
namespace {

namespace fs = std::filesystem;

// from the kernel's ext4 header, which programs do not get
constexpr unsigned long ext4_shutdown = _IOR('X', 125, std::uint32_t);
constexpr std::uint32_t without_flushing_its_journal = 2;

int cuts() {
  auto const* const more = std::getenv("RUNBOOKD_POWER_CUTS");
  return more == nullptr ? 20 : std::atoi(more);
}

bool run(std::string const& command) {
  return std::system((command + " >/dev/null 2>&1").c_str()) == 0;
}

class Disk {
 public:
  Disk() {
    fs::create_directory(folder());
    made_ =
        run("truncate -s 64M '" + image() + "' && mkfs.ext4 -q -F '" + image() + "'") && mount();
  }
  ~Disk() { run("umount '" + folder() + "'"); }
  Disk(Disk const&) = delete;
  Disk& operator=(Disk const&) = delete;

  bool made() const { return made_; }
  std::string store() const { return folder() + "/runbookd.db"; }
  bool cut() const {
    auto const opened = ::open(folder().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    auto how = without_flushing_its_journal;
    bool const done = opened >= 0 && ::ioctl(opened, ext4_shutdown, &how) == 0;
    if (opened >= 0)
      ::close(opened);
    return done;
  }
  bool mount() const { return run("mount -o loop '" + image() + "' '" + folder() + "'"); }
  bool unmount() const { return run("umount '" + folder() + "'"); }

 private:
  std::string image() const { return scratch_.path("disk"); }
  std::string folder() const { return scratch_.path("mounted"); }
  Scratch scratch_;
  bool made_ = false;
};

enum class Syncs { at_each_commit, never };

// Appends for ever; `promised` (shared memory) is the last revision that a client would have heard
// of.
[[noreturn]] void write_until_killed(std::string const& path, Syncs syncs,
                                     planner::EventSeq volatile* promised) {
  auto const store = Store::open({.path = path});
  if (!store)
    ::_exit(3);
  if (syncs == Syncs::never)
    (*store)->connection().run_script("PRAGMA synchronous = 1");
  auto const event = event_of(planner::RunResumed{}, std::string(700, 'r'));
  auto const found = (*store)->journal().find({"run_1"});
  for (auto revision = found ? found->revision : 0;; ++revision) {
    if (!(*store)->journal().append({append_of("run_1", revision, {event})}))
      ::_exit(4);
    *promised = revision + 1;
  }
}

struct Shared {
  planner::EventSeq volatile* number = static_cast<planner::EventSeq*>(
      ::mmap(nullptr, sizeof(planner::EventSeq), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
             -1, 0));
};

struct Tally {
  bool possible = false;
  int cuts = 0;
  int lost = 0;  // cuts after which something promised was not there
  planner::EventSeq promised = 0;
};

// One cut; what was promised before it began must be there after it.
bool promise_survives(Disk const& disk, Syncs syncs, std::chrono::microseconds later,
                      Tally& tally) {
  Shared const shared;
  *shared.number = 0;
  auto const writer = ::fork();
  if (writer == 0)
    write_until_killed(disk.store(), syncs, shared.number);
  while (*shared.number == 0 && ::waitpid(writer, nullptr, WNOHANG) == 0)
    ::usleep(100);
  ::usleep(static_cast<useconds_t>(later.count()));
  auto const promised = *shared.number;
  tally.possible = disk.cut();
  ::kill(writer, SIGKILL);
  ::waitpid(writer, nullptr, 0);
  REQUIRE(disk.unmount());
  REQUIRE(disk.mount());
  auto const store = Store::open({.path = disk.store()});
  if (!store) {
    // a store behind its mark is refused: that is the loss
    INFO(store.error().detail);
    CHECK(syncs == Syncs::never);
    return false;
  }
  CHECK((*store)->journal().verify({"run_1"}) == 0);
  tally.promised += promised;
  auto const found = (*store)->journal().find({"run_1"});
  return promised == 0 || (found && found->revision >= promised);
}

Tally cut_power(Syncs syncs) {
  Tally tally;
  std::mt19937 chance(
      31);  // NOLINT: the same moments each time, as far as a scheduler lets them be
  Disk const disk;
  if (!disk.made())
    return tally;
  REQUIRE(Store::open({.path = disk.store()}).value()->plans().put(plan_of('a')));
  for (; tally.cuts < cuts(); ++tally.cuts) {
    std::chrono::microseconds const later(20'000 + chance() % 150'000);
    tally.lost += promise_survives(disk, syncs, later, tally) ? 0 : 1;
    if (!tally.possible)
      return tally;
    if (syncs == Syncs::never && tally.lost > 0)
      return tally;
  }
  return tally;
}

TEST_CASE("a power cut at any moment loses nothing that was promised") {
  auto const tally = cut_power(Syncs::at_each_commit);
  if (!tally.possible) {
    MESSAGE("skipped: mounting a loop device, or the shutdown of ext4, is not allowed here");
    return;
  }
  MESSAGE(tally.cuts << " power cuts, " << tally.promised << " promises, " << tally.lost
                     << " lost");
  CHECK(tally.lost == 0);
}

TEST_CASE("the power cut has teeth: without a sync at each commit promises are lost") {
  auto const tally = cut_power(Syncs::never);
  if (!tally.possible) {
    MESSAGE("skipped: mounting a loop device, or the shutdown of ext4, is not allowed here");
    return;
  }
  CHECK(tally.lost > 0);
}

}  // namespace
}  // namespace runbookd::store
