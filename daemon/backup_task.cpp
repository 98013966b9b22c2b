#include "daemon/backup_task.h"

#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

namespace runbookd::daemon {
namespace {
// A turn of the loop stays shorter than a commit: 64 pages are 256 KiB.
constexpr int pages_per_turn = 64;
}  // namespace

BackupTask::BackupTask(boost::asio::io_context& io, store::Connection& store,
                       std::function<void(std::string const&)> trouble)
    : io_(io), store_(store), trouble_(std::move(trouble)) {}

planner::Result<void> BackupTask::begin() {
  if (backup_) {
    return {};
  }
  auto begun = store::Backup::begin(store_, store_.path() + ".backup");
  if (!begun) {
    return tl::unexpected(begun.error());
  }
  backup_ = std::move(*begun);
  facts_ = {.state = BackupFacts::State::running, .file = store_.path() + ".backup"};
  go_on();
  return {};
}

void BackupTask::go_on() {
  boost::asio::post(io_, [this] { step(); });
}

void BackupTask::step() {
  auto const whole = backup_->step(pages_per_turn);
  if (!whole) {
    fail(whole.error());
    return;
  }
  facts_.pages = backup_->pages();
  facts_.pages_left = backup_->pages_left();
  if (!*whole) {
    go_on();
    return;
  }
  facts_.state = BackupFacts::State::done;
  backup_.reset();
}

void BackupTask::fail(planner::Error const& error) {
  facts_.state = BackupFacts::State::failed;
  facts_.detail = error.detail;
  facts_.next = error.next;
  backup_.reset();
  trouble_("backup: " + error.detail);
}

}  // namespace runbookd::daemon
