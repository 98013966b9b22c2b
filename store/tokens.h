// Who may reach the daemon, by tokens of which only a hash is kept. Same thread and same failures
// as the journal.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "planner/access.h"
#include "planner/time.h"
#include "store/file.h"
#include "store/sqlite.h"

namespace runbookd::store {

struct StoredToken {
  std::string id;    // 8 hexadecimal digits, not secret
  std::string hash;  // SHA-256 of the secret
  std::string name, principal;
  planner::Grants grants;
  planner::Moment created{};
  std::string created_by;
  std::optional<planner::Moment> expires, last_used, revoked;
  std::string revoked_by;
};

class Tokens {
 public:
  explicit Tokens(Connection& connection);

  // Was one ever made? Those that are revoked count.
  planner::Result<bool> any() const;
  planner::Result<void> put(StoredToken const& token);
  planner::Result<std::optional<StoredToken>> find(std::string const& id) const;
  planner::Result<std::vector<StoredToken>> list() const;  // the newest first
  planner::Result<void> revoke(std::string const& id, planner::Moment when, std::string const& by);
  // The minute is enough, so that reading costs no write: a caller asks for it seldom.
  planner::Result<void> used(std::string const& id, planner::Moment when);

 private:
  template <typename... Args>
  planner::Result<void> write(Statement& statement, Args const&... args);

  Connection& connection_;
  OpenFile file_;
  Statement insert_, revoke_, used_;
  mutable Statement any_, select_, list_;
};

}  // namespace runbookd::store
