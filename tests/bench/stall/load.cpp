#include "tests/bench/stall/load.h"

#include <algorithm>
#include <cstdio>
#include <random>

#include "tests/bench/stall/link.h"

namespace runbookd::bench {

using std::chrono::milliseconds;

Load::Load(std::string dsn, LoadPlan const& plan)
    : dsn_(std::move(dsn)), plan_(plan), done_(static_cast<std::size_t>(plan.clients)) {
  for (int i = 0; i < plan_.clients; ++i) {
    threads_.emplace_back([this, i] { work(i); });
  }
  for (int i = 0; i < plan_.readers; ++i) {
    threads_.emplace_back([this, i] { read(i); });
  }
}

Load::~Load() { (void)stop(); }

std::vector<Transaction> Load::stop() {
  over_ = true;
  for (auto& thread : threads_) {
    thread.join();
  }
  threads_.clear();
  std::vector<Transaction> all;
  for (auto const& some : done_) {
    all.insert(all.end(), some.begin(), some.end());
  }
  std::ranges::sort(all, {}, &Transaction::done);
  return all;
}

void Load::work(int client) try {
  Link link(dsn_ + " application_name=app");
  std::minstd_rand dice(static_cast<unsigned>(client) + 1);
  std::uniform_int_distribution<int> any(1, plan_.rows);
  auto const between =
      std::chrono::duration<double>(plan_.rate > 0 ? plan_.clients / plan_.rate : 0);
  auto const first = began_ + std::chrono::duration_cast<Clock::duration>(
                                  between * (static_cast<double>(client) / plan_.clients));
  auto& done = done_[static_cast<std::size_t>(client)];
  for (std::int64_t n = 0; !over_; ++n) {
    auto due = Clock::now();
    if (plan_.rate > 0) {
      due = first + std::chrono::duration_cast<Clock::duration>(between * n);
      std::this_thread::sleep_until(due);
    }
    auto const id = std::to_string(any(dice));
    link.run(plan_.two_statements ? "BEGIN; SELECT a FROM t WHERE id = " + id +
                                        "; UPDATE t SET a = a + 1 WHERE id = " + id + "; COMMIT"
                                  : "UPDATE t SET a = a + 1 WHERE id = " + id);
    done.push_back({.due = due, .done = Clock::now()});
  }
} catch (std::exception const& e) {
  std::fprintf(stderr, "application: %s\n", e.what());
}

// As long at rest as at work, so that the table is sometimes free.
void Load::read(int reader) try {
  Link link(dsn_ + " application_name=reader");
  std::minstd_rand dice(static_cast<unsigned>(reader) + 1'000);
  std::uniform_int_distribution<int> length(20, 400);
  while (!over_) {
    link.run("BEGIN; SELECT a FROM t WHERE id = 1; SELECT pg_sleep(" +
             std::to_string(length(dice)) + " / 1000.0); COMMIT");
    std::this_thread::sleep_for(milliseconds(length(dice)));
  }
} catch (std::exception const& e) {
  std::fprintf(stderr, "reader: %s\n", e.what());
}

}  // namespace runbookd::bench
