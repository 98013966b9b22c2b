#include "daemon/worker.h"

#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

namespace runbookd::daemon {

struct Worker::Parts {
  boost::asio::io_context& io;
  boost::asio::thread_pool thread{1};
};

Worker::Worker(boost::asio::io_context& io) : parts_(new Parts{.io = io}) {}

Worker::~Worker() {
  parts_->thread.stop();
  parts_->thread.join();
}

void Worker::post(std::function<void()> job) { boost::asio::post(parts_->thread, std::move(job)); }

void Worker::answer(std::function<void()> on_io_thread) {
  boost::asio::post(parts_->io, std::move(on_io_thread));
}

}  // namespace runbookd::daemon
