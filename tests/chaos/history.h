// What clients asked a daemon and what they heard: written down while it happens, judged when it is
// over.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "planner/ids.h"
#include "planner/time.h"

namespace runbookd::chaos {

// A verb. Its actor is nobody else's, so that its events are found in the journal.
struct Exchange {
  std::string actor, verb, body;
  std::optional<planner::EventSeq> if_match;
  // The run's revision when it was sent was no less, and when it was decided no more: what the same
  // client saw before and after.
  planner::EventSeq seen_before = 0;
  std::optional<planner::EventSeq> seen_after;
  planner::Moment sent{}, answered{};
  int status = 0;  // 0: no answer was heard
  nlohmann::json answer;
  planner::EventSeq revision = 0;  // of the answer's ETag

  bool accepted() const { return status == 200 || status == 202; }
};

// The run as it was shown at one revision.
struct Shown {
  planner::EventSeq revision = 0;
  planner::Moment asked{}, answered{};
  nlohmann::json document;
};

struct Heard {
  std::vector<Exchange> exchanges;
  std::vector<Shown> shown;
};

// Filled by several clients at once.
class History {
 public:
  void add(Exchange one) {
    std::lock_guard const lock(mutex_);
    heard_.exchanges.push_back(std::move(one));
  }
  void add(Shown one) {
    std::lock_guard const lock(mutex_);
    heard_.shown.push_back(std::move(one));
  }
  Heard const& heard() const { return heard_; }  // when all clients have ended

 private:
  std::mutex mutex_;
  Heard heard_;
};

std::string to_text(Exchange const& one);  // a line for people

}  // namespace runbookd::chaos
