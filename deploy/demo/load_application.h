// One connection of the simulated application: the transactions that each deployed version makes.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <random>
#include <string>

#include <libpq-fe.h>

#include "deploy/demo/load_statistics.h"

namespace runbookd::demo {

enum class AppVersion { v1, v2, v3 };

std::string name_of(AppVersion version);

// The tables as the application finds them when it starts.
struct KnownRows {
  std::int64_t last_user = 0;
  std::int64_t last_account = 0;
};

class LoadApplication {
 public:
  LoadApplication(std::string dsn, unsigned seed);

  // Empty: connected. Otherwise libpq's message.
  std::string connect();
  KnownRows look_around();
  // One transaction in the manner of that version. An error is part of the result.
  Transaction transact(AppVersion version, KnownRows const& known);
  // May be called from another thread while transact() waits.
  void cancel();

 private:
  struct CloseConnection {
    void operator()(PGconn* connection) const { PQfinish(connection); }
  };
  struct FreeCancel {
    void operator()(PGcancel* cancel) const { PQfreeCancel(cancel); }
  };
  struct Parameters {
    std::string first;
    std::string second;
  };

  Transaction run(char const* kind, char const* sql, Parameters const& parameters);
  std::int64_t pick(std::int64_t last);
  std::int64_t single_number(char const* sql);

  std::string dsn_;
  std::minstd_rand chance_;
  std::unique_ptr<PGconn, CloseConnection> connection_;
  std::mutex cancel_mutex_;  // a reconnection renews what cancel() uses
  std::unique_ptr<PGcancel, FreeCancel> cancel_;
};

}  // namespace runbookd::demo
