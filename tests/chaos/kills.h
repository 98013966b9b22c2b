// SIGKILL at random moments of a run of all kinds of steps, life after life.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "tests/chaos/crew.h"

namespace runbookd::chaos {

struct KillOptions {
  int kills = 0;
  int within_ms = 500;                          // of a daemon's life
  std::optional<std::chrono::minutes> minutes;  // ends after so long, however many kills that is
  unsigned seed = 1;
  std::string only;  // "fills": of backfills alone; empty: of all kinds of steps
};

void run_kills(Crew& crew, KillOptions const& options);

}  // namespace runbookd::chaos
