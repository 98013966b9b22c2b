// What web/ asks of the audit: an entry for each request that wants a change, opened before it is
// judged and taken along by whatever it changes. daemon/ implements it; called on the I/O thread
// only.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "planner/ids.h"
#include "planner/time.h"
#include "web/http.h"

namespace runbookd::web {

struct Document;
using Told = std::function<void(planner::Result<Document>)>;

// What a request says of itself.
struct Asked {
  std::string kind, action;  // "request", "start"
  std::string actor, roles, auth, token, source, agent;
  bool proven = true;
  std::string method, path;
  std::string run, phase, step, reason, ticket;
  std::optional<planner::EventSeq> saw;
  bool stops = false;  // done even where it cannot be recorded
};

// A request that its client may send again (Idempotency-Key).
struct Keyed {
  std::string scope;        // who, what, and the key; hashed
  std::string fingerprint;  // of what else was sent
  std::string key;          // hashed
};

// The entry of one request, from before it is judged until it is answered.
class Recording {
 public:
  virtual ~Recording() = default;
  virtual std::string const& id() const = 0;  // of the request
  // The handler has returned: what changes from here on is not its doing.
  virtual void leave() = 0;
  // What is answered. An error: that had to be recorded first, and could not be, so it is refused.
  virtual planner::Result<void> end(Response const& response) = 0;
};

struct AuditQuery {
  std::string actor, action, run, outcome;  // empty: any
  std::optional<planner::Moment> since, until;
  int limit = 50;
  std::int64_t before = 0;  // the page's cursor; 0: the first
};

class Auditor {
 public:
  virtual ~Auditor() = default;

  virtual std::unique_ptr<Recording> begin(Asked const& asked,
                                           std::optional<Keyed> const& keyed) = 0;
  // The answer that the request had when it came before; nothing: it is new. Refused while it is
  // under way, and when the key came with something else.
  virtual planner::Result<std::optional<Response>> answered(Keyed const& keyed) = 0;

  virtual planner::Result<Document> search(AuditQuery const& query) = 0;
  virtual planner::Result<Document> key() = 0;
  virtual void verify(Told told) = 0;
  // Lines of JSON, a part at a time.
  virtual planner::Result<Parts> read_out() = 0;
};

}  // namespace runbookd::web
