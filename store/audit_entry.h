// One entry of the audit: who asked for what, what was decided, and what it met. Its text is JSON
// with the members in a fixed order; what is not known or does not apply is left out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "planner/ids.h"
#include "planner/time.h"

namespace runbookd::store {

// How far the record of a run had come, and the hash of its last event.
struct EventsHead {
  std::string run;
  planner::EventSeq revision = 0;
  std::string hash;
};

struct RunStanding {
  std::string state;
  planner::EventSeq revision = 0;
};

struct AuditEntry {
  planner::Moment at{};
  bool late = false;    // the store took no entry at that time
  std::string kind;     // request, auth, read, system
  std::string action;   // "start", "tokens.create", "daemon.started"
  std::string outcome;  // allowed, denied, failed, replayed
  int status = 0;       // of the HTTP answer
  std::string problem;  // the code of a refusal
  std::string actor;
  bool proven = true;  // false: the name is what the actor says of himself
  std::string roles, auth, token, source, agent, request;
  std::string method, path;
  std::string run, target, plan, phase, step;
  std::string reason, ticket;
  std::optional<planner::EventSeq> saw;  // the revision that the actor had seen
  std::string key;                       // SHA-256 of the Idempotency-Key
  std::optional<RunStanding> before, after;
  std::vector<EventsHead> events;
  std::int64_t count = 1;  // so many times, where a row for each would be too many
  std::string detail;
};

// `seq` comes first, so that a reader finds it without reading JSON.
std::string to_text(AuditEntry const& entry, std::int64_t seq);

// The heads of runs that an entry holds, from its text or from a line with it.
std::vector<EventsHead> events_in(std::string_view text);

}  // namespace runbookd::store
