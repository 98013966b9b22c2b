// The real daemon on a real server against the pure core: random plans, several operators at once,
// deaths at random moments and at named points. When it is over, every answer, document, event and
// effect must be what the core makes of the record.
#pragma once

#include "tests/chaos/crew.h"

namespace runbookd::chaos {

struct SequenceOptions {
  int count = 0;
  unsigned seed = 1;
  int from = 0;  // the first sequence's number: one that failed is run again alone
};

void run_sequences(Crew& crew, SequenceOptions const& options);

}  // namespace runbookd::chaos
