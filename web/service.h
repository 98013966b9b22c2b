// What web/ needs from the rest of the program. daemon/ implements it. Called on the I/O thread
// only; answers at once (the slowest part is one synced SQLite commit) where it is not said
// otherwise. Documents are finished JSON text.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "planner/access.h"
#include "planner/command.h"
#include "planner/error.h"
#include "planner/ids.h"
#include "planner/plan_reader.h"
#include "web/gatekeeper.h"

namespace runbookd::web {

using planner::Result;
using planner::RunId;

// A JSON document and, for runs, its revision (the ETag).
struct Document {
  std::string json;
  planner::EventSeq revision = 0;
};

struct PlanUpload {
  std::string text;
  std::string file_name;  // for places in findings
  std::string actor;
  std::map<std::string, std::string> files;  // sql_file contents by relative path
};
struct UploadedPlan {
  Document document;
  std::string digest;
  bool created = false;  // false: the same plan was there already
};

struct PlanQuery {
  int limit = 50;
  std::string cursor;
  planner::Principal caller;  // only plans that did not run on other targets only
};

struct RunRequest {
  std::string plan;  // digest, or a unique prefix of at least 12 hexadecimal digits
  std::string target;
  std::string note;
  std::string actor;
};
struct RunQuery {
  std::string state, target, plan, actor;  // empty = any
  planner::Moment since{};                 // changed then or later
  int limit = 50;
  std::string cursor;
  planner::Principal caller;  // only runs on targets that it may read
};

// What of a run, and of a step, is asked for by itself.
enum class RunPart { steps, phases, gates };
enum class StepPart { all, attempts };

struct EventLine {
  planner::EventSeq seq = 0;  // 0: live only, never replayed (progress)
  std::string kind;
  std::string json;  // one line
};
struct EventPage {
  std::vector<EventLine> events;
  bool more = false;
  bool run_is_final = false;
};

// Destroying it ends the subscription.
class Subscription {
 public:
  virtual ~Subscription() = default;
};

// Called once, on the I/O thread, perhaps before the question returns.
using Told = std::function<void(Result<Document>)>;

class RunService {
 public:
  virtual ~RunService() = default;

  virtual Document about() = 0;  // version, targets by name, store id, hold
  virtual Document ready() = 0;  // {"ready":bool,"checks":[…]}
  virtual bool is_ready() = 0;
  virtual Result<std::string> metrics() = 0;  // in Prometheus's text form

  // A copy of the store, made a piece at a time beside the store itself: whoever asks cannot name a
  // file. The document says how far it is; asking while one is made starts no second one.
  virtual Result<Document> start_backup() = 0;
  virtual Result<Document> show_backup() = 0;

  virtual Result<UploadedPlan> upload_plan(PlanUpload const& upload) = 0;
  virtual Result<Document> validate_plan(PlanUpload const& upload) = 0;
  virtual Result<Document> list_plans(PlanQuery const& query) = 0;
  virtual Result<Document> show_plan(std::string const& digest,
                                     planner::Principal const& caller) = 0;
  // What the other plan does differently.
  virtual Result<Document> diff_plans(std::string const& digest, std::string const& against,
                                      planner::Principal const& caller) = 0;

  // Who asks, and what of it is recorded.
  virtual Gatekeeper& gate() = 0;

  virtual Result<Document> create_run(RunRequest const& request,
                                      planner::Principal const& caller) = 0;
  virtual Result<Document> list_runs(RunQuery const& query) = 0;
  virtual Result<std::string> target_of(RunId const& run) = 0;
  // `actions` are those of the caller.
  virtual Result<Document> show_run(RunId const& run, planner::Principal const& caller) = 0;
  virtual Result<Document> show_part(RunId const& run, RunPart part) = 0;
  virtual Result<Document> show_step(RunId const& run, std::string const& step, StepPart part) = 0;
  virtual Result<Document> rollback_preview(RunId const& run, planner::RollBack const& ask) = 0;

  // The target is asked first, on another thread: these answer later, and after some seconds at
  // most.
  virtual void show_locks(RunId const& run, Told told) = 0;
  // Of the named phase; empty: the one that is entered next.
  virtual void show_preflight(RunId const& run, std::string const& phase, Told told) = 0;

  // What is in a target's database, as far as it decides what SQL does there.
  virtual void show_catalog(std::string const& target, Told told) = 0;
  // What that database says now of each `rollback: auto` of a plan that no text tells.
  virtual void show_ways_back(std::string const& target, PlanUpload const& upload, Told told) = 0;

  // `expected`: If-Match; the command is refused with stale_revision when the run has moved on.
  // The document is the run's snapshot after the command was recorded.
  virtual Result<Document> submit(RunId const& run, planner::Command const& command,
                                  std::optional<planner::EventSeq> expected,
                                  planner::Principal const& caller) = 0;

  virtual Result<EventPage> events_after(RunId const& run, planner::EventSeq after, int limit) = 0;
  // Calls `grown` (on the I/O thread, never from inside this call) whenever the run has new events
  // or a new live line. At most one live line is kept: the newest progress.
  virtual std::unique_ptr<Subscription> when_grown(RunId const& run,
                                                   std::function<void()> grown) = 0;
  virtual std::optional<EventLine> live_line(RunId const& run) = 0;
};

}  // namespace runbookd::web
