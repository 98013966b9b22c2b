#include "tests/web/running_server.h"

#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <optional>
#include <stdexcept>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

namespace runbookd::web::test {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::seconds longest_wait{30};

// What the I/O thread tells the test's thread.
template <typename Item>
class Mailbox {
 public:
  void put(Item item) {
    std::lock_guard const lock(mutex_);
    items_.push_back(std::move(item));
    came_.notify_all();
  }
  Item take() {
    std::unique_lock lock(mutex_);
    if (!came_.wait_for(lock, longest_wait, [this] { return !items_.empty(); })) {
      throw std::runtime_error("what the test waits for did not come");
    }
    auto item = std::move(items_.front());
    items_.pop_front();
    return item;
  }

 private:
  std::mutex mutex_;
  std::condition_variable came_;
  std::deque<Item> items_;
};

}  // namespace

struct RunningServer::Parts {
  FakeService service;
  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> work = asio::make_work_guard(io);
  std::optional<Server> server;
  Mailbox<AccessLine> accesses;
  Mailbox<std::string> troubles;
  Mailbox<std::string> exceptions;
  std::thread thread;
};

TempDir::TempDir() {
  std::string name = (std::filesystem::temp_directory_path() / "runbookd-web-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) {
    throw std::runtime_error("cannot make a temporary directory");
  }
  path_ = name;
}

TempDir::~TempDir() { std::filesystem::remove_all(path_); }

RunningServer::RunningServer(ServerOptions options,
                             std::function<void(FakeService&)> const& prepare)
    : parts_(std::make_unique<Parts>()) {
  if (options.listen.empty()) {
    options.listen = {"127.0.0.1:0"};
  }
  options.on_request = [parts = parts_.get()](AccessLine const& line) {
    parts->accesses.put(line);
  };
  options.on_trouble = [parts = parts_.get()](std::string const& what) {
    parts->troubles.put(what);
  };
  if (prepare) {
    prepare(parts_->service);
  }
  parts_->server.emplace(parts_->io, parts_->service, std::move(options));
  auto bound = parts_->server->listen();
  if (!bound) {
    throw std::runtime_error(bound.error().detail);
  }
  addresses_ = std::move(*bound);
  parts_->thread = std::thread([parts = parts_.get()] {
    try {
      parts->io.run();
    } catch (std::exception const& thrown) {
      parts->exceptions.put(thrown.what());
    }
  });
}

RunningServer::~RunningServer() {
  asio::post(parts_->io, [parts = parts_.get()] {
    parts->server.reset();
    parts->work.reset();
  });
  parts_->thread.join();
  parts_->server.reset();
}

void RunningServer::on_io(std::function<void(FakeService&)> const& what) {
  std::promise<void> done;
  asio::post(parts_->io, [&] {
    what(parts_->service);
    done.set_value();
  });
  done.get_future().get();
}

void RunningServer::stop() {
  on_io([this](FakeService&) { parts_->server->stop(); });
}

void RunningServer::destroy() {
  on_io([this](FakeService&) { parts_->server.reset(); });
}

void RunningServer::wait_until_idle() {
  bool idle = false;
  while (!idle) {
    on_io([&](FakeService&) { idle = !parts_->server || parts_->server->idle(); });
    std::this_thread::yield();
  }
}

AccessLine RunningServer::next_access() { return parts_->accesses.take(); }
std::string RunningServer::next_trouble() { return parts_->troubles.take(); }
std::string RunningServer::thrown() { return parts_->exceptions.take(); }

}  // namespace runbookd::web::test
