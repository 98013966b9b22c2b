// Answers to requests that carried an Idempotency-Key, so that asking again does nothing again.
// Same thread and same failures as the journal.
#pragma once

#include <optional>
#include <string>

#include "planner/error.h"
#include "planner/time.h"
#include "store/sqlite.h"

namespace runbookd::store {

struct KeptAnswer {
  std::string scope;        // who asked, for what, with which key: hashed
  std::string fingerprint;  // of what was sent
  planner::Moment at{};
  int status = 0;
  std::string headers;  // "Name: value" lines
  std::string body;
};

class Answers {
 public:
  static constexpr int most = 100'000;
  static constexpr auto kept_for = std::chrono::hours{24};

  explicit Answers(Connection& connection);

  // Within a transaction of the caller's; throws StoreFailure. One of the same scope is replaced.
  void write(KeptAnswer const& answer);
  planner::Result<void> keep(KeptAnswer const& answer);
  planner::Result<std::optional<KeptAnswer>> find(std::string const& scope) const;
  // Those that are older than `kept_for`, and the oldest beyond `most`.
  planner::Result<void> forget_old(planner::Moment now);

 private:
  Connection& connection_;
  Statement insert_, forget_, forget_beyond_;
  mutable Statement select_;
};

}  // namespace runbookd::store
