// An application that moves money between accounts while their table is changed under it.
#pragma once

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace runbookd::chaos {

class Bank {
 public:
  // Each client works on a session of its own, and on a new one where the old one is lost.
  Bank(std::string dsn, int clients);
  // All clients have stopped, and every move of theirs has ended one way or the other.
  void stop();
  long long moved() const { return moved_; }    // whose COMMIT was answered
  long long unsure() const { return unsure_; }  // whose COMMIT was not

 private:
  void work(std::stop_token const& stop, unsigned seed);

  std::string dsn_;
  std::atomic<long long> moved_{0}, unsure_{0};
  std::vector<std::jthread> clients_;
};

}  // namespace runbookd::chaos
