#include "store/audit.h"

#include <limits>
#include <utility>

#include "store/chain.h"

namespace runbookd::store {
namespace {

using planner::Duration;
using planner::Moment;
using planner::Result;

constexpr auto insert_entry = R"sql(
  INSERT INTO audit (seq, at, actor, action, outcome, run, text, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
)sql";
constexpr auto insert_checkpoint = R"sql(
  INSERT INTO checkpoint (entries, at, key, note) VALUES (?1, ?2, ?3, ?4)
)sql";
constexpr auto select_head = "SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1";
constexpr auto find_entries = R"sql(
  SELECT seq, text, hash FROM audit
  WHERE seq < ?1 AND (?2 = '' OR actor = ?2) AND (?3 = '' OR action = ?3) AND (?4 = '' OR run = ?4)
    AND (?5 = '' OR outcome = ?5) AND at >= ?6 AND at <= ?7
  ORDER BY seq DESC LIMIT ?8
)sql";
constexpr auto entries_after = R"sql(
  SELECT seq, text, hash FROM audit WHERE seq > ?1 ORDER BY seq LIMIT ?2
)sql";
constexpr auto select_hash = "SELECT hash FROM audit WHERE seq = ?1";
constexpr auto checkpoints_after_sql = R"sql(
  SELECT entries, at, key, note FROM checkpoint WHERE entries > ?1 ORDER BY entries LIMIT ?2
)sql";
constexpr auto last_checkpoint_sql = R"sql(
  SELECT entries, at, key, note FROM checkpoint ORDER BY entries DESC LIMIT 1
)sql";
constexpr auto covering_checkpoint = R"sql(
  SELECT entries, at, key, note FROM checkpoint WHERE entries >= ?1 ORDER BY entries LIMIT 1
)sql";
constexpr auto select_keys = "SELECT DISTINCT key FROM checkpoint ORDER BY 1";
constexpr auto select_run = R"sql(
  SELECT run.plan, run.target, run.state, run.revision, event.hash
  FROM run LEFT JOIN event ON event.run = run.id AND event.seq = run.revision
  WHERE run.id = ?1
)sql";
constexpr auto heads_since_sql = R"sql(
  SELECT run.id, run.revision, event.hash
  FROM run JOIN event ON event.run = run.id AND event.seq = run.revision
  WHERE run.changed_at >= ?1 ORDER BY run.id
)sql";
constexpr auto select_event_hash = "SELECT hash FROM event WHERE run = ?1 AND seq = ?2";

std::int64_t millis(Moment moment) { return moment.time_since_epoch().count(); }

AuditRow read_row(Statement const& row) { return {row.integer(0), row.text(1), row.text(2)}; }

StoredCheckpoint read_checkpoint(Statement const& row) {
  return {.entries = row.integer(0),
          .at = Moment(Duration(row.integer(1))),
          .key = row.text(2),
          .note = row.text(3)};
}

std::string read_text(Statement const& row) { return row.text(0); }

}  // namespace

Audit::Audit(Connection& connection)
    : connection_(connection),
      file_(connection.path()),
      insert_(connection, insert_entry),
      insert_checkpoint_(connection, insert_checkpoint),
      head_(connection, select_head),
      find_(connection, find_entries),
      after_(connection, entries_after),
      hash_of_(connection, select_hash),
      checkpoints_(connection, checkpoints_after_sql),
      last_checkpoint_(connection, last_checkpoint_sql),
      covering_(connection, covering_checkpoint),
      keys_(connection, select_keys),
      run_(connection, select_run),
      heads_since_(connection, heads_since_sql),
      event_hash_(connection, select_event_hash) {}

// ---- writing

// The head is read anew each time: a transaction that was undone must leave nothing behind.
std::int64_t Audit::write(AuditEntry const& entry) {
  auto const before = head();
  auto const seq = before.entries + 1;
  auto const text = to_text(entry, seq);
  insert_.run(seq, millis(entry.at), entry.actor, entry.action, entry.outcome, entry.run, text,
              hash_after(before.hash, {text}));
  return seq;
}

void Audit::write(StoredCheckpoint const& checkpoint) {
  insert_checkpoint_.run(checkpoint.entries, millis(checkpoint.at), checkpoint.key,
                         checkpoint.note);
}

Result<void> Audit::append(std::vector<AuditEntry> const& entries,
                           std::function<void()> const& beside) {
  return file_.expect_same().and_then([&] {
    return guarded([&] {
      Companion::Absence const alone(connection_);
      Transaction transaction(connection_);
      for (auto const& entry : entries) {
        write(entry);
      }
      if (beside) {
        beside();
      }
      transaction.commit();
    });
  });
}

// ---- reading

AuditHead Audit::head() const {
  auto const read = [](Statement const& row) { return AuditHead{row.integer(0), row.text(1)}; };
  return head_.first(read).value_or(AuditHead{});
}

std::vector<AuditRow> Audit::find(AuditFilter const& filter) const {
  constexpr auto newest = std::numeric_limits<std::int64_t>::max();
  return find_.all(read_row, filter.before > 0 ? filter.before : newest, filter.actor,
                   filter.action, filter.run, filter.outcome,
                   filter.since ? millis(*filter.since) : 0,
                   filter.until ? millis(*filter.until) : newest, filter.limit);
}

std::vector<AuditRow> Audit::after(std::int64_t seq, int limit) const {
  return after_.all(read_row, seq, limit);
}

std::string Audit::hash_of(std::int64_t seq) const {
  return hash_of_.first(read_text, seq).value_or("");
}

std::vector<StoredCheckpoint> Audit::checkpoints_after(std::int64_t entries, int limit) const {
  return checkpoints_.all(read_checkpoint, entries, limit);
}

std::optional<StoredCheckpoint> Audit::last_checkpoint() const {
  return last_checkpoint_.first(read_checkpoint);
}

std::optional<StoredCheckpoint> Audit::checkpoint_over(std::int64_t seq) const {
  return covering_.first(read_checkpoint, seq);
}

std::vector<std::string> Audit::keys() const { return keys_.all(read_text); }

// ---- what an entry says of its run

std::optional<Audit::KnownRun> Audit::run(std::string const& id) const {
  auto const read = [](Statement const& row) {
    return KnownRun{.plan = row.text(0),
                    .target = row.text(1),
                    .standing = {.state = row.text(2), .revision = row.integer(3)},
                    .hash = row.text(4)};
  };
  return id.empty() ? std::nullopt : run_.first(read, id);
}

void Audit::describe_before(AuditEntry& entry) const {
  if (auto known = run(entry.run)) {
    entry.plan = std::move(known->plan);
    entry.target = std::move(known->target);
    entry.before = std::move(known->standing);
  }
}

void Audit::describe_after(AuditEntry& entry) const {
  if (auto known = run(entry.run)) {
    entry.plan = std::move(known->plan);
    entry.target = std::move(known->target);
    entry.events = {{entry.run, known->standing.revision, std::move(known->hash)}};
    entry.after = std::move(known->standing);
  }
}

std::vector<EventsHead> Audit::heads_since(Moment moment) const {
  auto const read = [](Statement const& row) {
    return EventsHead{.run = row.text(0), .revision = row.integer(1), .hash = row.text(2)};
  };
  return heads_since_.all(read, millis(moment));
}

std::string Audit::event_hash(std::string const& run, planner::EventSeq revision) const {
  return event_hash_.first(read_text, run, revision).value_or("");
}

}  // namespace runbookd::store
